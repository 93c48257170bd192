"""A process whose pods are its threads: starts, stops and reports them as it is told over one socket.

Each pod has its own executor, event loop, server, port and log. They share all that a process has: environment,
folder, imported code. A thread can't be ended from outside: what does not stop is ended with the process.

| is told | with | means |
| --- | --- | --- |
| `start` | id; descriptors: job, log | start a pod |
| `stop` | id | take no more, end what runs, and end |
| `close` | | end the process: no pod is left |

It says `started` (id, pid), `bound` (id, port), `broken` (id, error[, port_taken]) and `exited` (id, code).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import signal
import socket
import threading
from typing import Any, TextIO

from ..plan.job import Job
from .failure import to_log
from .load import extend_path, find
from .output import Logs
from .process import exit_now, prepare
from .serve import CantServe, Servant, at_fault, make, serve
from .worker import Worker

PACKET = 65_536


def host(job: Job, talk_fd: int) -> int:
    """Run pods until told to close, or until the engine is gone and all have ended."""
    talk = socket.socket(fileno=talk_fd)
    talk.set_inheritable(False)
    logs = Logs(f"[{job.deployment or job.topology}] ")
    prepare()
    threads = Threads(talk, logs)
    signal.signal(signal.SIGTERM, lambda *_: threads.terminate())
    threads.obey()
    exit_now(0)


class Threads:
    """All pods of this process."""

    def __init__(self, talk: socket.socket, logs: Logs) -> None:
        self._talk = talk
        self._logs = logs
        self._pods: dict[str, ThreadPod] = {}
        self._lock = threading.RLock()
        """Taken by the signal handler too, which may interrupt who has it."""
        self._importing = threading.Lock()
        self._terminated = False

    def obey(self) -> None:
        """Do what the socket says; returns when the process is to end."""
        while True:
            try:
                data, descriptors, _flags, _address = socket.recv_fds(self._talk, PACKET, 2)
            except OSError:
                data, descriptors = b"", []
            if not data:
                break
            message = json.loads(data)
            pod = str(message.get("id", ""))
            match message["op"]:
                case "start":
                    self._begin(pod, descriptors)
                case "stop":
                    self._stop([pod])
                case "close":
                    return
        # Nobody tells us any more: the pods serve on, until somebody ends the process or its keeper.
        for left in list(self._pods.values()):
            left.join()

    def _begin(self, mark: str, descriptors: list[int]) -> None:
        """Start a pod. One that can't be started ends alone: the others are nobody's business here."""
        try:
            if len(descriptors) < 2:  # the kernel drops what finds no room
                for descriptor in descriptors:
                    os.close(descriptor)
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            self._start(mark, *descriptors)
        except Exception as error:
            self.say({"event": "broken", "id": mark, "error": f"a thread can't be started: {error}"})
            if mark in self._pods:
                self.over(mark, 1)
            else:
                self.say({"event": "exited", "id": mark, "code": 1})

    def _start(self, mark: str, job_fd: int, log_fd: int) -> None:
        with open(job_fd, "rb") as file:
            text = file.read()
        try:
            job = Job.load(text)
        except Exception:
            os.close(log_fd)
            raise
        with self._lock:
            pod = self._pods[mark] = ThreadPod(job, self._logs.open(log_fd), self)
            self._lend()
            self.say({"event": "started", "id": mark, "pid": os.getpid()})
            pod.start()

    def terminate(self) -> None:
        """SIGTERM of somebody else's: the first drains all, the second ends."""
        if self._terminated:
            exit_now(128 + signal.SIGTERM)
        self._terminated = True
        self._stop(list(self._pods))

    def _stop(self, marks: list[str]) -> None:
        with self._lock:
            for mark in marks:
                if mark in self._pods:
                    self._pods[mark].stop()
            self.look()

    def _lend(self) -> None:
        first = next(iter(self._pods.values()), None)
        if first is not None:
            self._logs.lend(first.log)

    # -- for the pods

    def say(self, message: dict[str, Any]) -> None:
        """Tell the engine; when it is gone nobody needs to know."""
        with contextlib.suppress(OSError):
            self._talk.send(json.dumps(message).encode(), socket.MSG_NOSIGNAL)

    def enter(self, log: TextIO) -> None:
        """Have this thread's text go to a pod's log."""
        self._logs.enter(log)

    def imported(self, job: Job) -> None:
        """Import the user's code, once for all pods; raises `CantServe`."""
        with self._importing:
            try:
                extend_path(job)
                if job.uses is not None:
                    find(job.uses)
            except BaseException as error:
                raise at_fault(job, error) from None

    def over(self, mark: str, code: int) -> None:
        """A pod's thread is at its end."""
        with self._lock:
            pod = self._pods.pop(mark, None)
            if pod is None:
                return
            self._lend()
            with contextlib.suppress(OSError):
                pod.log.close()
            self.say({"event": "exited", "id": mark, "code": code})
            self.look()

    def look(self) -> None:
        """Where all that is left was told to stop and can't, or need not, be waited for, it is over."""
        with self._lock:
            if self._pods and all(pod.is_idle for pod in self._pods.values()):
                for mark, pod in list(self._pods.items()):
                    self.over(mark, pod.code)


class ThreadPod:
    """One pod: a thread with its executor, loop and server."""

    def __init__(self, job: Job, log: TextIO, threads: Threads) -> None:
        self.log = log
        self.code = -signal.SIGTERM
        """How it ended, if it ended now: as a process does that gets SIGTERM before it handles that."""
        self._job = job
        self._threads = threads
        self._loads, self._drained, self._stopping = True, False, False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name=job.name, daemon=True)
        self.start, self.join = self._thread.start, self._thread.join

    @property
    def is_idle(self) -> bool:
        """Whether it was told to stop and serves nobody: it has not begun to, or only its executor's code hangs."""
        return self._stopping and (self._loads or self._drained)

    def stop(self) -> None:
        """Take no more requests, end those in flight, and end; from any thread."""
        self._stopping = True
        if self._loop is not None and self._stopped is not None:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                self._loop.call_soon_threadsafe(self._stopped.set)

    def _run(self) -> None:
        self._threads.enter(self.log)
        code = 1
        try:
            code = self._live()
        except CantServe as error:
            if error.cause is not None:
                to_log(error.cause)
            self._say("broken", **error.said)
        except BaseException as error:
            to_log(error)
        finally:
            self._threads.over(self._job.mark, code)

    def _say(self, event: str, **more: object) -> None:
        self._threads.say({"event": event, "id": self._job.mark, **more})

    def _live(self) -> int:
        self._threads.imported(self._job)
        servant = make(self._job)
        asyncio.run(self._serve(servant))
        if self._drained and isinstance(servant, Worker):
            servant.join()
        return self.code

    async def _serve(self, servant: Servant) -> None:
        loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(_without_noise)
        self._loop = loop
        if self._stopping:
            await servant.close()
            return
        self._loads = False
        if self._stopping:  # since we looked; whoever told us may have missed the loop
            self._stopped.set()
        await serve(self._job, servant, lambda port: self._say("bound", port=port), self._stopped)
        self.code, self._drained = 0, True
        self._threads.look()


def _without_noise(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """gRPC wakes the loops of all threads for an event of one; older releases complain in those that come late."""
    if not isinstance(context.get("exception"), BlockingIOError):
        loop.default_exception_handler(context)
