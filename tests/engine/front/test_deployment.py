"""`Deployment` and `Topology` for Python: nothing to set up, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.executors_for_engines import Fails, Fine, NeverReady, Parent
from tests.fakes.homes import Homes

from quarterdeck import Deployment, Topology
from quarterdeck.engine.errors import PortTaken, ReadyTimeout, SpecError, StartError, UsageError
from quarterdeck.engine.model import Phase
from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.tensors import from_json, to_json


def ask(address: str | None) -> dict[str, Any]:
    async def one() -> dict[str, Any]:
        assert address is not None
        async with InferenceClient(address) as client:
            return to_json(await client.infer("/", from_json({"x": [1]}), timeout=20))

    return asyncio.run(one())


def test_with_it_is_up_and_without_it_nothing_is(homes: Homes) -> None:
    with Deployment(Fine, name="words", uses_with={"word": "hi"}) as words:
        assert words.is_ready
        assert words.address == f"127.0.0.1:{words.port}"
        assert [(pod.name, pod.phase) for pod in words.pods] == [("words/rep-0", Phase.READY)]
        assert ask(words.address)["word"] == ["hi"]
        assert homes.running
    assert not words.is_ready
    assert words.pods == ()
    assert homes.nothing_left


def test_without_a_name_pods_are_numbers(homes: Homes) -> None:
    with Deployment(Fine, replicas=2) as two:
        assert [pod.name for pod in two.pods] == ["0", "1"]
        assert len(set(two.ports)) == 2
        assert two.address is None
    assert homes.nothing_left


def test_shards_have_a_head_for_an_address() -> None:
    with Deployment(Fine, name="s", shards=2) as sharded:
        assert [pod.name for pod in sharded.pods] == ["s/head", "s/shard-0/rep-0", "s/shard-1/rep-0"]
        assert sharded.ports == (sharded.pods[0].port,)
        assert ask(sharded.address)["word"] == ["hello"]


def test_a_topology_has_a_gateway_for_an_address() -> None:
    words = Deployment(Fine, name="words", replicas=2)
    with Topology("top", [words]) as top:
        assert [pod.name for pod in top.pods] == ["gateway", "words/rep-0", "words/rep-1"]
        assert ask(top.address)["word"] == ["hello"]


def test_before_start_it_answers_what_is_planned() -> None:
    planned = Deployment(Fine, name="a", port=9123)
    assert (planned.port, planned.pods, planned.is_ready) == (9123, (), False)
    assert Deployment(Fine, name="a").port is None
    planned.close()


def test_an_error_inside_closes_it_too(homes: Homes) -> None:
    with pytest.raises(ZeroDivisionError), Deployment(Parent, name="a"):
        raise ZeroDivisionError
    assert homes.nothing_left


def test_a_start_that_fails_names_pod_reason_and_log_and_leaves_nothing(homes: Homes) -> None:
    threads = threading.active_count()
    with pytest.raises(StartError) as caught, Deployment(Fails, name="bad", replicas=2):
        pytest.fail("it did not start")
    assert "deployment/bad/rep-" in caught.value.message or "bad/bad/rep-" in caught.value.message
    assert "no weights at /weights.bin" in caught.value.message
    assert "RuntimeError: no weights at /weights.bin" in caught.value.hint
    assert type(caught.value) is StartError
    assert homes.nothing_left
    assert threading.active_count() == threads


def test_one_that_fails_alone_leaves_nothing_either(homes: Homes) -> None:
    with pytest.raises(StartError):
        Deployment(Fails).start()
    assert homes.nothing_left


@pytest.mark.parametrize("limit", [0.5, 1.0])
def test_the_timeout_comes_at_its_time_and_not_after(homes: Homes, limit: float) -> None:
    slow = Deployment(NeverReady, name="slow", timeout_ready=limit, grace=5.0)
    begin = time.monotonic()
    with pytest.raises(ReadyTimeout, match="slow/rep-0"):
        slow.start()
    took = time.monotonic() - begin
    assert limit <= took < limit + 3.0
    assert homes.nothing_left


def test_closing_twice_and_closing_what_never_began(homes: Homes) -> None:
    words = Deployment(Fine).start()
    words.close()
    words.close()
    Deployment(Fine).close()
    assert len(homes.made) == 1
    assert homes.nothing_left


def test_it_can_be_started_again_but_not_twice(homes: Homes) -> None:
    words = Deployment(Fine)
    with words:
        with pytest.raises(UsageError, match="started already"):
            words.start()
        assert words.is_ready
    with words:
        assert ask(words.address)["word"] == ["hello"]
    assert homes.nothing_left


def test_a_port_that_is_taken(homes: Homes) -> None:
    with Deployment(Fine) as first:
        with pytest.raises(PortTaken, match=f"port {first.port} is taken by pid {first.pods[0].pid}"):
            Deployment(Fine, port=first.port).start()
        assert first.is_ready
    assert homes.nothing_left


def test_two_at_once_know_nothing_of_each_other() -> None:
    with (
        Deployment(Fine, uses_with={"word": "one"}) as one,
        Deployment(Fine, uses_with={"word": "two"}) as two,
    ):
        assert [ask(one.address)["word"], ask(two.address)["word"]] == [["one"], ["two"]]


def test_join_waits_until_all_have_ended() -> None:
    with Deployment(Fine, restart="no") as words:
        joined = threading.Thread(target=words.join)
        joined.start()
        assert joined.is_alive()
        pid = words.pods[0].pid
        assert pid is not None
        os.kill(pid, 9)
        joined.join(20)
        assert not joined.is_alive()
        assert not words.is_ready


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"shards": 0}, "shards"),
        ({"replicas": -1}, "replicas"),
        ({"port": 9000, "replicas": 2}, "port"),
        ({"name": "a b"}, "name"),
    ],
)
def test_what_can_not_be_is_said_at_once(arguments: dict[str, Any], said: str, homes: Homes) -> None:
    with pytest.raises(SpecError, match=said):
        Deployment(Fine, **arguments)
    assert homes.made == []


@pytest.mark.parametrize("arguments", [{"restart": "sometimes"}, {"polling": "SOME"}], ids=str)
def test_words_that_are_none_of_those_allowed(arguments: dict[str, Any]) -> None:
    with pytest.raises((SpecError, UsageError), match=next(iter(arguments.values()))):
        Deployment(Fine, **arguments)


def test_a_class_that_no_other_process_can_find() -> None:
    class Local(Fine):
        pass

    with pytest.raises(
        UsageError, match=r"Local can't be found by another process; put the class at the top"
    ):
        Deployment(Local)


def test_uses_by_name_relative_to_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(
        "from quarterdeck import Executor, requests\n\nclass Mine(Executor):\n"
        "    @requests\n    def work(self, tensors):\n        return {'word': ['mine']}\n"
    )
    monkeypatch.chdir(tmp_path)
    with Deployment("mine.py:Mine") as mine:
        assert ask(mine.address)["word"] == ["mine"]
