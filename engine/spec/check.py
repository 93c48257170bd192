"""`check`: mistakes in a topology that show without its file: names, counts, ports, hosts, needs.

Files and Python code both come through here, so that neither can ask for what the planner can't plan.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..errors import Mistake
from . import dealing, executor
from .keys import DEPLOYMENT, GATEWAY, MAX_PODS, Key, Kind
from .topology import DeploymentSpec, GatewaySpec, Topology
from .wrong import Wrong, closest, shown

RESERVED_NAMES = ("gateway", "head")
_LONGEST_NAME = 100
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{_LONGEST_NAME - 1}}}")
_LOOPBACK = re.compile(r"localhost|127(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}")
_NAME_HINT = f"use letters, digits, `.`, `_` and `-`, at most {_LONGEST_NAME}, a letter or digit first"
_MOST_SUGGESTIONS = 20
"""Searching thousands of names for each of thousands of unknown ones would take minutes."""

_MOST_CYCLES = 10
_LONGEST_RING = 12


def check(topology: Topology) -> tuple[Mistake, ...]:
    """Every mistake, with the path of its key (`deployments[1].shards`) and neither file nor line."""
    return tuple(_all(topology))


def _all(topology: Topology) -> Iterator[Mistake]:
    if not _valid_name(topology.name):
        yield Mistake(
            f"{shown(str(topology.name))} is not a name", _NAME_HINT, key="name", value=str(topology.name)
        )
    if not topology.deployments:
        yield Mistake("a topology needs at least one deployment", key="deployments")
    if topology.gateway is not None:
        yield from _numbers(topology.gateway, "gateway", GATEWAY)
        yield from _host(topology.gateway.host, "gateway")
        if topology.gateway.protocol != "grpc":
            message = f"the protocol {shown(str(topology.gateway.protocol))} is not built"
            yield Mistake(message, "write `grpc`, or leave it out", key="gateway.protocol")
    yield from _names(topology)
    for path, spec in _placed(topology):
        yield from _deployment(spec, path)
    yield from _ports(topology)
    yield from _pods(topology)
    yield from _needs(topology)


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
    """What one deployment shows by itself."""
    yield from _numbers(spec, path, DEPLOYMENT)
    yield from _host(spec.host, path)
    for key, uses in (
        ("uses", spec.uses),
        ("uses_before", spec.uses_before),
        ("uses_after", spec.uses_after),
    ):
        try:
            executor.parse(uses or "")
        except Wrong as wrong:
            yield Mistake(wrong.message, wrong.hint, key=f"{path}.{key}", value=uses or "")
    for name, value in spec.env.items():
        yield from _variable(name, value, f"{path}.env")
    if spec.port is not None and not spec.has_head and _is_whole(spec.replicas) and spec.replicas > 1:
        message = f"`port: {spec.port}` can't be that of {spec.replicas} replicas"
        hint = "it is the gateway's to have: set `gateway: {port: …}`, or leave `port` out"
        yield Mistake(message, hint, key=f"{path}.port", value=str(spec.port))


def _numbers(owner: DeploymentSpec | GatewaySpec, path: str, table: tuple[Key, ...]) -> Iterator[Mistake]:
    """Numbers that are none, or out of the range that the key table gives."""
    for key in table:
        if key.kind not in (Kind.WHOLE, Kind.SECONDS):
            continue
        value: Any = getattr(owner, key.name)
        if value is None and (key.optional or key.name == "timeout_ready"):
            continue
        where = f"{path}.{key.name}"
        right = _is_whole(value) if key.kind is Kind.WHOLE else _is_number(value)
        if not right:
            yield Mistake(f"must be a {key.kind}, not {shown(str(value))}", key=where, value=str(value))
        elif (key.low is not None and value < key.low) or (key.high is not None and value > key.high):
            yield Mistake(f"must be {_range(key)}, not {shown(str(value))}", key=where, value=str(value))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _range(key: Key) -> str:
    unit = " seconds" if key.kind is Kind.SECONDS else ""
    if key.high is None:
        return f"{key.low:g} or more{unit}"
    return f"from {key.low:g} to {key.high:g}{unit}"


def _host(host: object, path: str) -> Iterator[Mistake]:
    if not isinstance(host, str) or not _LOOPBACK.fullmatch(host):
        message = f"{shown(str(host))} is not a loopback address"
        hint = "nothing but loopback without TLS and a token, and these are not built yet: leave `host` out"
        yield Mistake(message, hint, key=f"{path}.host", value=str(host))


def _variable(name: object, value: object, path: str) -> Iterator[Mistake]:
    """A variable that no process can be given, or a deal of devices that means nothing."""
    key = f"{path}.{name}"
    if not isinstance(name, str) or not isinstance(value, str):
        yield Mistake("a variable's name and value are text", key=key)
    elif name == "" or "=" in name or "\0" in name:
        yield Mistake(f"{shown(name)} can't be a variable's name", key=key)
    elif "\0" in value:
        yield Mistake("a variable can't hold the character U+0000", key=key)
    elif name == dealing.VARIABLE:
        try:
            dealing.parse(value)
        except Wrong as wrong:
            yield Mistake(wrong.message, wrong.hint, key=key, value=value)


def _ports(topology: Topology) -> Iterator[Mistake]:
    asked = [(f"{path}.port", spec.host, spec.port) for path, spec in _placed(topology)]
    if topology.gateway is not None:
        asked.insert(0, ("gateway.port", topology.gateway.host, topology.gateway.port))
    first: dict[tuple[str, int], str] = {}
    for key, host, port in asked:
        if port is None:
            continue
        place = ("127.0.0.1" if host == "localhost" else host, port)
        if place in first:
            message = f"port {port} is taken by {first[place]}"
            yield Mistake(message, "choose another, or leave it out for a free one", key=key, value=str(port))
        first.setdefault(place, key)


def _pods(topology: Topology) -> Iterator[Mistake]:
    total = 0 if topology.gateway is None else 1
    for path, spec in _placed(topology):
        if not (_is_whole(spec.shards) and _is_whole(spec.replicas)):
            continue
        pods = max(spec.num_pods, 0)
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


def _needs(topology: Topology) -> Iterator[Mistake]:
    known = {spec.name for spec in topology.deployments if spec.name}
    graph: dict[str, list[str]] = {}
    paths: dict[str, str] = {}
    suggestions = 0
    for path, spec in _placed(topology):
        key = f"{path}.needs"
        paths.setdefault(spec.name, key)
        edges = graph.setdefault(spec.name, [])
        for name in spec.needs:
            if name in edges:
                yield Mistake(f"{shown(name)} stands twice in `needs`", key=key, value=name)
            elif name in known:
                edges.append(name)
            elif name == "gateway":
                hint = "leave it out: a deployment without `needs` gets the gateway's input"
                yield Mistake("`gateway` is not a deployment", hint, key=key, value=name)
            else:
                suggestions += 1
                near = closest(str(name), known) if suggestions <= _MOST_SUGGESTIONS else ""
                yield Mistake(f"there is no deployment {shown(str(name))}", near, key=key, value=str(name))
    yield from _cycles(graph, paths)


def _cycles(graph: dict[str, list[str]], paths: dict[str, str]) -> Iterator[Mistake]:
    """One mistake for each cycle, up to a number: once told of, a cycle is cut before the next is sought."""
    place = {name: index for index, name in enumerate(graph)}
    for _ in range(_MOST_CYCLES):
        try:
            TopologicalSorter(graph).prepare()
            return
        except CycleError as error:
            ring: list[str] = error.args[1][:0:-1]
        start = ring.index(min(ring, key=place.__getitem__))
        ring = [*ring[start:], *ring[: start + 1]]
        told = ring if len(ring) <= _LONGEST_RING else [*ring[: _LONGEST_RING - 1], "…", ring[-1]]
        message = f"`needs` goes in a circle: {' -> '.join(told)}"
        yield Mistake(message, "take one of these out", key=paths[ring[0]], value=ring[0])
        graph[ring[0]].remove(ring[1])
