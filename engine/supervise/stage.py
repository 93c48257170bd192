"""`Stage`: what the one who changes topologies may do with the supervisor's pods, and no more."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from ..errors import StartError
from ..home import Home
from ..model import Level, PodKey
from ..observe.chronicle import Chronicle
from ..observe.logs import LogBook
from .launching import Launching
from .machine import Machine
from .state import Pod, Stimulus
from .world import Running


@dataclass(frozen=True, slots=True)
class Stage:
    """The supervisor, as `Changes` sees it."""

    home: Home
    running: Callable[[str], Running | None]
    """A topology that is up, by name."""
    launching: Launching
    stepped: Callable[[], Awaitable[None]]
    """Return after the next batch of steps."""
    start_error: Callable[[PodKey], Awaitable[StartError]]
    """The error for a pod that did not get ready."""
    publish: Callable[[], None]
    """Let everybody see what there is now."""
    _machine: Machine
    _logs: LogBook
    _chronicle: Chronicle

    @property
    def pods(self) -> Mapping[PodKey, Pod]:
        """All pods as they are now."""
        return self._machine.pods

    def last_run(self, key: PodKey) -> int:
        """Number of the last run that has a log; 0 without one."""
        return self._logs.last_run(key)

    def admit(self, pods: Iterable[Pod]) -> None:
        """Take new pods in."""
        self._machine.add(pods)

    def forget(self, key: PodKey) -> None:
        """Drop a pod that has ended."""
        self._machine.remove([key])
        self.publish()

    def post(self, key: PodKey, stimulus: Stimulus) -> None:
        """Let something happen to a pod, soon."""
        self._machine.post(key, stimulus)

    def tell(self, topology: str, level: Level, text: str) -> None:
        """Say something of a topology in Events."""
        self._chronicle.tell(time.time(), level, topology, "", text)
