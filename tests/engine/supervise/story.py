"""Histories as data: a pod, what happened to it and when, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from quarterdeck.engine.model import Role
from quarterdeck.engine.plan.pods import PodPlan
from quarterdeck.engine.supervise.lifecycle import step
from quarterdeck.engine.supervise.state import (
    Begin,
    Effect,
    HasBound,
    HasExited,
    HasStarted,
    Launched,
    Pod,
    Policy,
    Stimulus,
    Tell,
    WasProbed,
)

E = TypeVar("E")
POLICY = Policy(grace=10.0, timeout_ready=600.0)


def pod(policy: Policy = POLICY, port: int | None = None) -> Pod:
    """A pod that has not begun; `port` is the planned one."""
    return Pod(PodPlan("top", "index/rep-0", "index", Role.WORKER, port=port), policy)


@dataclass(frozen=True, slots=True)
class Moment:
    """One stimulus, and where it led."""

    stimulus: Stimulus
    now: float
    pod: Pod
    effects: tuple[Effect, ...]

    def told(self, kind: type[E]) -> list[E]:
        """The effects of one kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    @property
    def texts(self) -> list[str]:
        return [tell.text for tell in self.told(Tell)]

    @property
    def deeds(self) -> list[Effect]:
        """Effects without what is only told."""
        return [effect for effect in self.effects if not isinstance(effect, Tell)]


def live(start: Pod, *history: Stimulus | float) -> list[Moment]:
    """Let a history happen; a number in it lets that many seconds pass."""
    now = 1000.0
    moments: list[Moment] = []
    present = start
    for item in history:
        if isinstance(item, float):
            now += item
            continue
        present, effects = step(present, item, now)
        moments.append(Moment(item, now, present, effects))
    return moments


def after(start: Pod, *history: Stimulus | float) -> Moment:
    """Where a history ends."""
    return live(start, *history)[-1]


def starts(run: int = 1, pid: int = 40, port: int = 7000) -> tuple[Stimulus, ...]:
    """What happens between a spawn and the first health call."""
    return (HasStarted(run, pid + run), HasBound(run, port))


def comes_up(run: int = 1, port: int = 7000) -> tuple[Stimulus | float, ...]:
    """A run gets ready in half a second."""
    return (*starts(run, port=port), 0.5, WasProbed(run, True))


UP: tuple[Stimulus | float, ...] = (Begin(), *comes_up(), Launched())
"""A pod that is ready, in a deployment that has been."""


def fails(runs: Iterable[int], life: float) -> Iterable[Stimulus | float]:
    """Each run exits with 1 after `life` seconds."""
    for run in runs:
        yield from (HasStarted(run, 40 + run), life, HasExited(run, 1))
