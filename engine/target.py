"""What a person means by a TARGET, looked up in the fleet. Pure.

A target is `TOPOLOGY` or `TOPOLOGY/NAME`; NAME is a pod's name, the beginning of one at a slash (a deployment,
a shard), or a glob. The topology may be left out where only one has such pods.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase

from .errors import TargetError
from .model import Fleet, PodStatus

LISTED = 8


def resolve(fleet: Fleet, targets: Iterable[str]) -> tuple[PodStatus, ...]:
    """Pods that the targets name, in the order of the tree, each once. Raises TargetError."""
    chosen = {pod.key for target in targets for pod in find(fleet, target)}
    return tuple(pod for pod in fleet.pods if pod.key in chosen)


def find(fleet: Fleet, target: str) -> tuple[PodStatus, ...]:
    """Pods that one target names. Raises TargetError when it names none, or could mean several things."""
    text = target.strip("/")
    names = {topology.name for topology in fleet.topologies}
    if text in names:
        return fleet.of(text)
    topology, _, rest = text.partition("/")
    if topology in names and rest:
        found = tuple(pod for pod in fleet.of(topology) if _matches(pod.name, rest))
        if found:
            return found
    found = tuple(pod for pod in fleet.pods if _matches(pod.name, text) or _globs(str(pod.key), text))
    homes = sorted({pod.topology for pod in found})
    if len(homes) > 1 and not _is_glob(text):
        meant = ", ".join(f"{home}/{text}" for home in homes)
        raise TargetError(f"{target} could mean several things: {meant}", "name the topology too")
    if found:
        return found
    raise TargetError(f"{target} names nothing that is up", _advice(fleet, text))


def _matches(name: str, wanted: str) -> bool:
    return name == wanted or name.startswith(wanted + "/") or _globs(name, wanted)


def _is_glob(text: str) -> bool:
    return any(char in text for char in "*?[")


def _globs(name: str, pattern: str) -> bool:
    return _is_glob(pattern) and fnmatchcase(name, pattern)


def _advice(fleet: Fleet, text: str) -> str:
    if not fleet.pods:
        return "nothing is up; start something with: qd up FILE"
    known = [topology.name for topology in fleet.topologies]
    for pod in fleet.pods:
        parts = pod.name.split("/")
        for end in range(1, len(parts) + 1):
            known += ["/".join(parts[:end]), f"{pod.topology}/{'/'.join(parts[:end])}"]
    close = get_close_matches(text, dict.fromkeys(known), n=1)
    if close:
        return f"did you mean {close[0]}?"
    tops = [topology.name for topology in fleet.topologies]
    return "up are: " + ", ".join(tops[:LISTED]) + (" …" if len(tops) > LISTED else "")
