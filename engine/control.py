"""`Control`: the one corridor between the engine and whoever watches or steers it.

The supervisor (in this process) and the client (behind a socket) both satisfy it, and behave alike.
Every verb raises only `QuarterdeckError`s. Targets are exact pod keys; resolving what a person typed is
`quarterdeck.engine.target`'s work.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from .model import EngineInfo, Event, Fleet, Gpu, LogChunk, LogRun, PodDetails, PodKey, Samples


class Verb(StrEnum):
    """What can be done to pods."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    KILL = "kill"


class UpOutcome(StrEnum):
    """What `up` found."""

    STARTED = "started"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    """The topology is up from another text; nothing was touched."""
    REPLACED = "replaced"
    """The topology was up from another text; what differs was replaced, and nothing else touched."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose world the pods are to live in: the environment, folder and umask of who called `qd up`."""

    env: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    umask: int = 0o022
    python: str = ""
    """Interpreter of the caller's virtual environment, or empty for the engine's own."""


@dataclass(frozen=True, slots=True)
class UpResult:
    """Answer to `up`."""

    outcome: UpOutcome
    topology: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What a topology's text would change of what runs; pods by name within the topology, in the tree's order."""

    topology: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    """Pods that get another plan: the old run ends, the new one starts."""
    kept: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    """One line for each key that differs: `index: replicas 3 -> 5`; no secret in it."""

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.replaced or self.why)


@dataclass(frozen=True, slots=True)
class World:
    """What a command that runs beside a pod needs: the pod's whole environment (secrets unmasked) and folder."""

    env: dict[str, str]
    cwd: str
    umask: int
    workspace: str = ""


class Control(Protocol):
    """The verbs. All coroutines; streams end when the engine does."""

    async def info(self) -> EngineInfo:
        """Who answers."""
        ...

    async def up(self, document: str, caller: Caller, owner: str = "", replace: bool = False) -> UpResult:
        """Start a topology, given as `spec.document.dump(topology)` writes it.

        Returns once accepted, not once ready. Where it is up from another text, `replace` changes what differs
        (pods of unchanged plans go on untouched); without it nothing happens. Raises `SpecError`, `PortTaken`,
        `Conflict`.
        """
        ...

    async def diff(self, document: str, caller: Caller) -> Difference:
        """What `up(..., replace=True)` would do. Raises `SpecError`, and `TargetError` where it is not up."""
        ...

    async def scale(self, topology: str, replicas: Mapping[str, int]) -> Difference:
        """Give deployments another number of replicas; returns once accepted, with what changes.

        What goes is drained first. Raises `TargetError`, `SpecError`.
        """
        ...

    async def roll(self, topology: str, deployments: Sequence[str]) -> None:
        """Restart the pods of deployments one replica at a time, each ready before the next goes.

        Returns once all are ready again. Raises `StartError` at the first that does not get ready (the rest
        are left as they are), `TargetError`, and `Conflict` where one is rolling already.
        """
        ...

    async def world(self, pod: PodKey) -> World:
        """What `qd exec` needs. Raises `TargetError` for a pod that is not there, or not on this host."""
        ...

    async def gpus(self) -> Sequence[Gpu]:
        """This host's devices now, with who uses them; empty where there are none."""
        ...

    async def down(self, topologies: Sequence[str], grace: float | None = None) -> None:
        """Close topologies; returns once all their pods have ended. Unknown names raise `TargetError`."""
        ...

    async def act(self, verb: Verb, pods: Sequence[PodKey], signal: int = 0) -> None:
        """Start, stop, restart or kill pods; returns once accepted. `signal` is for KILL only."""
        ...

    def watch(self) -> AsyncIterator[Fleet]:
        """The fleet now, and again after each change; a slow reader skips to the newest."""
        ...

    def events(self, after: int = 0, follow: bool = True) -> AsyncIterator[Event]:
        """Events with `seq > after`, oldest first; with `follow` it goes on."""
        ...

    def samples(self) -> AsyncIterator[Samples]:
        """A round of samples now and at 1 Hz from then on."""
        ...

    async def details(self, pod: PodKey) -> PodDetails:
        """What Details shows. Raises `TargetError` for a pod that is not there."""
        ...

    async def log_runs(self, pod: PodKey) -> Sequence[LogRun]:
        """Runs whose logs are there, oldest first."""
        ...

    async def read_log(self, pod: PodKey, run: int = 0, offset: int = 0, limit: int = 262_144) -> LogChunk:
        """Up to `limit` bytes of a run's log (0: the newest run) from `offset`.

        A negative offset counts from the end. At the end of the file `data` is empty.
        """
        ...

    async def shutdown(self) -> None:
        """Close everything and end the engine; returns once its pods have ended."""
        ...
