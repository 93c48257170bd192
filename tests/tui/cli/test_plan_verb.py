"""`qd plan` as a person or a script sees it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from quarterdeck.engine.errors import SpecError
from quarterdeck.engine.model import Gpu, Phase, PodStatus, Role, Runtime, Sample
from quarterdeck.engine.observe.nvml import Nvml
from quarterdeck.tui.cli import plan
from quarterdeck.tui.cli.rows import KEYS, pod_row

TOPOLOGY = """\
name: demo
gateway: {port: 8080}
deployments:
- {name: clean, uses: app.py:Clean}
- {name: index, uses: app.py:Index, uses_after: app.Merge, shards: 2, needs: clean, env: {CUDA_VISIBLE_DEVICES: RR}}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A topology whose code must not run, on a host with two GPUs."""
    monkeypatch.setattr(Nvml, "look", lambda self: (Gpu(0, uuid="GPU-a"), Gpu(1, uuid="GPU-b")))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (tmp_path / "app.py").write_text(
        "class Clean: ...\nclass Index: ...\nclass Merge: ...\nraise SystemExit\n"
    )
    path = tmp_path / "topology.yml"
    path.write_text(TOPOLOGY)
    return path


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    plan.configure(parser)
    return plan.run(parser.parse_args(arguments))


def test_the_table(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(file)) == 0
    assert capsys.readouterr().out == (
        "NAME                 ROLE     RUNTIME  PORT  GPU  USES\n"
        "gateway              gateway  process  8080  -    -\n"
        "clean/rep-0          worker   process  auto  -    app.py:Clean\n"
        "index/head           head     process  auto  -    -\n"
        "index/uses_after-0   worker   process  auto  -    app.Merge\n"
        "index/shard-0/rep-0  worker   process  auto  0    app.py:Index\n"
        "index/shard-1/rep-0  worker   process  auto  0    app.py:Index\n"
    )


def test_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(file), "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [tuple(row) for row in rows] == [KEYS] * 6
    assert [row["name"] for row in rows[:3]] == ["gateway", "clean/rep-0", "index/head"]
    assert {row["topology"] for row in rows} == {"demo"}
    assert [row["port"] for row in rows] == [8080, None, None, None, None, None]
    assert rows[-1] == {
        "name": "index/shard-1/rep-0", "topology": "demo", "deployment": "index", "role": "worker", "shard": 1,
        "replica": 0, "runtime": "process", "phase": "pending", "ready": False, "reason": "", "host": "127.0.0.1",
        "port": None, "port_monitoring": None, "gpu": "0", "pid": None, "restarts": 0, "exit_code": None,
        "started_at": None, "ready_at": None, "cpu_percent": None, "memory_bytes": None,
    }  # fmt: skip


def test_mermaid(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(file), "--mermaid") == 0
    out = capsys.readouterr().out
    assert out.startswith("flowchart LR\n")
    assert "clean --> index\n" in out


def test_a_host_without_gpus_is_noted_apart_from_the_output(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Nvml, "look", lambda self: None)
    monkeypatch.delenv("CUDA_TOTAL_DEVICES", raising=False)
    assert run(str(file), "--json") == 0
    captured = capsys.readouterr()
    assert {row["gpu"] for row in json.loads(captured.out)} == {None}
    assert captured.err.startswith("note: index: no GPU found by NVML")


def test_gpus_are_counted_only_if_asked_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(TOPOLOGY.replace("RR", "0"))

    def never(self: Nvml) -> None:
        raise AssertionError("asked NVML")

    monkeypatch.setattr(Nvml, "look", never)
    assert run(str(file)) == 0


def test_mistakes_are_raised(file: Path) -> None:
    file.write_text(TOPOLOGY.replace("shards", "shard"))
    with pytest.raises(SpecError, match="did you mean `shards`"):
        run(str(file))


def test_a_row_joins_status_and_sample() -> None:
    status = PodStatus("t", "a/rep-0", "a", Role.WORKER, 0, 0, Runtime.PROCESS, Phase.READY, pid=7)
    row = pod_row(status, Sample(12.5, 4096))
    assert tuple(row) == KEYS
    assert (row["ready"], row["pid"], row["cpu_percent"], row["memory_bytes"]) == (True, 7, 12.5, 4096)
