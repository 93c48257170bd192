"""What threads print goes to the log of the pod that they belong to, and the rest to the process's own."""

from __future__ import annotations

import asyncio
import contextvars
import io
import json
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import pytest

from quarterdeck.engine.pods.output import Logs, Output
from quarterdeck.engine.pods.threads import Threads


class Desk:
    """An `Output` over a file, and pods' logs beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: contextvars.ContextVar[TextIO | None] = contextvars.ContextVar("log", default=None)
        self.own = self.open("own")
        self.output = Output(self.own, "[a] ", self.log)

    def open(self, name: str) -> TextIO:
        return open(self.folder / name, "w", buffering=1)

    def say(self, text: str, end: str = "\n") -> None:
        print(text, end=end, file=self.output)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with desk.own:
        yield desk


def test_a_thread_and_its_tasks_and_callers_print_to_its_pods_log(desk: Desk) -> None:
    def pod(name: str) -> None:
        async def main() -> None:
            desk.say("main")
            await asyncio.create_task(task())
            await asyncio.to_thread(desk.say, "to_thread")
            call = contextvars.copy_context().run
            with ThreadPoolExecutor(1) as threads:
                await asyncio.get_running_loop().run_in_executor(threads, call, desk.say, "executor")

        async def task() -> None:
            desk.say("task")

        with desk.open(name) as log:
            desk.log.set(log)
            asyncio.run(main())

    threads = [threading.Thread(target=pod, args=[name]) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.read("one") == desk.read("two") == "main\ntask\nto_thread\nexecutor\n"
    assert desk.read("own") == ""


def test_each_line_of_nobodys_is_tagged_once(desk: Desk) -> None:
    desk.say("one\ntwo")
    desk.output.write("thr")
    desk.output.write("ee\n\n")
    desk.say("four", end="")
    desk.say("!")
    desk.own.flush()
    assert desk.read("own") == "[a] one\n[a] two\n[a] three\n[a] \n[a] four!\n"


def test_what_comes_after_a_pods_end_is_nobodys(desk: Desk) -> None:
    with desk.open("one") as log:
        desk.log.set(log)
        desk.say("before")
    desk.say("after")
    assert (desk.read("one"), desk.read("own")) == ("before\n", "[a] after\n")


def test_it_passes_for_a_stream(desk: Desk) -> None:
    with desk.open("one") as log:
        desk.log.set(log)
        desk.output.buffer.write(b"bytes\n")
        desk.output.flush()
        assert desk.output.fileno() == log.fileno()
        assert (desk.output.isatty(), desk.output.writable(), desk.output.closed) == (False, True, False)
        assert (desk.output.encoding, desk.output.errors) == (log.encoding, log.errors)
        assert isinstance(desk.output, io.TextIOBase)
        os.write(desk.output.fileno(), b"raw\n")
    assert desk.read("one") == "bytes\nraw\n"


class NoLogs(Logs):
    """Logs that leave this process's own output alone."""

    def __init__(self) -> None:
        pass

    def lend(self, log: TextIO) -> None:
        pass


@pytest.mark.parametrize(
    ("handed", "says"),
    [
        (0, "a thread can't be started: [Errno 24] Too many open files"),
        (1, "a thread can't be started: [Errno 24] Too many open files"),
        (2, "a thread can't be started: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_one_that_can_not_be_started_ends_alone(tmp_path: Path, handed: int, says: str) -> None:
    """Descriptors that found no room in a process at its limit, and a job that is none."""
    (tmp_path / "job").write_text("no job")
    descriptors = [os.open(tmp_path / "job", os.O_RDWR) for _ in range(handed)]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        socket.send_fds(ours, [b'{"op": "start", "id": "a"}'], descriptors)
        ours.send(b'{"op": "close"}')
        before = len(os.listdir("/proc/self/fd"))
        Threads(theirs, NoLogs()).obey()
        assert len(os.listdir("/proc/self/fd")) == before
        told = [json.loads(ours.recv(4096)) for _ in range(2)]
    for descriptor in descriptors:
        os.close(descriptor)
    assert told == [
        {"event": "broken", "id": "a", "error": says},
        {"event": "exited", "id": "a", "code": 1},
    ]
