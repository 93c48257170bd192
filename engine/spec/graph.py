"""What deployments say of each other in `needs` and `depends_on`: names that there are, and no circle."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from ..errors import Mistake
from .topology import Topology
from .wrong import closest, shown

NEEDS, DEPENDS = "needs", "depends_on"
_HINTS = {
    NEEDS: "leave it out: a deployment without `needs` gets the gateway's input",
    DEPENDS: "leave it out: the gateway takes requests as soon as it runs",
}
_MOST_SUGGESTIONS = 20
"""Searching thousands of names for each of thousands of unknown ones would take minutes."""

_MOST_CYCLES = 10
_LONGEST_RING = 12

Graph = dict[str, list[str]]


def joined(topology: Topology) -> Iterator[Mistake]:
    """Every mistake in how the deployments are joined. Of circles each is told once."""
    paths: dict[str, str] = {}
    for index, spec in enumerate(topology.deployments):
        paths.setdefault(spec.name, f"deployments[{index}]")
    needs: Graph = {}
    depends: Graph = {}
    yield from _names(topology, NEEDS, needs)
    yield from _names(topology, DEPENDS, depends)
    pure = [*_cycles(needs, paths, (NEEDS, needs)), *_cycles(depends, paths, (DEPENDS, depends))]
    yield from pure
    if pure:
        return
    both = {name: list(dict.fromkeys((*edges, *depends[name]))) for name, edges in needs.items()}
    yield from _cycles(both, paths, (NEEDS, needs), (DEPENDS, depends))


def _names(topology: Topology, word: str, graph: Graph) -> Iterator[Mistake]:
    """Names that are none; those that are become the edges of `graph`."""
    known = {spec.name for spec in topology.deployments if spec.name}
    suggestions = 0
    for index, spec in enumerate(topology.deployments):
        key = f"deployments[{index}].{word}"
        edges = graph.setdefault(spec.name, [])
        for name in spec.needs if word == NEEDS else spec.depends_on:
            if name in edges:
                yield Mistake(f"{shown(name)} stands twice in `{word}`", key=key, value=name)
            elif name in known:
                edges.append(name)
            elif name == "gateway":
                yield Mistake("`gateway` is not a deployment", _HINTS[word], key=key, value=name)
            else:
                suggestions += 1
                near = closest(str(name), known) if suggestions <= _MOST_SUGGESTIONS else ""
                yield Mistake(f"there is no deployment {shown(str(name))}", near, key=key, value=str(name))


def _cycles(graph: Graph, paths: dict[str, str], *said: tuple[str, Graph]) -> Iterator[Mistake]:
    """One mistake for each cycle, up to a number: once told of, a cycle is cut before the next is sought.

    `said` has the words that the edges of `graph` come from, with the edges of each.
    """
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
        words = " and ".join(f"`{word}`" for word, _ in said)
        message = f"{words} {'go' if len(said) > 1 else 'goes'} in a circle: {' -> '.join(told)}"
        first = next(word for word, edges in said if ring[1] in edges[ring[0]])
        yield Mistake(message, "take one of these out", key=f"{paths[ring[0]]}.{first}", value=ring[0])
        graph[ring[0]].remove(ring[1])
