"""Which device each worker of a topology gets, over all of its deployments. Pure.

`RR…` and `gpus: N` go by the replica alone, the same in every shard; `spread` and `auto` go over shards and
deployments, and take what the others leave.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..spec.dealing import VARIABLE
from ..spec.topology import DeploymentSpec, Topology
from ..spec.wrong import Wrong
from .gpus import GpuView, deal
from .pods import Plan

AUTO, SPREAD = "auto", "spread"

Devices = dict[tuple[int, int], str]
"""Value of CUDA_VISIBLE_DEVICES by shard and replica."""


@dataclass(frozen=True, slots=True)
class Hand:
    """What one deployment was dealt."""

    devices: Devices = field(default_factory=dict)
    """A worker that is not in it gets none."""
    rules: bool = False
    """Whether there was a rule, so that the variable is ours to set or to leave out."""

    @property
    def empty(self) -> bool:
        """Whether there was a rule and nothing to deal."""
        return self.rules and not self.devices


def hands_of(
    topology: Topology, gpus: GpuView, runs: Plan | None = None
) -> tuple[dict[int, Hand], dict[int, Wrong]]:
    """What each deployment is dealt, by its place, and why some can't be.

    Workers of `spread` and `auto` keep what `runs`, the plan that is up, gave them: another deployment's change,
    or memory that they themselves have taken since, is no reason to move them.
    """
    dealer = _Dealer(gpus)
    hands: dict[int, Hand] = {}
    wrongs: dict[int, Wrong] = {}
    last = [index for index, spec in enumerate(topology.deployments) if spec.gpus in (AUTO, SPREAD)]
    for index, spec in enumerate(topology.deployments):
        if index not in last:
            try:
                hands[index] = dealer.by_replica(spec)
            except Wrong as wrong:
                wrongs[index] = wrong
    kept = {index: _kept(topology.deployments[index], gpus, runs) for index in last}
    for devices in kept.values():
        dealer.count(devices)
    for index in last:
        hands[index] = dealer.one_by_one(topology.deployments[index], kept[index])
    return hands, wrongs


def _kept(spec: DeploymentSpec, gpus: GpuView, runs: Plan | None) -> Devices:
    """What workers have by the same rule, as far as it is still there."""
    old = next((one for one in runs.deployments if one.spec.name == spec.name), None) if runs else None
    if old is None or old.spec.gpus != spec.gpus:
        return {}
    had = {(worker.shard, worker.replica): worker.gpu for worker in old.workers}
    found = {worker: had.get(worker) for worker in _workers(spec)}
    return {worker: gpu for worker, gpu in found.items() if gpu is not None and gpu in gpus.devices}


def _workers(spec: DeploymentSpec) -> list[tuple[int, int]]:
    return [(shard, replica) for shard in range(spec.shards) for replica in range(spec.replicas)]


@dataclass(slots=True)
class _Dealer:
    """Deals one plan's devices, and remembers how often each was dealt."""

    gpus: GpuView
    used: Counter[int] = field(default_factory=Counter)
    """By the device's place, since a rule may name it by index or by UUID."""

    def count(self, devices: Devices) -> None:
        """Remember what workers have."""
        for value in devices.values():
            places = [self._place(name.strip()) for name in value.split(",")]
            self.used.update(place for place in places if place is not None)

    def by_replica(self, spec: DeploymentSpec) -> Hand:
        """The same in every shard. Raises `Wrong`."""
        dealt = self._blocks(spec) if spec.gpus is not None else deal(spec, self.gpus)
        if dealt is None:
            # What is passed through is used all the same.
            self.count(dict.fromkeys(_workers(spec), spec.env.get(VARIABLE, "")))
            return Hand()
        devices = {
            (shard, replica): dealt[replica % len(dealt)] for shard, replica in _workers(spec) if dealt
        }
        self.count(devices)
        return Hand(devices, rules=True)

    def one_by_one(self, spec: DeploymentSpec, kept: Devices) -> Hand:
        """A device for each worker that has `kept` none."""
        if not self.gpus.devices:
            return Hand(rules=True)
        devices = {worker: kept.get(worker) or self._next(spec.gpus == AUTO) for worker in _workers(spec)}
        return Hand(devices, rules=True)

    def _blocks(self, spec: DeploymentSpec) -> tuple[str, ...]:
        """`gpus: N`: neighbours in blocks of N."""
        size, devices = int(spec.gpus or 0), self.gpus.devices
        if not devices:
            return ()
        if size > len(devices):
            found = f"devices found: {', '.join(devices)} ({self.gpus.source})"
            raise Wrong(f"`gpus: {size}` asks for more devices than there are", found)
        blocks = len(devices) // size
        return tuple(",".join(devices[block * size : (block + 1) * size]) for block in range(blocks))

    def _next(self, by_memory: bool) -> str:
        """The device dealt least often; of these the one with the most free memory, or the first.

        One that is lost is taken when there is no other.
        """
        free = self.gpus.free or (0,) * len(self.gpus.devices)

        def order(place: int) -> tuple[bool, int, int, int]:
            return free[place] < 0, self.used[place], -free[place] if by_memory else 0, place

        place = min(range(len(self.gpus.devices)), key=order)
        self.used[place] += 1
        return self.gpus.devices[place]

    def _place(self, name: str) -> int | None:
        """Which device a name is, by index or by UUID; None for one that can't be told."""
        if name in self.gpus.devices:
            return self.gpus.devices.index(name)
        if not name.startswith("GPU-"):
            return None
        known = self.gpus.uuids or self.gpus.devices
        return next((place for place, uuid in enumerate(known) if uuid.startswith(name)), None)
