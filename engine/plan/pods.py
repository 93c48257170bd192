"""`PodPlan` and `Plan`: what will run, before anything does; plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..model import PodKey, Role, Runtime
from ..spec.topology import DeploymentSpec, Topology


@dataclass(frozen=True, slots=True)
class PodPlan:
    """One pod to be: everything about it that does not change from run to run."""

    topology: str
    name: str
    """`gateway`, `index/head`, `index/uses_before-0`, `index/shard-0/rep-1`, `clean/rep-0` …"""
    deployment: str
    """Name of the deployment; `gateway` for the gateway."""
    role: Role
    shard: int | None = None
    replica: int | None = None
    runtime: Runtime = Runtime.PROCESS
    host: str = "127.0.0.1"
    port: int | None = None
    """None: it binds a free one and reports."""
    gpu: str | None = None
    """Value of CUDA_VISIBLE_DEVICES when one was dealt, else None."""
    env: dict[str, str] = field(default_factory=dict)
    """What the deployment sets beside the caller's environment, GPU variables included."""
    uses: str | None = None
    uses_with: dict[str, Any] = field(default_factory=dict)
    workspace: str | None = None
    """Absolute, or None: the engine gives it a folder of its own."""

    @property
    def key(self) -> PodKey:
        return PodKey(self.topology, self.name)


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """One deployment's pods: head, before, after, then workers by shard and replica."""

    spec: DeploymentSpec
    head: PodPlan | None
    before: PodPlan | None
    after: PodPlan | None
    workers: tuple[PodPlan, ...]

    @property
    def pods(self) -> tuple[PodPlan, ...]:
        """In the order of the tree."""
        front = (pod for pod in (self.head, self.before, self.after) if pod is not None)
        return (*front, *self.workers)

    @property
    def port(self) -> int | None:
        """The head's port, or the only worker's."""
        if self.head is not None:
            return self.head.port
        return self.workers[0].port if len(self.workers) == 1 else None


@dataclass(frozen=True, slots=True)
class Plan:
    """A topology's pods."""

    topology: Topology
    gateway: PodPlan | None
    deployments: tuple[DeploymentPlan, ...]
    """Ordered so that each comes after those it needs."""
    notes: tuple[str, ...] = ()
    """What the user should know: `index: no GPU found, CUDA_VISIBLE_DEVICES is not set`."""

    @property
    def pods(self) -> tuple[PodPlan, ...]:
        """All pods in the order of the tree: the gateway first."""
        front = () if self.gateway is None else (self.gateway,)
        return front + tuple(pod for deployment in self.deployments for pod in deployment.pods)
