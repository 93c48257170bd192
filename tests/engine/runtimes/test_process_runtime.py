"""Pods as the keeper's children, with real processes: how they begin, what they print, how they end."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import time
from pathlib import Path

import pytest
from tests.engine.runtimes.bench import Bench
from tests.fakes.homes import eventually, ours

from quarterdeck.engine.home import Home
from quarterdeck.engine.keeper.processes import MARK, environment, marked, read
from quarterdeck.engine.runtimes.runtime import Bound, Broken, Exited, Lost, Refused, Started
from quarterdeck.engine.supervise import health


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode()


def loader(pid: int) -> str:
    """Where the dynamic loader lies in a process's memory: chosen at random by each exec."""
    return next(line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "/ld-" in line)


# -- how they begin


async def test_a_pod_is_forked_by_a_keeper_of_one_thread_and_gets_healthy(bench: Bench) -> None:
    job = bench.start()
    pid, port = await bench.pid(job), (await bench.fact(job, Bound)).port
    keeper = bench.runtime.keeper_pid
    assert keeper is not None
    process = read(pid)
    assert process is not None
    assert process.parent == keeper
    assert threads(keeper) == 1
    assert loader(pid) == loader(keeper)  # no exec: that would have put the loader elsewhere
    assert (await health.check("127.0.0.1", port)).ok
    assert threads(keeper) == 1


async def test_a_forked_pod_shows_its_name_and_its_mark(bench: Bench) -> None:
    job = bench.start()
    await bench.fact(job, Bound)
    pid = await bench.pid(job)
    assert command(pid) == "qd: top/index/rep-0"
    assert Path(f"/proc/{pid}/comm").read_text().strip() == "rep-0"
    assert environment(pid)[MARK] == job.mark
    assert [process.pid for process in marked(MARK, job.mark)] == [pid]


async def test_a_title_longer_than_its_room_is_cut(bench: Bench) -> None:
    job = bench.job()
    long = type(job).load(job.dump().replace(b"index/rep-0", b"i" * 900 + b"/rep-0"))
    bench.runtime.start(long, str(bench.log(long)))
    await bench.fact(long, Bound)
    shown = command(await bench.pid(long))
    assert shown.startswith("qd: top/iiii")
    assert len(shown) < 400


@pytest.mark.parametrize("variable", ["PYTHONHASHSEED", "OMP_NUM_THREADS", "LD_BIND_NOW", "GRPC_VERBOSITY"])
async def test_variables_that_a_fork_can_not_take_need_an_interpreter(bench: Bench, variable: str) -> None:
    value = "7" if variable != "GRPC_VERBOSITY" else "ERROR"
    job = bench.start("World", env={variable: value})
    await bench.fact(job, Bound)
    pid = await bench.pid(job)
    assert loader(pid) != loader(bench.runtime.keeper_pid or 0)
    assert environment(pid)[variable] == value
    assert "qd: top/index/rep-0" in command(pid)
    process = read(pid)
    assert process is not None
    assert process.parent == bench.runtime.keeper_pid


async def test_another_interpreter_is_executed(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    other.chmod(0o755)
    job = bench.start(python=str(other))
    await bench.fact(job, Bound)
    assert environment(await bench.pid(job))[MARK] == job.mark


async def test_an_interpreter_that_is_not_there_is_named(bench: Bench) -> None:
    job = bench.start(python="/nowhere/python")
    broken = await bench.fact(job, Broken)
    assert "/nowhere/python" in broken.error
    assert (await bench.fact(job, Exited)).code == 1


async def test_a_fresh_one_is_not_forked(bench: Bench) -> None:
    job = bench.start("AbortsOnce", fresh=True)
    await bench.fact(job, Bound)
    assert "-c" in command(await bench.pid(job))


async def test_folder_umask_and_variables_are_the_jobs(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    job = bench.start("World", cwd=str(folder), umask=0o027, env={"HUE": "red"}, shard=1, shards=3)
    await bench.fact(job, Bound)
    assert f"cwd={folder} umask=027 hue=red shard=1/3" in bench.log(job).read_text()


async def test_a_port_that_is_named_is_bound(bench: Bench) -> None:
    first = bench.start()
    port = (await bench.fact(first, Bound)).port
    bench.runtime.end(first.mark)
    await bench.fact(first, Exited)
    second = bench.start(port=port)
    assert (await bench.fact(second, Bound)).port == port
    third = bench.start(port=port)
    broken = await bench.fact(third, Broken)
    assert broken.port_taken
    assert str(port) in broken.error


async def test_a_folder_that_is_not_there_is_named(bench: Bench) -> None:
    job = bench.start(cwd="/nowhere/at/all")
    assert (await bench.fact(job, Broken)).error == "No such file or directory: /nowhere/at/all"
    assert (await bench.fact(job, Exited)).code == 1


async def test_a_log_that_can_not_be_written_refuses_the_start(bench: Bench, tmp_path: Path) -> None:
    job = bench.job()
    bench.runtime.start(job, str(tmp_path / "no" / "run-1.log"))
    assert "no/run-1.log: No such file or directory" in (await bench.fact(job, Refused)).error
    assert marked(MARK, job.mark) == []


# -- what they print


async def test_output_goes_to_the_log_as_it_was_written(bench: Bench) -> None:
    job = bench.start("Silent")
    await bench.fact(job, Bound)
    assert bench.log(job).read_bytes() == b"out, no newline; err, no newline"
    assert stat.S_IMODE(bench.log(job).stat().st_mode) == 0o600


async def test_a_log_is_appended_to(bench: Bench) -> None:
    job = bench.job("Exits")
    bench.log(job).write_text("before\n")
    bench.runtime.start(job, str(bench.log(job)))
    await bench.fact(job, Exited)
    assert bench.log(job).read_text() == "before\nlast words\n"


async def test_the_last_words_of_a_crash_are_kept(bench: Bench) -> None:
    job = bench.start("Aborts")
    assert (await bench.fact(job, Exited)).code == -signal.SIGABRT
    text = bench.log(job).read_text()
    assert "about to abort" in text
    assert "Fatal Python error: Aborted" in text
    assert "executors_for_engines.py" in text  # where it was, from faulthandler


async def test_an_error_in_the_constructor_is_told_and_logged(bench: Bench) -> None:
    job = bench.start("Fails")
    broken = await bench.fact(job, Broken)
    assert "no weights at /weights.bin" in broken.error
    assert "executors_for_engines.py" in broken.error
    assert (await bench.fact(job, Exited)).code == 1
    assert "Traceback" in bench.log(job).read_text()


# -- how they end


@pytest.mark.parametrize("code", [0, 1, 3, 255])
async def test_exit_codes(bench: Bench, code: int) -> None:
    job = bench.start("Exits", uses_with={"code": code})
    assert (await bench.fact(job, Exited)).code == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR1])
