"""`check`: mistakes in a topology that show without its file and without looking at anything else.

Files and Python code both come through here, so that neither can ask for what the planner can't plan.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ..errors import Mistake
from . import executor
from .contents import contents, gateway
from .graph import joined
from .keys import DEPLOYMENT, GATEWAY, MAX_PODS
from .rules import certificate, host, rules
from .table import by_table, is_whole
from .topology import DeploymentSpec, Topology
from .wrong import Wrong, shown

RESERVED_NAMES = ("gateway", "head")
_LONGEST_NAME = 100
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{_LONGEST_NAME - 1}}}")
_NAME_HINT = f"use letters, digits, `.`, `_` and `-`, at most {_LONGEST_NAME}, a letter or digit first"


def check(topology: Topology, unread: Collection[str] = ()) -> tuple[Mistake, ...]:
    """Every mistake, with the path of its key (`deployments[1].shards`) and neither file nor line.

    Of what is in `unread` (`gateway`, `deployments[1]`) not all could be read: what its keys say together is
    not judged.
    """
    return tuple(_all(topology, unread))


def _all(topology: Topology, unread: Collection[str]) -> Iterator[Mistake]:
    if not _valid_name(topology.name):
        yield Mistake(
            f"{shown(str(topology.name))} is not a name", _NAME_HINT, key="name", value=str(topology.name)
        )
    if not topology.deployments:
        yield Mistake("a topology needs at least one deployment", key="deployments")
    if topology.gateway is not None:
        yield from by_table(topology.gateway, "gateway", GATEWAY)
        yield from gateway(topology.gateway, "gateway")
        if "gateway" not in unread:
            yield from host(topology.gateway, "gateway")
            yield from certificate(topology.gateway, "gateway")
    yield from _names(topology)
    for path, spec in _placed(topology):
        yield from _deployment(spec, path)
        if path not in unread:
            yield from rules(spec, path)
    yield from _ports(topology)
    yield from _pods(topology)
    yield from joined(topology)
    yield from _uncalled(topology)


def _placed(topology: Topology) -> list[tuple[str, DeploymentSpec]]:
    return [(f"deployments[{index}]", spec) for index, spec in enumerate(topology.deployments)]


def _valid_name(name: object) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def _names(topology: Topology) -> Iterator[Mistake]:
    first: dict[str, str] = {}
    for path, spec in _placed(topology):
        key = f"{path}.name"
        if spec.name == "":
            if len(topology.deployments) > 1:
                yield Mistake("a deployment without a name must be the only one", "give it a `name`", key=key)
        elif not _valid_name(spec.name):
            yield Mistake(f"{shown(str(spec.name))} is not a name", _NAME_HINT, key=key, value=str(spec.name))
        elif spec.name in RESERVED_NAMES:
            message = f"{shown(spec.name)} is the name of a pod of the engine's own"
            yield Mistake(message, "choose another", key=key, value=spec.name)
        elif spec.name in first:
            message = f"two deployments are named {shown(spec.name)}: {first[spec.name]} and {path}"
            yield Mistake(message, "choose another name for one of them", key=key, value=spec.name)
        first.setdefault(spec.name, path)


def _deployment(spec: DeploymentSpec, path: str) -> Iterator[Mistake]:
    """Values of one deployment that are none."""
    yield from by_table(spec, path, DEPLOYMENT)
    for key, uses in (
        ("uses", spec.uses),
        ("uses_before", spec.uses_before),
        ("uses_after", spec.uses_after),
    ):
        try:
            executor.parse(uses or "")
        except Wrong as wrong:
            yield Mistake(wrong.message, wrong.hint, key=f"{path}.{key}", value=uses or "")
    yield from contents(spec, path)


def _ports(topology: Topology) -> Iterator[Mistake]:
    asked = [(f"{path}.port", spec.host, spec.port) for path, spec in _placed(topology) if not spec.external]
    if topology.gateway is not None:
        asked.insert(0, ("gateway.port", topology.gateway.host, topology.gateway.port))
    first: dict[tuple[str, int], str] = {}
    for key, address, port in asked:
        if port is None:
            continue
        place = ("127.0.0.1" if address == "localhost" else address, port)
        if place in first:
            message = f"port {port} is taken by {first[place]}"
            yield Mistake(message, "choose another, or leave it out for a free one", key=key, value=str(port))
        first.setdefault(place, key)


def _pods(topology: Topology) -> Iterator[Mistake]:
    total = 0 if topology.gateway is None else 1
    for path, spec in _placed(topology):
        if not (is_whole(spec.shards) and is_whole(spec.replicas)):
            continue
        # Somebody else's pods are shown as ours are.
        pods = max(spec.replicas if spec.external else spec.num_pods, 0)
        if pods > MAX_PODS:
            key = "replicas" if spec.replicas >= spec.shards else "shards"
            shards = f"{spec.shards} shards x " if spec.has_head else ""
            message = f"{shards}{spec.replicas} replicas make {pods} pods; a topology may have {MAX_PODS}"
            yield Mistake(message, f"lower `{key}`", key=f"{path}.{key}", value=str(getattr(spec, key)))
        else:
            total += pods
    if total > MAX_PODS:
        message = f"all deployments together make {total} pods; a topology may have {MAX_PODS}"
        yield Mistake(message, "split it into several files", key="deployments", value=str(total))


def _uncalled(topology: Topology) -> Iterator[Mistake]:
    """Needs of what speaks HTTP, which nothing of ours calls."""
    http = {spec.name for spec in topology.deployments if spec.protocol == "http"}
    for path, spec in _placed(topology):
        for name in spec.needs:
            if name in http:
                message = f"{shown(name)} speaks HTTP, and no gateway calls it"
                hint = "what must run before stands in `depends_on`"
                yield Mistake(message, hint, key=f"{path}.needs", value=name)
