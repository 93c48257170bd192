"""Start, wait, join and close, from threads and in running loops."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

import pytest
from tests.fakes.executors_for_engines import Fails, Fine, NeverReady
from tests.fakes.homes import Homes, eventually

from quarterdeck import Deployment, Topology
from quarterdeck.engine.errors import PortTaken, ReadyTimeout, RequestError, StartError, UsageError
from quarterdeck.engine.front.session import patience
from quarterdeck.engine.model import Phase

X: dict[str, Any] = {"x": [1]}


def word(outputs: dict[str, Any]) -> bytes:
    found: bytes = next(iter(outputs["word"]))
    return found


def test_without_blocking_start_returns_at_once_and_waiting_makes_it_ready(homes: Homes) -> None:
    words = Deployment(Fine, name="w", noblock_on_start=True)
    begin = time.monotonic()
    assert words.start() is words
    assert time.monotonic() - begin < 5.0
    words.wait_start_success()
    assert words.is_ready
    words.wait_start_success()
    words.close()
    assert homes.nothing_left


def test_without_blocking_a_failure_shows_when_waited_for_and_closes_all(homes: Homes) -> None:
    with Topology(
        "t", [Deployment(Fine, name="ok"), Deployment(Fails, name="bad")], noblock_on_start=True
    ) as top:
        with pytest.raises(StartError, match=r"t/bad/rep-0 failed: .*no weights at /weights.bin") as caught:
            top.wait_start_success()
        assert "RuntimeError: no weights" in caught.value.hint
        assert homes.nothing_left
        assert top.pods == ()


def test_without_blocking_the_timeout_bounds_the_wait(homes: Homes) -> None:
    slow = Deployment(NeverReady, name="slow", timeout_ready=2.0, noblock_on_start=True).start()
    begin = time.monotonic()
    with pytest.raises(ReadyTimeout, match="slow/rep-0") as caught:
        slow.wait_start_success()
    assert time.monotonic() - begin < 2.0 * 5
    assert "loading for ever" in caught.value.hint
    assert homes.nothing_left


def test_without_blocking_what_the_engine_refuses_shows_when_waited_for(homes: Homes) -> None:
    with Deployment(Fine) as first:
        second = Deployment(Fine, port=first.port, noblock_on_start=True).start()
        with pytest.raises(PortTaken, match=f"port {first.port} is taken by pid"):
            second.wait_start_success()
    assert homes.nothing_left


def test_without_blocking_it_can_be_closed_while_it_starts(homes: Homes) -> None:
    Deployment(NeverReady, noblock_on_start=True).start().close()
    assert len(homes.made) == 1
    assert homes.nothing_left


def test_waiting_is_for_who_did_not_block(homes: Homes) -> None:
    with pytest.raises(ValueError, match="noblock_on_start"):
        Deployment(Fine).wait_start_success()
    with pytest.raises(UsageError, match="not started"):
        Deployment(Fine, noblock_on_start=True).wait_start_success()
    assert homes.made == []


def test_a_start_may_take_as_long_as_those_do_that_wait_for_each_other() -> None:
    a = Deployment(Fine, name="a", timeout_ready=10)
    b = Deployment(Fine, name="b", timeout_ready=5, depends_on="a")
    c = Deployment(Fine, name="c", timeout_ready=12)
    assert patience(Topology("t", [a, c]).spec) == 12
    assert patience(Topology("t", [a, b, c]).spec) == 15
    assert patience(Topology("t", [a, Deployment(Fine, name="d", timeout_ready=-1)]).spec) is None


def test_closing_dead_pods_costs_no_time(homes: Homes) -> None:
    words = Deployment(Fine, replicas=2, restart="no", grace=30).start()
    for pod in words.pods:
        assert pod.pid is not None
        os.kill(pod.pid, 9)
    words.join()
    assert {pod.phase for pod in words.pods} == {Phase.FAILED}
    begin = time.monotonic()
    words.close()
    assert time.monotonic() - begin < 5.0
    assert homes.nothing_left


def test_joining_what_does_not_run_returns_at_once() -> None:
    Deployment(Fine).join()


def test_post_gives_outputs_by_name() -> None:
    with Deployment(Fine, uses_with={"word": "hi"}) as one:
        assert word(one.post("/any", X)) == b"hi"
        assert word(one.post("any", {}, {"p": 1}, timeout=20)) == b"hi"
        with pytest.raises(RequestError, match="neither bool"):
            one.post("/", X, {"p": [1]})  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="not started"):
        one.post("/", X)
    with Deployment(Fine, replicas=2) as two, pytest.raises(UsageError, match=r"no one address; put it into"):
        two.post("/", X)


async def test_in_a_loop_everything_has_a_twin(homes: Homes) -> None:
    async with Deployment(Fine, name="w", shards=2) as words:
        assert words.is_ready
        answers = await asyncio.gather(*(words.post_async("/", X) for _ in range(20)))
        assert {word(answer) for answer in answers} == {b"hello"}
        with pytest.raises(UsageError, match="started already"):
            await words.start_async()
    assert homes.nothing_left
    with pytest.raises(ValueError, match="noblock_on_start"):
        await words.wait_start_success_async()
    await words.join_async()
    await words.close_async()


async def test_in_a_loop_without_blocking(homes: Homes) -> None:
    top = Topology("t", [Deployment(Fine, name="w", restart="no")], noblock_on_start=True)
    assert await top.start_async() is top
    await top.wait_start_success_async()
    joined = asyncio.create_task(top.join_async())
    for pod in top.pods:
        assert pod.pid is not None
        os.kill(pod.pid, 9)
    if not joined.done():
        await top.close_async()
    await asyncio.wait([joined], timeout=20)
    assert joined.done()
    await top.close_async()
    assert homes.nothing_left


async def test_a_loop_goes_on_while_pods_start_and_close(homes: Homes) -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    turning = asyncio.create_task(turn())
    with pytest.raises(ReadyTimeout):
        await Deployment(NeverReady, timeout_ready=1.0).start_async()
    turning.cancel()
    assert turns > 20
    assert homes.nothing_left


async def test_a_start_that_is_cancelled_leaves_nothing(homes: Homes) -> None:
    slow = Deployment(NeverReady)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await slow.start_async()
    assert homes.nothing_left
    assert slow.pods == ()


async def test_an_error_inside_a_loop_closes_it_too(homes: Homes) -> None:
    with pytest.raises(ZeroDivisionError):
        async with Deployment(Fine):
            raise ZeroDivisionError
    assert homes.nothing_left


async def test_a_request_that_is_cancelled_harms_no_other() -> None:
    async with Deployment(Fine) as words:
        asked = [asyncio.create_task(words.post_async("/", X)) for _ in range(8)]
        await asyncio.sleep(0)
        asked[0].cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert len([answer for answer in answers[1:] if isinstance(answer, dict)]) == 7


async def test_the_plain_form_works_in_a_running_loop_as_in_a_notebook(homes: Homes) -> None:
    with Deployment(Fine) as words:
        assert word(words.post("/", X)) == b"hello"
        assert word(await words.post_async("/", X)) == b"hello"
    assert homes.nothing_left


def test_one_may_start_it_and_another_thread_close_it(homes: Homes) -> None:
    words = Deployment(Fine).start()
    closing = [threading.Thread(target=words.close) for _ in range(3)]
    for thread in closing:
        thread.start()
    for thread in closing:
        thread.join(20)
    eventually(lambda: homes.nothing_left, "all is closed")
    assert words.pods == ()


def test_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    with Deployment(Fine) as words:
        words.post("/", X)
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not {name for name in left if name.startswith("quarterdeck")}
