"""The thread runtime: a deployment's pods are threads of one process. Owns these processes and what is told to them.

A process is there while one of its pods is, so that whoever starts when all have ended finds the code as it is then.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from ..keeper.processes import MARK
from ..plan.job import THREADS, Job
from .link import Link, Message
from .process import ProcessRuntime, in_memory
from .runtime import Bound, Broken, Caps, Exited, Fact, Refused, Started

SHARED = "threads of one process share it"
_CANNOT = {
    "kill": "threads of one process can't be killed alone",
    "stats": "threads of one process can't be told apart: what is shown is the whole process",
    **dict.fromkeys(("gpus", "environment", "memory", "cpus", "files", "processes"), SHARED),
}


@dataclass(slots=True, eq=False)
class _Host:
    """One process. Its mark is that of its first pod. Pods that all are to stop leave no room for another."""

    mark: str
    world: tuple[object, ...]
    """What its pods share."""
    keeper: int | None
    """Pid of the keeper that started it."""
    link: Link
    pods: dict[str, str] = field(default_factory=dict)
    """Name by mark of those that have not ended."""
    told: set[str] = field(default_factory=set)
    """Those that are to stop."""
    ended: dict[str, int] = field(default_factory=dict)
    """Codes of pods whose end is reported with the end of the process."""
    stuck: str = ""
    """The pod for which the process is ended."""


class ThreadRuntime:
    """Starts processes through a process runtime, and pods in them."""

    caps = Caps(_CANNOT)

    def __init__(self, processes: ProcessRuntime, report: Callable[[Fact], None]) -> None:
        self._processes = processes
        self._report = report
        self._open: dict[tuple[str, str], _Host] = {}
        """By topology and deployment, the process that takes new pods."""
        self._hosts: dict[str, _Host] = {}
        """By pod."""

    def start(self, job: Job, log: str, fresh: bool = False) -> None:
        """See `Runtime.start`. `fresh` is for the process; one that runs already is as it is."""
        try:
            descriptors = _descriptors(job, log)
        except OSError as error:
            self._report(Refused(job.mark, f"{error.filename or job.name}: {error.strerror}"))
            return
        self._forget_lost()
        host = self._open.get((job.topology, job.deployment))
        if host is not None and not host.stuck and host.told != set(host.pods) and host.world == _world(job):
            host.pods[job.mark] = job.name
            self._hosts[job.mark] = host
        else:
            host = self._begin(job, log, fresh)
        if host is not None and job.mark in self._hosts:
            host.link.send({"op": "start", "id": job.mark}, descriptors)
        else:
            _close(descriptors)

    def _forget_lost(self) -> None:
        """Processes of a keeper that is gone went with it, and nobody tells us."""
        for host in {host.mark: host for host in self._hosts.values()}.values():
            if host.keeper != self._processes.keeper_pid:
                self._retire(host)
                host.link.close()
                for pod in list(host.pods):
                    self._drop(host, pod)

    def _begin(self, job: Job, log: str, fresh: bool) -> _Host | None:
        try:
            ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:
            self._report(Refused(job.mark, f"a socket for {job.name}: {error.strerror}"))
            return None
        link = Link(ours, lambda message: self._hear(host, message))
        host = _Host(job.mark, _world(job), self._processes.keeper_pid, link)
        host.pods[job.mark] = job.name
        self._open[job.topology, job.deployment] = self._hosts[job.mark] = host
        shell = replace(
            job,
            name=job.deployment or job.name,
            role=THREADS,
            uses=None,
            uses_with={},
            env=job.env | {MARK: job.mark},
        )
        with its:
            self._processes.start(shell, log, fresh, hear=partial(self._heard, host), talk=its.fileno())
        return host

    def signal(self, pod: str, number: int) -> None:
        """See `Runtime.signal`. SIGTERM stops the pod's thread; no other goes to a thread alone."""
        host = self._hosts.get(pod)
        if host is not None and number == signal.SIGTERM:
            host.told.add(pod)
            host.link.send({"op": "stop", "id": pod})

    def end(self, pod: str) -> None:
        """See `Runtime.end`. No thread can be ended from outside: its process is, and the others with it."""
        host = self._hosts.get(pod)
        if host is not None:
            host.stuck = host.stuck or pod
            self._processes.end(host.mark)

    # -- what the process says

    def _hear(self, host: _Host, message: Message | None) -> None:
        """Take a word of the process itself."""
        if message is None:
            self._retire(host)
            host.link.close()
            return
        pod = str(message.get("id", ""))
        match message.get("event"):
            case "started":
                self._report(Started(pod, message["pid"]))
            case "bound":
                self._report(Bound(pod, message["port"]))
            case "broken":
                self._report(Broken(pod, message["error"], bool(message.get("port_taken"))))
            case "exited" if pod in host.pods:
                self._over(host, pod, message["code"])
            case None if "error" in message:  # it did not get as far as to have pods
                for mark in host.pods:
                    self._report(Broken(mark, message["error"]))

    def _over(self, host: _Host, pod: str, code: int) -> None:
        """A thread has ended; the last one takes the process along."""
        if len(host.pods) > 1:
            self._drop(host, pod)
            self._report(Exited(pod, code))
            return
        host.ended[pod] = code
        self._retire(host)
        host.link.send({"op": "close"})

    def _heard(self, host: _Host, fact: Fact) -> None:
        """Take what the keeper says of the process."""
        if not isinstance(fact, Exited | Refused):
            return
        host.link.drain()
        self._retire(host)
        host.link.close()
        # Whoever is the reason goes first: it is the one that others' ends are to be told with.
        name = host.pods.get(host.stuck, "")
        for pod in sorted(host.pods, key=lambda mark: mark != host.stuck):
            del self._hosts[pod]
            if isinstance(fact, Refused):
                self._report(Refused(pod, fact.error))
            elif pod in host.ended:
                self._report(Exited(pod, host.ended[pod]))
            elif host.stuck not in ("", pod):
                self._report(
                    Exited(pod, fact.code, f"its process was ended: {name}, a thread of it, did not stop")
                )
            else:
                self._report(Exited(pod, fact.code, fact.cause))

    def _retire(self, host: _Host) -> None:
        """Let no more pods begin there."""
        for key in [key for key, known in self._open.items() if known is host]:
            del self._open[key]

    def _drop(self, host: _Host, pod: str) -> None:
        del host.pods[pod], self._hosts[pod]
        host.told.discard(pod)


def _world(job: Job) -> tuple[object, ...]:
    """What is a process's: a pod that is to find another can't begin there."""
    env = {name: value for name, value in job.env.items() if name != MARK}
    return env, job.cwd, job.umask, job.python, job.py_modules


def _descriptors(job: Job, log: str) -> tuple[int, int]:
    """The job, and the log to be written."""
    log_fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        return in_memory(job), log_fd
    except OSError:
        os.close(log_fd)
        raise


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