async def test_signals_that_end_it(bench: Bench, number: signal.Signals) -> None:
    job = bench.start()
    await bench.fact(job, Bound)
    bench.runtime.signal(job.mark, number)
    assert (await bench.fact(job, Exited)).code == -number


async def test_sigterm_ends_it_well(bench: Bench) -> None:
    job = bench.start()
    await bench.fact(job, Bound)
    bench.runtime.signal(job.mark, signal.SIGTERM)
    assert (await bench.fact(job, Exited)).code == 0


async def test_a_signal_to_one_is_for_nobody_else(bench: Bench) -> None:
    first, second = bench.start(), bench.start()
    await asyncio.gather(bench.fact(first, Bound), bench.fact(second, Bound))
    bench.runtime.end(first.mark)
    bench.runtime.signal("no such mark", signal.SIGKILL)
    await bench.fact(first, Exited)
    third = bench.start()
    await bench.fact(third, Bound)  # the keeper takes things in order, so the others had their turn
    assert [fact for fact in bench.facts[second.mark] if isinstance(fact, Exited)] == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_that_it_started_is_left(bench: Bench, number: signal.Signals) -> None:
    job = bench.start("Parent")
    await bench.fact(job, Bound)
    eventually(
        lambda: sorted_commands(job.mark) == ["qd: top/index/rep-0", "sleep 600", "sleep 601"], "children"
    )
    bench.runtime.signal(job.mark, number)
    await bench.fact(job, Exited)
    assert marked(MARK, job.mark) == []


def sorted_commands(mark: str) -> list[str]:
    return sorted(command(process.pid) for process in marked(MARK, mark))


async def test_what_one_left_is_ended_and_what_another_runs_is_not(bench: Bench) -> None:
    first, second = bench.start("Parent"), bench.start("Parent")
    for job in (first, second):
        await bench.fact(job, Bound)
        eventually(lambda job=job: len(marked(MARK, job.mark)) == 3, "children")  # type: ignore[misc]
    bench.runtime.end(first.mark)
    await bench.fact(first, Exited)
    assert marked(MARK, first.mark) == []
    assert len(marked(MARK, second.mark)) == 3


async def test_closing_ends_everything(home: Home, tmp_path: Path) -> None:
    bench = Bench(home, tmp_path)
    await bench.runtime.open()
    jobs = [bench.start("Parent"), bench.start("Stubborn"), bench.start("NeverReady")]
    for job in jobs:
        await bench.fact(job, Started)
    await bench.fact(jobs[0], Bound)
    await bench.runtime.close()
    assert ours(home) == []
    assert list(home.folder.glob("*.sock")) == []


async def test_a_keeper_that_is_killed_takes_its_pods_along_and_is_reported(bench: Bench) -> None:
    job = bench.start()
    await bench.fact(job, Bound)
    pid, keeper = await bench.pid(job), bench.runtime.keeper_pid
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    await bench.fact(None, Lost)
    eventually(lambda: (process := read(pid)) is None or process.state in "ZX", "the end of the pod")
    await bench.runtime.reap()
    refused = bench.start()
    assert (await bench.fact(refused, Refused)).error == "the keeper is not there"
    await bench.runtime.open()
    again = bench.start()
    await bench.fact(again, Bound)


async def test_a_thousand_starts_at_once_block_nobody(bench: Bench) -> None:
    """More packets than the sockets' buffers hold, in both directions."""
    jobs = [bench.start(None, cwd="/nowhere") for _ in range(1000)]
    begin = time.monotonic()
    for job in jobs:
        await bench.fact(job, Exited)
    assert time.monotonic() - begin < 60


async def test_descriptors_are_given_back(bench: Bench) -> None:
    async def round_trip() -> None:
        job = bench.start("Exits")
        await bench.fact(job, Exited)

    await round_trip()
    keeper = bench.runtime.keeper_pid
    before = len(os.listdir("/proc/self/fd")), len(os.listdir(f"/proc/{keeper}/fd"))
    for _ in range(5):
        await round_trip()
    assert (len(os.listdir("/proc/self/fd")), len(os.listdir(f"/proc/{keeper}/fd"))) == before
