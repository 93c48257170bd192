"""`depends_on`, as a pure function: which pods wait for which deployments, and which may begin.

What counts is that a deployment has been ready once: later it may be unready or restart without an effect here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model import Phase
from ..spec.topology import DeploymentSpec
from .launch import Launch, Orders
from .state import Await, Begin, Pod


def waits_for(spec: DeploymentSpec | None, launches: Mapping[str, Launch]) -> str:
    """What a deployment waits for, as the reason of its pods; empty: nothing. The gateway has no spec."""
    named = () if spec is None else spec.depends_on
    missing = [name for name in named if launches.get(name, Launch.DONE) is not Launch.DONE]
    if not missing:
        return ""
    failed = [name for name in missing if launches.get(name) is Launch.FAILED]
    return f"waits for {', '.join(missing)}" + (f"; {failed[0]} did not start" if failed else "")


def release(
    pods: Iterable[Pod], specs: Mapping[str, DeploymentSpec], launches: Mapping[str, Launch]
) -> Orders:
    """What pods that have not begun are told: to begin, or for what they wait, where that is news."""
    orders: Orders = {}
    for pod in pods:
        if pod.phase is Phase.PENDING and pod.hold is None:
            why = waits_for(specs.get(pod.plan.deployment), launches)
            if not why:
                orders[pod.plan.key] = Begin()
            elif why != pod.reason:
                orders[pod.plan.key] = Await(why)
    return orders
