"""`Dealer`: which device each worker of a topology gets, over all of its deployments. Pure.

`RR…` and `gpus: N` go by the replica alone, the same in every shard; `spread` and `auto` go over shards and
deployments, after those.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..spec.topology import DeploymentSpec
from ..spec.wrong import Wrong
from .gpus import GpuView, deal

AUTO, SPREAD = "auto", "spread"


@dataclass(frozen=True, slots=True)
class Hand:
    """What one deployment was dealt."""

    devices: dict[tuple[int, int], str] = field(default_factory=dict)
    """Value of CUDA_VISIBLE_DEVICES by shard and replica; a worker that is not in it gets none."""
    rules: bool = False
    """Whether there was a rule, so that the variable is ours to set or to leave out."""

    @property
    def empty(self) -> bool:
        """Whether there was a rule and nothing to deal."""
        return self.rules and not self.devices


@dataclass(slots=True)
class Dealer:
    """Deals one plan's devices, and remembers how often each was dealt."""

    gpus: GpuView
    used: Counter[str] = field(default_factory=Counter)

    def hand(self, spec: DeploymentSpec) -> Hand:
        """The devices of one deployment. Raises `Wrong`. Those that `waits` are to come last."""
        if spec.gpus is None:
            devices = deal(spec, self.gpus)
            return Hand() if devices is None else self._by_replica(spec, devices)
        if not self.gpus.devices:
            return Hand(rules=True)
        if not waits(spec):
            return self._by_replica(spec, self._blocks(spec))
        workers = [(shard, replica) for shard in range(spec.shards) for replica in range(spec.replicas)]
        return Hand({worker: self._next(spec.gpus) for worker in workers}, rules=True)

    def _by_replica(self, spec: DeploymentSpec, devices: tuple[str, ...]) -> Hand:
        if not devices:
            return Hand(rules=True)
        dealt = {
            (shard, replica): devices[replica % len(devices)]
            for shard in range(spec.shards)
            for replica in range(spec.replicas)
        }
        for value in dealt.values():
            self.used.update(value.split(","))
        return Hand(dealt, rules=True)

    def _blocks(self, spec: DeploymentSpec) -> tuple[str, ...]:
        """`gpus: N`: neighbours in blocks of N, round robin over the replicas."""
        size, devices = int(spec.gpus or 0), self.gpus.devices
        if size > len(devices):
            found = f"devices found: {', '.join(devices)} ({self.gpus.source})"
            raise Wrong(f"`gpus: {size}` asks for more devices than there are", found)
        blocks = len(devices) // size
        return tuple(",".join(devices[block * size : (block + 1) * size]) for block in range(blocks))

    def _next(self, rule: str) -> str:
        """The device dealt least often; of these `auto` takes the one with the most free memory, else the first."""
        free = self.gpus.free if rule == AUTO else ()

        def order(place: int) -> tuple[int, int, int]:
            return self.used[self.gpus.devices[place]], -free[place] if free else 0, place

        device = self.gpus.devices[min(range(len(self.gpus.devices)), key=order)]
        self.used[device] += 1
        return device


def waits(spec: DeploymentSpec) -> bool:
    """Whether a deployment takes what others leave, so that it is dealt after them."""
    return spec.gpus in (AUTO, SPREAD)
