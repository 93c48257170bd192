"""The first start of a deployment, as a pure function: all of its pods get ready, or all are closed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from ..model import Phase, PodKey
from .state import Begin, Halt, Hold, Launched, Pod, Stimulus


class Launch(StrEnum):
    """Where a deployment's first start stands."""

    UNDER_WAY = "under way"
    DONE = "done"
    """All pods have been ready; from here on each lives by its restart policy."""
    FAILED = "failed"


Orders = dict[PodKey, Stimulus]


def settle(launch: Launch, pods: Sequence[Pod], moved: Pod | None = None) -> tuple[Launch, Orders]:
    """Where the start stands now, and what the pods are to be told.

    With `moved` no other pod's failure counts: it may be one of the start before, whose turn is yet to come.
    """
    if launch is not Launch.UNDER_WAY:
        return launch, {}
    broken = next(
        (pod for pod in pods if pod.phase is Phase.FAILED and (moved is None or moved is pod)), None
    )
    if broken is not None:
        close = Halt(Hold.LAUNCH, f"closed: {broken.plan.name} did not start")
        return Launch.FAILED, {pod.plan.key: close for pod in pods if pod is not broken}
    if all(pod.phase is Phase.READY or pod.hold is Hold.STOP for pod in pods):
        return Launch.DONE, {pod.plan.key: Launched() for pod in pods}
    return launch, {}


def relaunch(pods: Sequence[Pod]) -> Orders:
    """What the pods of a deployment whose start failed are told when somebody wants it tried again."""
    return {pod.plan.key: Begin() for pod in pods if pod.phase is Phase.FAILED or pod.hold is Hold.LAUNCH}
