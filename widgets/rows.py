"""`Row` and `rows_of`: the tree as a flat list, made from a `Fleet` by a pure function.

topology → gateway, deployment → head, before, after, shard → replica
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from quarterdeck.engine.model import (
    SEVERITY,
    DeploymentStatus,
    Fleet,
    Phase,
    PodKey,
    PodStatus,
    Role,
    Sample,
    TopologyStatus,
)

from .filter import EVERYTHING, Filter


class Kind(Enum):
    """What a row stands for."""

    TOPOLOGY = "topology"
    DEPLOYMENT = "deployment"
    SHARD = "shard"
    POD = "pod"
    GAP = "gap"
    """The blank line between two topologies; the cursor passes over it."""


class Sort(StrEnum):
    """What siblings are ordered by; the words are the captions of the columns."""

    NAME = "name"
    STATE = "state"
    CPU = "cpu"
    MEM = "mem"
    RST = "rst"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tree."""

    id: str
    """`TOPOLOGY`, `TOPOLOGY/index`, `TOPOLOGY/index/shard-0`, `TOPOLOGY/index/shard-0/rep-1`."""
    kind: Kind
    label: str
    depth: int
    guides: tuple[bool, ...] = ()
    """For each level above: whether its line goes on below. The last one is the row's own."""
    pods: tuple[PodStatus, ...] = ()
    """What it stands for, the hidden ones of a folded branch included."""
    topology: str = ""
    deployment: DeploymentStatus | None = None
    source: TopologyStatus | None = None
    folded: bool = False

    @property
    def pod(self) -> PodStatus | None:
        """The pod, when it is one."""
        return self.pods[0] if self.kind is Kind.POD else None

    @property
    def branch(self) -> bool:
        return self.kind in (Kind.TOPOLOGY, Kind.DEPLOYMENT, Kind.SHARD)

    @property
    def keys(self) -> tuple[PodKey, ...]:
        return tuple(pod.key for pod in self.pods)

    @property
    def phase(self) -> Phase:
        """The pod's, or the worst of the branch."""
        return worst(self.pods)

    @property
    def short(self) -> str:
        """The name without its topology: `index/shard-0`; the topology's own name stays."""
        return self.id.partition("/")[2] or self.id


@dataclass(slots=True)
class _Node:
    id: str
    kind: Kind
    label: str
    topology: str
    children: list[_Node] = field(default_factory=list)
    pods: list[PodStatus] = field(default_factory=list)
    deployment: DeploymentStatus | None = None
    source: TopologyStatus | None = None


def worst(pods: Iterable[PodStatus]) -> Phase:
    """The worst phase of all; of none it is stopped."""
    found = {pod.phase for pod in pods}
    return next((phase for phase in SEVERITY if phase in found), Phase.STOPPED)


def rows_of(
    fleet: Fleet,
    folded: frozenset[str] = frozenset(),
    wanted: Filter = EVERYTHING,
    sort: Sort = Sort.NAME,
    samples: Mapping[PodKey, Sample] | None = None,
) -> tuple[Row, ...]:
    """The rows of the tree, top to bottom. A filter keeps pods that match and the branches above them, unfolded."""
    rows: list[Row] = []
    for root in _roots(fleet, wanted):
        if rows:
            rows.append(Row(f"{root.id}//gap", Kind.GAP, "", 0))
        if sort is not Sort.NAME:
            _order(root, sort, samples or {})
        rows += _flat(root, frozenset() if wanted else folded, 0, ())
    return tuple(rows)


def _roots(fleet: Fleet, wanted: Filter) -> list[_Node]:
    deployments = {(item.topology, item.name): item for item in fleet.deployments}
    roots = {
        item.name: _Node(item.name, Kind.TOPOLOGY, item.name, item.name, source=item)
        for item in fleet.topologies
    }
    branches: dict[str, _Node] = {}
    for pod in fleet.pods:
        name = f"{pod.topology}/{pod.name}"
        if wanted and not wanted.passes(name if wanted.fuzzy else f"{name} {pod.phase} {pod.reason}"):
            continue
        root = roots.get(pod.topology)
        if root is None:
            root = roots[pod.topology] = _Node(pod.topology, Kind.TOPOLOGY, pod.topology, pod.topology)
        root.pods.append(pod)
        parent = root
        if pod.role is not Role.GATEWAY and pod.deployment:
            found = deployments.get((pod.topology, pod.deployment))
            parent = _branch(branches, parent, pod.deployment, Kind.DEPLOYMENT, found)
            parent.pods.append(pod)
        label = pod.name.removeprefix(f"{pod.deployment}/")
        shard, slash, replica = label.partition("/")
        if slash:
            parent = _branch(branches, parent, shard, Kind.SHARD, parent.deployment)
            parent.pods.append(pod)
            label = replica
        leaf = _Node(str(pod.key), Kind.POD, label, pod.topology, pods=[pod], deployment=parent.deployment)
        parent.children.append(leaf)
    return [root for root in roots.values() if root.children or not wanted]


def _branch(
    branches: dict[str, _Node], parent: _Node, label: str, kind: Kind, deployment: DeploymentStatus | None
) -> _Node:
    name = f"{parent.id}/{label}"
    node = branches.get(name)
    if node is None:
        node = branches[name] = _Node(name, kind, label, parent.topology, deployment=deployment)
        parent.children.append(node)
    return node


def _order(node: _Node, sort: Sort, samples: Mapping[PodKey, Sample]) -> None:
    """Biggest, worst and newest first; equals stay in the plan's order."""

    def weight(child: _Node) -> float:
        pods = child.pods
        match sort:
            case Sort.STATE:
                return SEVERITY.index(worst(pods))
            case Sort.CPU:
                return -sum(samples[p.key].cpu_percent or 0 for p in pods if p.key in samples)
            case Sort.MEM:
                return -sum(samples[p.key].memory_bytes or 0 for p in pods if p.key in samples)
            case Sort.RST:
                return -sum(p.restarts for p in pods)
            case Sort.AGE:
                return -max((p.since for p in pods), default=0)
            case Sort.NAME:
                return 0

    node.children.sort(key=weight)
    for child in node.children:
        _order(child, sort, samples)


def _flat(node: _Node, folded: frozenset[str], depth: int, guides: tuple[bool, ...]) -> Iterator[Row]:
    closed = node.id in folded and bool(node.children)
    yield Row(
        node.id, node.kind, node.label, depth, guides, tuple(node.pods), node.topology,
        node.deployment, node.source, closed,
    )  # fmt: skip
    if not closed:
        for child in node.children:
            yield from _flat(child, folded, depth + 1, (*guides, child is not node.children[-1]))
