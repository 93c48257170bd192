"""Pods that are threads of one process: what they share, what each has of its own, and how they end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest
from tests.engine.runtimes.bench import Bench
from tests.engine.runtimes.deck import Deck
from tests.fakes.homes import eventually, ours

from quarterdeck.engine.keeper.processes import read
from quarterdeck.engine.plan.job import Job
from quarterdeck.engine.runtimes.runtime import Bound, Broken, Exited, Started


@pytest.fixture
def deck(bench: Bench, tmp_path: Path) -> Deck:
    return Deck(bench, tmp_path)


# -- what they share, and what is their own


async def test_they_share_one_process_and_each_has_a_port(deck: Deck) -> None:
    jobs = [await deck.ready(replica) for replica in range(3)]
    (pid,) = {await deck.bench.pid(job) for job in jobs}
    process = read(pid)
    assert process is not None
    assert process.parent == deck.bench.runtime.keeper_pid
    assert len({(await deck.bench.fact(job, Bound)).port for job in jobs}) == 3
    assert [await deck.ask(job) for job in jobs] == [{"word": ["one"], "served": [1]}] * 3


async def test_each_has_its_own_log_and_the_rest_stands_tagged_in_the_first(deck: Deck) -> None:
    jobs = [await deck.ready(replica) for replica in range(2)]
    for job in jobs:
        await deck.ask(job)
        await deck.ask(job, "/async")
    await deck.ask(jobs[1], "/stray")
    first, second = map(deck.log, jobs)
    assert first[:2] == ["imported one", "made index/rep-0"]
    assert second[0] == "made index/rep-1"
    for lines, name in ((first, "index/rep-0"), (second, "index/rep-1")):
        for said in ("sync", "err", "task", "thread"):
            assert f"{said} {name}" in lines
        assert sum(line.endswith(f"WARNING user: logged {name}") for line in lines) == 1
    assert "index/rep-1" not in "".join(first)
    assert "index/rep-0" not in "".join(second)
    assert "[index] stray" in first
    assert "child" in first


async def test_deployments_have_a_process_each(deck: Deck) -> None:
    first, second = await deck.ready(), await deck.ready(deployment="other")
    assert await deck.bench.pid(first) != await deck.bench.pid(second)


# -- one of several


async def test_one_stops_and_starts_in_the_same_process_while_others_go_on(deck: Deck) -> None:
    first, second = await deck.ready(0), await deck.ready(1)
    await deck.ask(first)
    port = (await deck.bench.fact(first, Bound)).port
    deck.write("three")
    assert (await deck.stopped(first)).code == 0
    assert (await deck.ask(second))["word"] == ["one"]
    again = await deck.ready(0, port=port)
    assert await deck.bench.pid(again) == await deck.bench.pid(second)
    assert await deck.ask(again) == {
        "word": ["one"],
        "served": [1],
    }  # made anew, of the code that was imported


async def test_the_processs_own_text_goes_on_to_one_that_runs(deck: Deck) -> None:
    first, second = await deck.ready(0), await deck.ready(1)
    await deck.stopped(first)
    await deck.ask(second, "/stray")
    assert "[index] stray" in deck.log(second)
    assert "[index] stray" not in deck.log(first)


async def test_one_that_can_not_be_made_ends_alone(deck: Deck) -> None:
    first = await deck.ready(0)
    broken = deck.start(1, uses_with={"fails": True})
    error = (await deck.bench.fact(broken, Broken)).error
    assert error == "index/rep-1: voices.py:12 in __init__: RuntimeError: no weights"
    assert (await deck.bench.fact(broken, Exited)).code == 1
    assert "RuntimeError: no weights" in deck.log(broken)
    assert "RuntimeError: no weights" not in deck.log(first)
    assert (await deck.ask(first))["word"] == ["one"]


async def test_one_that_is_to_find_another_world_begins_in_another_process(deck: Deck) -> None:
    first = await deck.ready(0)
    others = [await deck.ready(1, env={"HUE": "red"}), await deck.ready(2, umask=0o077)]
    assert len({await deck.bench.pid(job) for job in (first, *others)}) == 3
    await deck.stopped(first)
    assert [(await deck.ask(job))["word"] for job in others] == [["one"]] * 2


async def test_a_port_that_is_taken_is_told_of_that_one(deck: Deck) -> None:
    first = await deck.ready(0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        second = deck.start(1, port=taken.getsockname()[1])
        assert (await deck.bench.fact(second, Broken)).port_taken
        assert (await deck.bench.fact(second, Exited)).code == 1
    assert not deck.has_ended(first)


async def test_code_that_can_not_be_imported_is_tried_again_by_each(deck: Deck) -> None:
    deck.file.write_text("import nowhere_to_be_found")
    jobs = [deck.start(replica) for replica in range(2)]
    for job in jobs:
        assert "nowhere_to_be_found" in (await deck.bench.fact(job, Broken)).error
        await deck.bench.fact(job, Exited)
    deck.write("one")
    assert (await deck.ask(await deck.ready()))["word"] == ["one"]


async def test_what_is_in_flight_in_one_that_stops_is_finished(deck: Deck, tmp_path: Path) -> None:
    first, second = await deck.ready(0), await deck.ready(1)
    asked = asyncio.create_task(deck.ask(first, "/waits"))
    await asyncio.to_thread(eventually, lambda: "waits" in deck.log(first), "the request")
    deck.stop(first)
    assert (await deck.ask(second))["word"] == ["one"]
    assert not deck.has_ended(first)
    (tmp_path / "go").touch()
    assert await asked == {"word": ["waited"]}
    assert (await deck.bench.fact(first, Exited)).code == 0
    assert not deck.has_ended(second)


async def test_no_other_signal_goes_to_a_thread(deck: Deck) -> None:
    job = await deck.ready()
    for number in (signal.SIGKILL, signal.SIGUSR1, signal.SIGSTOP):
        deck.bench.threads.signal(job.mark, number)
    assert (await deck.ask(job))["word"] == ["one"]
    assert "kill" in deck.bench.threads.caps.cannot


# -- the whole process


async def test_it_goes_with_its_last_pod_and_the_next_has_new_code(deck: Deck) -> None:
    jobs = [await deck.ready(replica) for replica in range(2)]
    pid = await deck.bench.pid(jobs[0])
    for job in jobs:
        assert (await deck.stopped(job)).code == 0
    assert read(pid) is None
    deck.write("three")
    assert (await deck.ask(await deck.ready()))["word"] == ["three"]


async def test_where_all_are_to_stop_the_next_begins_in_another(deck: Deck, tmp_path: Path) -> None:
    jobs = [await deck.ready(replica) for replica in range(2)]
    hangs = asyncio.create_task(deck.ask(jobs[1], "/hang", timeout=1.0))
    await it_hangs(deck, jobs[1])
    deck.write("three")
    for job in jobs:
        deck.stop(job)
    await deck.bench.fact(jobs[0], Exited)
    again = await deck.ready(0)
    assert (await deck.ask(again))["word"] == ["three"]
    assert await deck.bench.pid(again) != await deck.bench.pid(jobs[0])
    deck.bench.threads.end(jobs[1].mark)
    await deck.bench.fact(jobs[1], Exited)
    assert not deck.has_ended(again)
    await asyncio.gather(hangs, return_exceptions=True)


async def it_hangs(deck: Deck, job: Job) -> None:
    await asyncio.to_thread(eventually, lambda: "hangs" in deck.log(job), "a request that hangs")


async def test_kill_9_ends_all_and_the_first_to_start_makes_another(deck: Deck) -> None:
    jobs = [await deck.ready(replica) for replica in range(2)]
    pid = await deck.bench.pid(jobs[0])
    os.kill(pid, signal.SIGKILL)
    for job in jobs:
        assert (await deck.bench.fact(job, Exited)).code == -signal.SIGKILL
    again = [await deck.ready(replica) for replica in range(2)]
    (other,) = {await deck.bench.pid(job) for job in again}
    assert other != pid


async def test_a_crash_leaves_its_trace_in_a_log(deck: Deck) -> None:
    jobs = [await deck.ready(replica) for replica in range(2)]
    asked = asyncio.create_task(deck.ask(jobs[1], "/crash", timeout=5.0))
    for job in jobs:
        assert (await deck.bench.fact(job, Exited)).code == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in deck.log(jobs[0])
    await asyncio.gather(asked, return_exceptions=True)


async def test_sigterm_from_outside_drains_all(deck: Deck) -> None:
    jobs = [await deck.ready(replica) for replica in range(2)]
    pid = await deck.bench.pid(jobs[0])
    os.kill(pid, signal.SIGTERM)
    for job in jobs:
        assert (await deck.bench.fact(job, Exited)).code == 0
    assert read(pid) is None


async def test_one_that_is_stuck_takes_the_others_along_and_is_named(deck: Deck) -> None:
    first, second = await deck.ready(0), await deck.ready(1)
    asked = asyncio.create_task(deck.ask(second, "/hang", timeout=1.0))
    await it_hangs(deck, second)
    deck.stop(second)
    deck.bench.threads.end(second.mark)
    assert (await deck.bench.fact(second, Exited)) == Exited(second.mark, -signal.SIGKILL)
    other = await deck.bench.fact(first, Exited)
    assert (other.code, other.cause) == (
        -signal.SIGKILL,
        "its process was ended: index/rep-1, a thread of it, did not stop",
    )
    await asyncio.gather(asked, return_exceptions=True)


async def test_those_that_only_load_need_not_be_waited_for(deck: Deck, tmp_path: Path) -> None:
    jobs = [deck.start(replica, uses_with={"wait": str(tmp_path / "never")}) for replica in range(2)]
    for job in jobs:
        await deck.bench.fact(job, Started)
    for job in jobs:
        deck.stop(job)
    for job in jobs:
        assert (await deck.bench.fact(job, Exited)).code == -signal.SIGTERM
    assert [process.pid for process in ours(deck.bench.home)] == [deck.bench.runtime.keeper_pid]


async def test_one_that_loads_while_another_serves_stops_once_it_has(deck: Deck, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first, second = await deck.ready(0), deck.start(1, uses_with={"wait": str(go)})
    await asyncio.to_thread(eventually, lambda: "made index/rep-1" in deck.log(second), "its constructor")
    deck.stop(second)
    assert (await deck.ask(first))["word"] == ["one"]
    assert not deck.has_ended(second)
    go.touch()
    await deck.bench.fact(second, Exited)
    assert not any(isinstance(fact, Bound) for fact in deck.bench.facts[second.mark])


async def test_a_request_that_hangs_beyond_the_grace_is_over_where_nobody_else_is_left(deck: Deck) -> None:
    job = await deck.ready(grace=0.1)
    asked = asyncio.create_task(deck.ask(job, "/hang", timeout=5.0))
    await it_hangs(deck, job)
    assert (await deck.stopped(job)).code == 0
    await asyncio.gather(asked, return_exceptions=True)
