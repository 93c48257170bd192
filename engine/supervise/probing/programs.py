"""Programs that run beside a pod for a moment. The keeper starts them, so that nothing of them can be left."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

from ...plan.job import Job
from ...runtimes.runtime import Broken, Exited, Fact, Refused, Runtime

LAST = 4096
"""Bytes from the end of a program's output in which its last line is looked for."""
LINGER = 5.0
"""Seconds that a killed program and what it left get to be gone."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended."""

    code: int | None
    """None: it did not end in time, or could not be started."""
    last: str = ""
    """The last line of its output that says something, or why it could not be started."""
    late: bool = False


class Programs:
    """All programs of probes that run now, by mark. Output goes to memory files: no file is left."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._ends: dict[str, asyncio.Future[int | None]] = {}
        self._said: dict[str, str] = {}

    def take(self, fact: Fact) -> bool:
        """Take a fact that speaks of one of these; False where it does not."""
        end = self._ends.get(getattr(fact, "id", ""))
        if end is None:
            return False
        match fact:
            case Broken(mark, error):
                self._said[mark] = error
            case Refused(mark, error):
                self._said[mark] = error
                _finish(end, None)
            case Exited(mark, code):
                _finish(end, code)
        return True

    def lost(self, error: str) -> None:
        """What starts them has gone, and they with it."""
        for mark, end in self._ends.items():
            self._said.setdefault(mark, error)
            _finish(end, None)

    async def run(self, job: Job, timeout: float) -> Ending:
        """Run a job's command to its end; after `timeout` seconds it is killed with all that it started."""
        end = self._ends[job.mark] = asyncio.get_running_loop().create_future()
        output = os.memfd_create("quarterdeck-probe", os.MFD_CLOEXEC)
        try:
            self._runtime.start(job, f"/proc/{os.getpid()}/fd/{output}")
            try:
                code = await asyncio.wait_for(asyncio.shield(end), timeout)
            except TimeoutError:
                self._runtime.end(job.mark)
                await asyncio.wait({end}, timeout=LINGER)
                return Ending(None, _last_line(output), late=True)
            said = self._said.get(job.mark, "")
            return Ending(None if said else code, said or _last_line(output))
        finally:
            if not end.done():
                self._runtime.end(job.mark)
            del self._ends[job.mark]
            self._said.pop(job.mark, None)
            os.close(output)


def _finish(end: asyncio.Future[int | None], code: int | None) -> None:
    if not end.done():
        end.set_result(code)


def _last_line(output: int) -> str:
    size = os.fstat(output).st_size
    text = os.pread(output, LAST, max(0, size - LAST)).decode("utf-8", "replace")
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
