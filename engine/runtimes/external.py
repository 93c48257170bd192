"""The external runtime: pods that somebody else runs. It starts and ends nothing; their readiness is their probe's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from ..plan.job import Job
from .runtime import Bound, Caps, Exited, Fact, Refused

ELSEWHERE = "somebody else runs it"
_CANNOT = (
    "start", "stop", "restart", "kill", "exec", "stats", "gpus", "environment", "log",
    "memory", "cpus", "files", "processes",
)  # fmt: skip


class ExternalRuntime:
    """Reports at once that a pod is where its plan says; when it is to end, that it is none of ours any more.

    It never reports `Started`: there is no process here.
    """

    caps = Caps(dict.fromkeys(_CANNOT, ELSEWHERE), kept=False)

    def __init__(self, report: Callable[[Fact], None]) -> None:
        self._report = report
        self._watched: set[str] = set()

    def start(self, job: Job, log: str, fresh: bool = False) -> None:
        """See `Runtime.start`. The log has one line, that says where the real one is."""
        try:
            with open(log, "ab", opener=_private) as file:
                file.write(f"external: served at {job.host}:{job.port}, its log is there\n".encode())
        except OSError as error:
            self._report(Refused(job.mark, f"log file {log}: {error.strerror}"))
            return
        self._watched.add(job.mark)
        self._soon(Bound(job.mark, job.port))

    def signal(self, pod: str, number: int) -> None:
        """See `Runtime.signal`: whoever is told to end is forgotten."""
        self.end(pod)

    def end(self, pod: str) -> None:
        """See `Runtime.end`."""
        if pod in self._watched:
            self._watched.discard(pod)
            self._soon(Exited(pod, 0))

    def _soon(self, fact: Fact) -> None:
        asyncio.get_running_loop().call_soon(self._report, fact)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
