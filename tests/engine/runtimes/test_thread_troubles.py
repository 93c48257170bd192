"""What can go wrong around pods that are threads of one process."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.engine.runtimes.bench import Bench
from tests.engine.runtimes.deck import Deck
from tests.fakes.homes import eventually

from quarterdeck.engine.keeper.processes import read
from quarterdeck.engine.runtimes.link import Link
from quarterdeck.engine.runtimes.runtime import Lost, Refused


@pytest.fixture
def deck(bench: Bench, tmp_path: Path) -> Deck:
    return Deck(bench, tmp_path)


async def test_what_a_process_said_before_it_went_is_heard_though_it_read_nothing() -> None:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    heard: list[dict[str, Any] | None] = []
    link = Link(ours, heard.append)
    link.send({"op": "start"})
    its.send(b'{"error": "no folder"}')
    its.close()
    link.drain()
    assert heard == [{"error": "no folder"}, None]
    link.close()


async def test_a_keeper_that_is_killed_takes_them_along(deck: Deck) -> None:
    job = await deck.ready()
    pid, keeper = await deck.bench.pid(job), deck.bench.runtime.keeper_pid
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    await deck.bench.fact(None, Lost)
    eventually(lambda: (process := read(pid)) is None or process.state in "ZX", "the end of the process")
    assert (await deck.bench.fact(deck.start(), Refused)).error == "the keeper is not there"
    await deck.bench.runtime.reap()
    await deck.bench.runtime.open()
    again = await deck.ready()
    assert await deck.bench.pid(again) != pid


async def test_a_log_that_can_not_be_written_refuses_that_pod(deck: Deck, tmp_path: Path) -> None:
    first = await deck.ready(0)
    job = deck.bench.job(None, uses=f"{deck.file}:Voices")
    deck.bench.threads.start(job, str(tmp_path / "no" / "log"))
    assert "no/log: No such file or directory" in (await deck.bench.fact(job, Refused)).error
    assert not deck.has_ended(first)


async def test_descriptors_are_given_back_on_both_sides(deck: Deck) -> None:
    stays = await deck.ready(0)
    pid = await deck.bench.pid(stays)

    async def round_trip() -> tuple[int, int]:
        await deck.stopped(await deck.ready(1))
        return len(os.listdir("/proc/self/fd")), len(os.listdir(f"/proc/{pid}/fd"))

    await round_trip()
    before = await round_trip()
    for _ in range(4):
        after = await round_trip()
    assert after == before


async def test_an_interpreter_of_its_own_has_threads_too(deck: Deck) -> None:
    jobs = [await deck.ready(replica, fresh=True) for replica in range(2)]
    (pid,) = {await deck.bench.pid(job) for job in jobs}
    assert b"-c" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    assert (await deck.ask(jobs[1]))["word"] == ["one"]
