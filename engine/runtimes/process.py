"""The process runtime: pods are the keeper's children. Owns the link to the keeper and the pods' ready pipes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable

from ..errors import QuarterdeckError
from ..home import Home
from ..keeper.cgroups import find_places
from ..keeper.limits import cannot
from ..keeper.start import start_keeper
from ..plan.job import Job
from .link import Link, Message
from .runtime import Bound, Broken, Caps, Exited, Fact, Lost, Refused, Started

CONNECT_TIMEOUT = 20.0


class ProcessRuntime:
    """Starts pods through a keeper that it starts itself, and again when that one dies."""

    def __init__(
        self,
        home: Home,
        report: Callable[[Fact], None],
        log_fd: int | None = None,
        keeper: subprocess.Popen[bytes] | None = None,
    ) -> None:
        """`keeper` is one that was started already, for `open` to take first."""
        self._home = home
        self._given = keeper
        self._report = report
        self._log_fd = log_fd
        self._keeper: subprocess.Popen[bytes] | None = None
        self._link: Link | None = None
        self._pipes: dict[str, int] = {}
        self._told: dict[str, int] = {}
        """By pod that is a program and not running yet, the port that it was told."""
        self._memory: dict[str, int] = {}
        """By pod, its limit, bytes."""
        self._listeners: dict[str, Callable[[Fact], None]] = {}
        """By pod, who hears its facts instead of `report`."""
        self.keeper_pid: int | None = None
        self.caps = Caps(cannot(find_places()))

    # -- the keeper

    async def open(self) -> None:
        """Start the keeper and connect to it. Raises QuarterdeckError when it does not come up."""
        given, self._given = self._given, None
        self._keeper = given or start_keeper(self._home, self._log_fd)
        self._link = Link(await self._connect(), self._hear)
        self.keeper_pid = self._keeper.pid

    async def _connect(self) -> socket.socket:
        """The keeper binds its socket within milliseconds of starting; there is nothing to be told by."""
        assert self._keeper is not None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CONNECT_TIMEOUT
        while True:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                link.connect(str(self._home.keeper_socket))
                return link
            except OSError:
                link.close()
            if self._keeper.poll() is not None or loop.time() > deadline:
                raise QuarterdeckError(
                    "the keeper did not start", f"what it said is in {self._home.engine_log}"
                )
            await asyncio.sleep(0.005)

    def _hear(self, message: Message | None) -> None:
        if message is None:
            self._keeper_gone()
            return
        pod = message.get("id", "")
        match message["event"]:
            case "started":
                self._say_of(Started(pod, message["pid"]))
            case "refused":
                self._close_pipe(pod)
                self._say_of(Refused(pod, message["error"]))
            case "exited":
                self._drain_pipe(pod)
                code = os.waitstatus_to_exitcode(message["status"])
                self._say_of(Exited(pod, code, self._why(pod, code, message["memory_kills"])))

    def _say_of(self, fact: Started | Bound | Broken | Refused | Exited) -> None:
        hear = self._listeners.get(fact.id, self._report)
        if isinstance(fact, Exited | Refused):
            self._listeners.pop(fact.id, None)
            self._memory.pop(fact.id, None)
        hear(fact)

    def _why(self, pod: str, code: int, memory_kills: int) -> str:
        if not memory_kills or code == 0:
            return ""
        limit = size_words(self._memory.get(pod, 0))
        if code == -signal.SIGKILL:
            return f"killed by the kernel: out of memory (limit {limit})"
        return f"the kernel killed what it had started: out of memory (limit {limit})"

    def _keeper_gone(self) -> None:
        self._disconnect()
        self._report(Lost("the keeper ended"))

    def _disconnect(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        for pod in list(self._pipes):
            self._close_pipe(pod)
        self._listeners.clear()
        self._memory.clear()
        self.keeper_pid = None

    async def close(self) -> None:
        """Tell the keeper to end everything and go, and wait until it has gone."""
        keeper, self._keeper = self._keeper, None
        self._say({"op": "close"})
        self._disconnect()
        if keeper is not None:
            await asyncio.to_thread(keeper.wait)

    async def reap(self) -> None:
        """Wait for a keeper that is gone, so that it leaves no zombie."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            await asyncio.to_thread(keeper.wait)

    # -- pods

    def start(
        self,
        job: Job,
        log: str,
        fresh: bool = False,
        held: int | None = None,
        hear: Callable[[Fact], None] | None = None,
        talk: int | None = None,
    ) -> None:
        """See `Runtime.start`. `held` is a socket that stays open until the pod's program has begun.

        `hear` takes the pod's facts instead of the runtime's own `report`. `talk` is a socket that the pod gets in
        place of its ready pipe: what it says there is the caller's to hear.
        """
        if hear is not None:
            self._listeners[job.mark] = hear
        if self._link is None:
            self._say_of(Refused(job.mark, "the keeper is not there"))
            return
        try:
            log_fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._say_of(Refused(job.mark, f"log file {log}: {error.strerror}"))
            return
        kept: tuple[int, ...] = ()
        try:
            kept = () if held is None else (os.dup(held),)
            job_fd, ready_read, ready_write = _descriptors(job, talk)
        except OSError as error:
            for descriptor in (log_fd, *kept):
                os.close(descriptor)
            self._say_of(Refused(job.mark, f"descriptors for {job.name}: {error.strerror}"))
            return
        message = {"op": "start", "id": job.mark, "fresh": fresh, "limits": _limits(job)}
        self._link.send(message, (job_fd, log_fd, ready_write, *kept))
        if job.memory is not None:
            self._memory[job.mark] = job.memory
        if ready_read < 0:
            return
        self._pipes[job.mark] = ready_read
        if job.command:
            self._told[job.mark] = job.port
        asyncio.get_running_loop().add_reader(ready_read, self._drain_pipe, job.mark)

    def _drain_pipe(self, pod: str) -> None:
        """Read what the pod says of itself: one line, a port or an error."""
        descriptor = self._pipes.get(pod)
        if descriptor is None:
            return
        try:
            data = os.read(descriptor, 65_536)
        except BlockingIOError:
            return
        port = self._told.get(pod)
        self._close_pipe(pod)
        if port is not None and not data:
            # The program has begun: until then the pipe is open in what becomes it.
            self._say_of(Bound(pod, port))
        for line in data.splitlines():
            said = json.loads(line)
            if "port" in said:
                self._say_of(Bound(pod, said["port"]))
            elif "error" in said:
                self._say_of(Broken(pod, said["error"], bool(said.get("port_taken"))))

    def _close_pipe(self, pod: str) -> None:
        self._told.pop(pod, None)
        descriptor = self._pipes.pop(pod, None)
        if descriptor is not None:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)

    def _say(self, message: dict[str, object]) -> None:
        if self._link is not None:
            self._link.send(message)

    def signal(self, pod: str, number: int) -> None:
        """See `Runtime.signal`."""
        self._say({"op": "signal", "id": pod, "signal": number})

    def end(self, pod: str) -> None:
        """See `Runtime.end`."""
        self._say({"op": "end", "id": pod})


