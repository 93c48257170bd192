"""`Runtime`: how and where a pod runs. It starts and ends things and reports facts; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ..plan.job import Job


@dataclass(frozen=True, slots=True)
class Started:
    """The pod's main process is there."""

    id: str
    pid: int


@dataclass(frozen=True, slots=True)
class Bound:
    """The pod listens."""

    id: str
    port: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The pod says why it can't serve; it ends by itself."""

    id: str
    error: str
    port_taken: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """It could not be started at all; no `Exited` follows."""

    id: str
    error: str


@dataclass(frozen=True, slots=True)
class Exited:
    """The pod and all that it left behind have ended."""

    id: str
    code: int
    """Exit code; negative: the signal that ended it."""
    cause: str = ""
    """Why, where the runtime knows more than the code says: the kernel was out of memory."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What starts pods has gone, and all pods of the runtimes that hang on it (`Caps.kept`)."""

    error: str


Fact = Started | Bound | Broken | Refused | Exited | Lost


@dataclass(frozen=True, slots=True)
class Caps:
    """What a runtime can't do, as data; the console greys it out and shows the reason."""

    cannot: Mapping[str, str] = field(default_factory=dict)
    """By what it can't do, the reason in one clause that fits behind `can't kill it: `.

    Keys: the verbs `start`, `stop`, `restart`, `kill`; the limits `memory`, `cpus`, `files`, `processes`;
    `gpus` (be dealt devices), `environment` (of its own), `exec`, `stats`, `log`.
    """
    kept: bool = True
    """Its pods are below the keeper, and end with it."""
    restarts_by_itself: bool = False


class Runtime(Protocol):
    """One way to run pods. Pods are named by `Job.mark`, which is new for each run."""

    caps: Caps

    def start(self, job: Job, log: str, fresh: bool = False) -> None:
        """Start a pod whose output goes to the file `log`; facts follow. `fresh` forbids a fork."""
        ...

    def signal(self, pod: str, number: int) -> None:
        """Send a signal to the pod's main process; nothing happens when it has ended."""
        ...

    def end(self, pod: str) -> None:
        """End the pod and every descendant at once."""
        ...


@runtime_checkable
class TellsPort(Protocol):
    """A runtime whose pods must be told their port before they bind it."""

    def hold(self, pod: str, host: str, port: int, ours: bool) -> int:
        """Hold a port until `start` of the same pod, which must follow, and give its number.

        0 is any free one; so is a port that we chose before (`ours`) and that a stranger has taken meanwhile.
        Raises `PortTaken`, which names the holder.
        """
        ...
