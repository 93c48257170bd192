"""A topology on an engine behind a socket: the same behaviour, and the engine goes on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fakes.executors_for_engines import Fails, Fine, NeverReady
from tests.fakes.homes import eventually, ours, temporary_home

from quarterdeck import Deployment, Topology
from quarterdeck.engine.api.client import connect
from quarterdeck.engine.api.launch import answers, wait_gone
from quarterdeck.engine.errors import Conflict, ReadyTimeout, StartError
from quarterdeck.engine.home import Home
from quarterdeck.engine.model import Fleet, Phase

X: dict[str, Any] = {"x": [1]}


@pytest.fixture
def home() -> Iterator[Home]:
    """Where no engine answers yet; what is started there has ended after the test."""
    with temporary_home() as made:
        yield made


async def fleet(home: Home) -> Fleet:
    async with await connect(str(home.socket)) as client:
        async for now in client.watch():
            return now
    raise AssertionError


def up(home: Home) -> list[str]:
    return [topology.name for topology in asyncio.run(fleet(home)).topologies]


def end(home: Home) -> None:
    async def shut() -> None:
        async with await connect(str(home.socket)) as client:
            await client.shutdown()

    asyncio.run(shut())
    wait_gone(home)
    assert not answers(home)


def test_on_an_engine_it_is_up_and_then_down_and_the_engine_goes_on(home: Home) -> None:
    with Topology("a", [Deployment(Fine, name="w", replicas=2)], engine=str(home.socket)) as a:
        with Deployment(Fine, name="b", shards=2, engine=home.socket) as b:
            assert sorted(up(home)) == ["a", "b"]
            assert a.is_ready
            assert b.is_ready
            assert b.ports == (b.head_port,)
            assert list(a.post("/", X)["word"]) == list(b.post("/", X)["word"]) == [b"hello"]
        assert up(home) == ["a"]
        assert a.is_ready
    assert up(home) == []
    end(home)
    assert ours(home) == []


@pytest.mark.parametrize("engine", [True, ""])
def test_the_users_own_engine_is_started_when_none_answers(
    home: Home, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTERDECK_HOME", str(home.folder))
    with Deployment(Fine, name="w", engine=engine):
        assert up(home) == ["w"]
    end(home)


def test_a_start_that_fails_closes_the_topology_only(home: Home) -> None:
    with Deployment(Fine, name="ok", engine=home.socket) as ok:
        with pytest.raises(StartError, match=r"bad/bad/rep-0 failed: .*no weights") as caught:
            Deployment(Fails, name="bad", engine=home.socket).start()
        assert "RuntimeError: no weights" in caught.value.hint
        slow = Deployment(
            NeverReady, name="slow", engine=home.socket, noblock_on_start=True, timeout_ready=0.5
        )
        with pytest.raises(ReadyTimeout):
            slow.start().wait_start_success()
        assert up(home) == ["ok"]
        assert ok.is_ready
    end(home)


def test_one_of_the_same_name_is_refused_and_not_touched(home: Home) -> None:
    with Deployment(Fine, name="w", engine=home.socket) as first:
        for other in (
            Deployment(Fine, name="w", engine=home.socket),
            Deployment(name="w", engine=home.socket),
        ):
            with pytest.raises(Conflict, match="w is up already on this engine; close it with: qd down w"):
                other.start()
        assert first.is_ready
        assert up(home) == ["w"]
    end(home)


def test_what_somebody_else_took_down_is_joined_and_closed(home: Home) -> None:
    async def down() -> None:
        async with await connect(str(home.socket)) as client:
            await client.down(["w"])

    with Deployment(Fine, name="w", engine=home.socket) as words:
        asyncio.run(down())
        words.join()
        assert words.pods == ()
        assert not words.is_ready
    end(home)


def test_an_engine_that_is_killed_takes_its_pods_along_and_closing_says_nothing(home: Home) -> None:
    with Deployment(Fine, name="w", engine=home.socket) as words:
        assert words.is_ready
        engine = next(process for process in ours(home) if "daemon" in cmdline(process.pid))
        os.kill(engine.pid, 9)
        eventually(lambda: not words.pods, "the line broke")
    eventually(lambda: ours(home) == [], "the keeper ended all")


async def test_in_a_loop_on_an_engine(home: Home) -> None:
    async with Topology("t", [Deployment(Fine, name="w", restart="no")], engine=home.socket) as top:
        answers = await asyncio.gather(*(top.post_async("/", X) for _ in range(10)))
        assert len(answers) == 10
        pid = next(pod.pid for pod in top.pods if pod.name == "w/rep-0")
        assert pid is not None
        os.kill(pid, 9)
        failed = lambda: any(pod.phase is Phase.FAILED for pod in top.pods)  # noqa: E731
        await asyncio.to_thread(eventually, failed, "the engine says that it ended")
        assert not top.is_ready
    assert (await fleet(home)).topologies == ()


def cmdline(pid: int) -> str:
    with open(f"/proc/{pid}/cmdline") as file:
        return file.read()
