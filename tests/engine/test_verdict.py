"""Whether a start has come to an end, judged from fleets as they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.fakes.control import FakeControl, FakeRun

from quarterdeck.engine.errors import EngineUnreachable, ReadyTimeout, StartError
from quarterdeck.engine.model import Fleet, Phase, PodStatus, Role, Runtime
from quarterdeck.engine.verdict import all_ready, failed, log_end, wait_ready, waiting_for

POD = PodStatus("top", "a/rep-0", "a", Role.WORKER, 0, 0, Runtime.PROCESS, Phase.STARTING, reason="loading")
READY = replace(POD, phase=Phase.READY, reason="")
FAILED = replace(POD, phase=Phase.FAILED, reason="exit 1 after 3s")


class Fleets(FakeControl):
    """An engine that shows these fleets one after the other, and then ends or goes on for ever."""

    def __init__(self, *fleets: tuple[PodStatus, ...], log: bytes | None = b"", ends: bool = True) -> None:
        super().__init__(logs={} if log is None else {POD.key: [FakeRun(log)]})
        self.fleets, self.ends = fleets, ends

    async def watch(self) -> AsyncIterator[Fleet]:
        for revision, pods in enumerate(self.fleets):
            yield Fleet(revision, pods=pods)
        if not self.ends:
            await asyncio.Event().wait()


def test_words() -> None:
    assert failed([READY, FAILED]) is FAILED
    assert failed([READY]) is None
    assert all_ready([READY])
    assert not all_ready([READY, POD])
    assert not all_ready([])
    assert waiting_for([READY, POD, replace(POD, name="b", reason="")]) == (
        "a/rep-0 is starting (loading), b is starting"
    )


async def test_ready() -> None:
    other = replace(FAILED, topology="other")
    assert await wait_ready(Fleets((POD,), (POD, other), (READY, other)), "top", 5.0) == (READY,)


async def test_one_that_fails_is_an_error_with_the_end_of_its_log() -> None:
    log = b"".join(b"line %d\n" % number for number in range(99)) + b"last\x1b[2J words\xff"
    with pytest.raises(StartError, match="top/a/rep-0 failed: exit 1 after 3s") as caught:
        await wait_ready(Fleets((POD,), (FAILED,), log=log), "top", 5.0)
    lines = caught.value.hint.splitlines()
    assert lines[0] == "the end of its log:"
    assert lines[-1] == "    last [2J words\N{REPLACEMENT CHARACTER}"
    assert len(lines) == 13
    assert type(caught.value) is StartError


@pytest.mark.parametrize("log", [b"", None], ids=["it printed nothing", "it has no log"])
async def test_one_without_a_word_has_no_hint(log: bytes | None) -> None:
    with pytest.raises(StartError, match="exit 1 after 3s") as caught:
        await wait_ready(Fleets((FAILED,), log=log), "top", 5.0)
    assert caught.value.hint == ""


async def test_a_pod_that_took_too_long_is_a_timeout_whoever_noticed_first() -> None:
    slow = replace(FAILED, reason="killed by SIGKILL after 2s: not ready within 2s")
    with pytest.raises(ReadyTimeout, match="not ready within 2s"):
        await wait_ready(Fleets((slow,)), "top", 5.0)


async def test_the_timeout_says_what_it_waited_for_and_comes_at_its_time() -> None:
    begin = time.monotonic()
    with pytest.raises(ReadyTimeout, match=r"top is not ready after 0\.1s: a/rep-0 is starting \(loading\)"):
        await wait_ready(Fleets((POD,), ends=False), "top", 0.1)
    assert 0.1 <= time.monotonic() - begin < 0.6


async def test_an_engine_that_ends_is_no_success() -> None:
    with pytest.raises(EngineUnreachable):
        await wait_ready(Fleets((POD,)), "top", 5.0)


async def test_the_end_of_a_log_is_a_dozen_lines() -> None:
    log = b"".join(b"line %d\n" % number for number in range(5000))
    assert await log_end(Fleets(log=log), POD.key) == [f"line {number}" for number in range(4988, 5000)]
