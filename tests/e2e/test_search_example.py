"""The example that the demo shows, as its user runs it: `qd up`, `qd ps`, `qd send`, and a real Triton client."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tritonclient.grpc as triton
from tests.e2e.engines import EXAMPLE, Engine


@pytest.fixture
def search(engine: Engine) -> Engine:
    engine.qd("up", "-d", EXAMPLE, "--wait", CUDA_TOTAL_DEVICES="4")
    return engine


def ask(address: str, query: str) -> dict[str, list[object]]:
    """What the real Triton client gets."""
    client = triton.InferenceServerClient(address)
    given = triton.InferInput("query", [1], "BYTES")
    given.set_data_from_numpy(np.array([query.encode()], dtype=np.object_))
    answer = client.infer("search", [given])
    names = [output.name for output in answer.get_response().outputs]
    found = {name: answer.as_numpy(name).tolist() for name in names}
    client.close()
    return {
        name: [item.decode() if isinstance(item, bytes) else item for item in values]
        for name, values in found.items()
    }


def test_every_pod_is_ready_on_a_port_of_its_own(search: Engine) -> None:
    pods = search.ps()
    assert len(pods) == 9
    assert all(row["ready"] and row["phase"] == "ready" for row in pods.values())
    assert len({row["port"] for row in pods.values()}) == 9
    gpus = {name: row["gpu"] for name, row in pods.items() if "/shard-" in name}
    assert gpus == {f"search/index/shard-{s}/rep-{r}": str(r) for s in (0, 1) for r in (0, 1)}


def test_both_shards_answer_and_triton_gets_the_same_from_gateway_and_head(search: Engine) -> None:
    sent = search.qd("send", "search", "--endpoint", "/search", "--data", '{"query": ["context manager"]}')
    answer = json.loads(sent.stdout)
    assert set(answer["shard"]) == {0, 1}
    assert answer["score"] == sorted(answer["score"], reverse=True)
    assert "context-managers" in answer["title"]
    pods = search.ps()
    for name in ("search/gateway", "search/index/head"):
        row = pods[name]
        assert ask(f"{row['host']}:{row['port']}", "context manager") == answer


def test_up_again_is_nothing_and_a_changed_file_says_what_to_do(search: Engine) -> None:
    before = search.ps()
    assert "ready" in search.qd("up", "-d", EXAMPLE).stdout
    assert {name: row["pid"] for name, row in search.ps().items()} == {
        name: row["pid"] for name, row in before.items()
    }


def test_demo_without_a_terminal_shows_answers_and_leaves_nothing(engine: Engine) -> None:
    done = engine.qd("demo")
    assert "search/index/shard-1/rep-1" in done.stdout
    assert '"title"' in done.stdout
    assert engine.processes() == []
    assert engine.remains() == []
