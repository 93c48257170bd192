"""What another plan changes of one that runs, as a pure function: which pods come, go, are replaced, and why.

A pod is kept when its process would be told the same; what is only the supervisor's or a router's business
(restart policy, probes, polling, needs, time limits) changes under it while it runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from ..control import Caller, Difference
from ..home import Home
from ..plan.job import Job
from ..plan.pods import Plan, PodPlan
from ..spec.secrets import MASK, looks_secret, redact
from ..spec.topology import DeploymentSpec, GatewaySpec
from .jobs import job_for

LONGEST_VALUE = 60
"""Characters of a value in a line that says what differs."""


def differ(old: Plan, new: Plan, home: Home, stale: Collection[str] = ()) -> Difference:
    """What is to be done to what runs by `old`, so that it is what `new` says.

    Pods that are `stale` run by a plan before `old`: whatever it says, they are to be replaced.
    """
    before, after = _pods(old), _pods(new)
    shared = [name for name in after if name in before]
    replaced = {
        name
        for name in shared
        if name in stale
        or after[name].port not in (None, before[name].port)  # None: any does, and it has one
        or _told(old, before[name], home) != _told(new, after[name], home)
    }
    return Difference(
        topology=new.topology.name,
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        replaced=tuple(name for name in shared if name in replaced),
        kept=tuple(name for name in shared if name not in replaced),
        why=(*_why(old, new), *_left(name for name in shared if name in stale)),
    )


def _pods(plan: Plan) -> dict[str, PodPlan]:
    return {pod.name: pod for pod in plan.pods}


def _told(plan: Plan, pod: PodPlan, home: Home) -> tuple[Any, ...]:
    """All of a pod but its port that can't change while it runs. How long it drains can: the supervisor ends it."""
    specs = {deployment.spec.name: deployment.spec for deployment in plan.deployments}
    job: Job = job_for(pod, specs.get(pod.deployment), Caller(), home, "", 0, plan.topology.gateway)
    return replace(job, grace=0.0), pod.runtime, pod.host


# -- in words


def _why(old: Plan, new: Plan) -> Iterator[str]:
    before = {deployment.spec.name: deployment.spec for deployment in old.deployments}
    after = {deployment.spec.name: deployment.spec for deployment in new.deployments}
    for name, spec in after.items():
        if name not in before:
            yield f"{name}: new"
        else:
            yield from (f"{name or 'the deployment'}: {line}" for line in _keys(before[name], spec))
    yield from (f"{name}: gone" for name in before if name not in after)
    match old.topology.gateway, new.topology.gateway:
        case None, GatewaySpec():
            yield "gateway: new"
        case GatewaySpec(), None:
            yield "gateway: gone"
        case GatewaySpec() as door, GatewaySpec() as other:
            yield from (f"gateway: {line}" for line in _keys(door, other))
    if old.topology.folder != new.topology.folder:
        yield f"folder: {old.topology.folder} -> {new.topology.folder}"


def _left(stale: Iterable[str]) -> Iterator[str]:
    yield from (f"{name}: still runs by an earlier text" for name in stale)


def _keys(old: DeploymentSpec | GatewaySpec, new: DeploymentSpec | GatewaySpec) -> Iterator[str]:
    """A line for each key that differs; of maps, for each of their keys."""
    env = {**getattr(old, "env", {}), **getattr(new, "env", {})}
    for field in fields(new):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            for name in dict.fromkeys((*before, *after)):
                if before.get(name) != after.get(name):
                    yield _line(f"{field.name}.{name}", name, before.get(name), after.get(name), env)
        else:
            yield _line(field.name, field.name, before, after, env)


def _line(key: str, name: str, before: Any, after: Any, env: Mapping[str, str]) -> str:
    if looks_secret(name):
        return f"{key} changed ({MASK})"
    return f"{key} {_shown(before, env)} -> {_shown(after, env)}"


def _shown(value: Any, env: Mapping[str, str]) -> str:
    text = "none" if value is None else redact(" ".join(str(value).split()), env)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
