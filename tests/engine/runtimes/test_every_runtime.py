"""What every runtime does alike: pods begin, listen, write their log, end, and leave nothing."""

from __future__ import annotations

import signal
import socket
import time

import pytest
from tests.engine.runtimes.bench import Bench
from tests.engine.runtimes.kinds import KINDS, Life
from tests.fakes.homes import eventually

from quarterdeck.engine.keeper.processes import MARK, marked, read
from quarterdeck.engine.runtimes.runtime import Bound, Broken, Exited, Started


@pytest.fixture(params=KINDS)
def life(request: pytest.FixtureRequest, bench: Bench) -> Life:
    """A runtime, with the pods that it can run."""
    return KINDS[request.param](bench)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_a_pod_starts_and_takes_connections(bench: Bench, life: Life) -> None:
    job = life.serve()
    assert (await bench.fact(job, Started)).pid > 0
    port = (await bench.fact(job, Bound)).port
    eventually(lambda: listens(port), "a server on the port that was reported")


async def test_what_it_prints_is_in_its_log(bench: Bench, life: Life) -> None:
    job = life.serve()
    await bench.fact(job, Bound)
    eventually(lambda: any(word in bench.log(job).read_text() for word in ("hello", "serving")), "its line")


@pytest.mark.parametrize("code", [0, 3, 255])
async def test_a_pod_that_gives_up_tells_its_code(bench: Bench, life: Life, code: int) -> None:
    job = life.exit(code)
    assert (await bench.fact(job, Exited)).code == code
    assert "last words" in bench.log(job).read_text()


async def test_a_crash_tells_its_signal(bench: Bench, life: Life) -> None:
    job = life.abort()
    assert (await bench.fact(job, Exited)).code == -signal.SIGABRT
    assert "about to abort" in bench.log(job).read_text()


async def test_a_signal_reaches_it(bench: Bench, life: Life) -> None:
    job = life.serve()
    port = (await bench.fact(job, Bound)).port
    eventually(lambda: listens(port), "its server")
    life.runtime.signal(job.mark, signal.SIGTERM)
    assert (await bench.fact(job, Exited)).code in (0, -signal.SIGTERM)
    assert not listens(port)


async def test_ending_a_pod_ends_all_that_it_started(bench: Bench, life: Life) -> None:
    job = life.parent()
    await bench.fact(job, Bound)
    eventually(lambda: len(marked(MARK, job.mark)) >= 3, "a child and a daemon")
    life.runtime.end(job.mark)
    await bench.fact(job, Exited)
    assert marked(MARK, job.mark) == []


async def test_a_pod_that_ends_by_itself_leaves_nothing(bench: Bench, life: Life) -> None:
    job = life.parent()
    await bench.fact(job, Bound)
    eventually(lambda: len(marked(MARK, job.mark)) >= 3, "a child and a daemon")
    life.runtime.signal(job.mark, signal.SIGTERM)
    await bench.fact(job, Exited)
    assert marked(MARK, job.mark) == []


async def test_a_stuck_pod_is_ended_at_once(bench: Bench, life: Life) -> None:
    job = life.stuck()
    pid = await bench.pid(job)
    await bench.fact(job, Bound)
    eventually(lambda: bench.log(job).stat().st_size > 0, "its first line")
    life.runtime.signal(job.mark, signal.SIGTERM)
    began = time.monotonic()
    life.runtime.end(job.mark)
    assert (await bench.fact(job, Exited)).code == -signal.SIGKILL
    assert time.monotonic() - began < 10.0
    assert read(pid) is None
    assert marked(MARK, job.mark) == []


async def test_it_comes_back_on_its_port(bench: Bench, life: Life) -> None:
    first = life.serve()
    port = (await bench.fact(first, Bound)).port
    eventually(lambda: listens(port), "its server")
    with socket.create_connection(("127.0.0.1", port)):  # what it closes lingers in TIME_WAIT
        life.runtime.end(first.mark)
        await bench.fact(first, Exited)
    second = life.serve(port)
    assert (await bench.fact(second, Bound)).port == port
    eventually(lambda: listens(port), "its server on the same port")


async def test_what_can_not_start_is_named(bench: Bench, life: Life) -> None:
    job, name = life.unstartable()
    error = (await bench.fact(job, Broken)).error
    assert name in error
    assert "\n" not in error
    assert (await bench.fact(job, Exited)).code != 0
    assert marked(MARK, job.mark) == []


async def test_what_it_can_not_do_is_data_with_a_reason(life: Life) -> None:
    known = {"start", "stop", "restart", "kill", "memory", "cpus", "files", "processes"}
    known |= {"gpus", "environment", "exec", "stats", "log"}
    cannot = life.runtime.caps.cannot
    assert set(cannot) <= known
    assert all(reason and reason == reason.strip() and "\n" not in reason for reason in cannot.values())


async def test_signals_for_nobody_do_nothing(bench: Bench, life: Life) -> None:
    life.runtime.signal("no such pod", signal.SIGKILL)
    life.runtime.end("no such pod")
    job = life.serve()
    await bench.fact(job, Bound)