def size_words(size: int) -> str:
    """`256 MiB`, `500 MB`, or bytes where neither is whole."""
    for unit, name in ((1 << 20, "MiB"), (1_000_000, "MB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} bytes"


def _limits(job: Job) -> dict[str, float]:
    every = {"memory": job.memory, "cpus": job.cpus, "files": job.files, "processes": job.processes}
    return {name: value for name, value in every.items() if value is not None}


def in_memory(job: Job) -> int:
    """The job in a memory file."""
    job_fd = os.memfd_create("quarterdeck-job", os.MFD_CLOEXEC)
    try:
        with open(job_fd, "wb", closefd=False) as file:
            file.write(job.dump())
        os.lseek(job_fd, 0, os.SEEK_SET)
    except OSError:
        os.close(job_fd)
        raise
    return job_fd


def _descriptors(job: Job, talk: int | None) -> tuple[int, int, int]:
    """The job, and both ends of the ready pipe; the pod gets the first and the last. Of `talk` there is one, and -1."""
    job_fd = in_memory(job)
    try:
        if talk is not None:
            return job_fd, -1, os.dup(talk)
        ready_read, ready_write = os.pipe2(os.O_CLOEXEC)
    except OSError:
        os.close(job_fd)
        raise
    os.set_blocking(ready_read, False)
    return job_fd, ready_read, ready_write
