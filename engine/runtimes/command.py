"""The command runtime: any program that serves on the port it is told. Owns the ports that programs are told."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from ..errors import PortTaken
from ..plan.job import Job
from .ports import hold, hold_free, holder, is_free
from .process import ProcessRuntime
from .runtime import Broken, Exited, Fact, Refused


class CommandRuntime:
    """Starts programs through the keeper of a process runtime.

    A port is held from `hold` to the program's exec: a program that doesn't set SO_REUSEADDR could not bind it
    otherwise. `Bound` is reported once the program is there; whether it serves is for its probe to find out.
    """

    def __init__(self, processes: ProcessRuntime, report: Callable[[Fact], None]) -> None:
        self._processes = processes
        self._report = report
        self._held: dict[str, socket.socket] = {}
        self._told: dict[str, tuple[str, int]] = {}
        """By pod, the address that its program was told."""
        self.caps = processes.caps

    def hold(self, pod: str, host: str, port: int, ours: bool) -> int:
        """Hold a port for a pod that is about to start, and give its number.

        0 is any free one; so is a port that we chose before (`ours`) and that a stranger has taken meanwhile.
        Raises `PortTaken`, which names the holder.
        """
        held = None
        if port:
            with contextlib.suppress(*([PortTaken] if ours else [])):
                held = hold(host, port)
        if held is None:
            held = hold_free(host, {told for _, told in self._told.values()})
        number: int = held.getsockname()[1]
        self._held[pod] = held
        self._told[pod] = host, number
        return number

    def start(self, job: Job, log: str, fresh: bool = False) -> None:
        """See `Runtime.start`; the job's port is the one that `hold` gave."""
        held = self._held.pop(job.mark, None)
        try:
            self._processes.start(job, log, fresh, held.fileno() if held is not None else None, self._heard)
        finally:
            if held is not None:
                held.close()

    def signal(self, pod: str, number: int) -> None:
        """See `Runtime.signal`."""
        self._processes.signal(pod, number)

    def end(self, pod: str) -> None:
        """See `Runtime.end`."""
        self._processes.end(pod)

    def _heard(self, fact: Fact) -> None:
        if isinstance(fact, Exited | Refused):
            host, port = self._told.pop(fact.id, ("", 0))
            # Nothing of the pod is left, so whoever listens there now came between us and the program.
            if isinstance(fact, Exited) and fact.code > 0 and port and not is_free(host, port):
                self._report(Broken(fact.id, f"port {port} is taken by {holder(port)}", port_taken=True))
        self._report(fact)
