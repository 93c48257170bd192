"""`plan`: a topology becomes pods with names, roles, ports and devices. Pure: same input, same plan."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter

from ..errors import Mistake, SpecError
from ..model import Role, Runtime
from ..spec.check import check
from ..spec.dealing import VARIABLE
from ..spec.topology import LOOPBACK, DeploymentSpec, Topology
from ..spec.wrong import Wrong
from .dealer import Hand, hands_of
from .gpus import ORDER, GpuView
from .pods import DeploymentPlan, Plan, PodPlan


def plan(topology: Topology, gpus: GpuView, runs: Plan | None = None) -> Plan:
    """All pods of a topology. Raises `SpecError` for one that can't be planned.

    `runs` is the plan by which it is up: what is dealt by need, not by place, stays where it is.
    """
    mistakes = list(check(topology))
    if mistakes:
        raise SpecError(tuple(mistakes))
    hands, wrongs = hands_of(topology, gpus, runs)
    if wrongs:
        raise SpecError(tuple(_undealt(topology, index, wrong) for index, wrong in wrongs.items()))
    notes = [
        f"{topology.deployments[index].name or 'the deployment'}: {gpus.source}; {VARIABLE} is left unset"
        for index, hand in sorted(hands.items())
        if hand.empty
    ]
    gateway = _gateway(topology)
    if gateway is not None and not any(spec.protocol == "grpc" for spec in topology.deployments):
        notes.append("no deployment speaks grpc, so there is no gateway")
        gateway = None
    deployments = tuple(
        _Planner(topology.name, topology.deployments[index], hands[index]).deployment()
        for index in _by_needs(topology.deployments)
    )
    return Plan(topology, gateway, deployments, tuple(notes))


def _undealt(topology: Topology, index: int, wrong: Wrong) -> Mistake:
    spec = topology.deployments[index]
    file = "" if topology.source == "<python>" else topology.source
    key, value = (f"env.{VARIABLE}", spec.env.get(VARIABLE, "")) if spec.gpus is None else ("gpus", spec.gpus)
    message = f"{spec.name}: {wrong.message}" if spec.name else wrong.message
    return Mistake(message, wrong.hint, file, key=f"deployments[{index}].{key}", value=value)


def _by_needs(specs: tuple[DeploymentSpec, ...]) -> list[int]:
    """Places of the deployments, each after those it needs, else in the order given."""
    place = {spec.name: index for index, spec in enumerate(specs)}
    graph = {index: [place[name] for name in spec.needs] for index, spec in enumerate(specs)}
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    free = list(sorter.get_ready())
    heapq.heapify(free)
    order: list[int] = []
    while free:
        index = heapq.heappop(free)
        order.append(index)
        sorter.done(index)
        for ready in sorter.get_ready():
            heapq.heappush(free, ready)
    return order


def _gateway(topology: Topology) -> PodPlan | None:
    asked = topology.gateway
    if asked is None:
        return None
    return PodPlan(topology.name, "gateway", "gateway", Role.GATEWAY, host=asked.host, port=asked.port)


@dataclass(frozen=True, slots=True)
class _Planner:
    """Plans one deployment."""

    topology: str
    spec: DeploymentSpec
    hand: Hand

    def deployment(self) -> DeploymentPlan:
        spec = self.spec
        if spec.external:
            return DeploymentPlan(spec, None, None, None, tuple(self._external()))
        return DeploymentPlan(
            spec=spec,
            head=self._head() if spec.has_head else None,
            before=self._beside("uses_before", spec.uses_before) if spec.has_before else None,
            after=self._beside("uses_after", spec.uses_after) if spec.has_after else None,
            workers=tuple(
                self._worker(shard, replica)
                for shard in range(spec.shards)
                for replica in range(spec.replicas)
            ),
        )

    def _external(self) -> Iterator[PodPlan]:
        """Somebody else's pods, one for each address."""
        for replica, (host, port) in enumerate(zip(self.spec.hosts, self.spec.ports, strict=True)):
            yield PodPlan(
                topology=self.topology,
                name=self._name(f"rep-{replica}") if self.spec.name else str(replica),
                deployment=self.spec.name,
                role=Role.WORKER,
                shard=0,
                replica=replica,
                runtime=Runtime.EXTERNAL,
                host=host,
                port=port,
            )

    def _head(self) -> PodPlan:
        spec = self.spec
        name = self._name("head")
        return PodPlan(
            self.topology, name, spec.name, Role.HEAD, host=spec.host, port=spec.port, env=self._env(None)
        )

    def _beside(self, key: str, uses: str | None) -> PodPlan:
        """The pod that runs `uses_before` or `uses_after`: on the default host, without a device."""
        return PodPlan(
            topology=self.topology,
            name=self._name(f"{key}-0"),
            deployment=self.spec.name,
            role=Role.WORKER,
            host=LOOPBACK,
            env=self._env(None),
            uses=uses,
            workspace=self.spec.workspace,
        )

    def _worker(self, shard: int, replica: int) -> PodPlan:
        spec = self.spec
        gpu = self.hand.devices.get((shard, replica))
        alone = spec.shards == spec.replicas == 1
        return PodPlan(
            topology=self.topology,
            name=self._worker_name(shard, replica),
            deployment=spec.name,
            role=Role.WORKER,
            shard=shard,
            replica=replica,
            host=spec.host,
            port=spec.port if alone else None,
            gpu=gpu,
            env=self._env(gpu),
            uses=spec.uses,
            uses_with=spec.uses_with,
            workspace=spec.workspace,
            runtime=spec.kind,
        )

    def _name(self, pod: str) -> str:
        return f"{self.spec.name}/{pod}" if self.spec.name else pod

    def _worker_name(self, shard: int, replica: int) -> str:
        if self.spec.has_head:
            return self._name(f"shard-{shard}/rep-{replica}")
        return self._name(f"rep-{replica}") if self.spec.name else str(replica)

    def _env(self, gpu: str | None) -> dict[str, str]:
        """The deployment's environment; where devices are dealt, the pod's own stands in place of the rule."""
        if not self.hand.rules:
            return dict(self.spec.env)
        env = {name: value for name, value in self.spec.env.items() if name != VARIABLE}
        return env if gpu is None else {**env, VARIABLE: gpu, **ORDER}
