"""`Facts`: what there is to know of one deployment: as planned before start, as bound after."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

from ..model import PodStatus, Role
from ..plan.pods import DeploymentPlan, PodPlan
from ..spec.topology import DeploymentSpec
from ..verdict import all_ready

_SANDBOXES = ("jinahub+sandbox://", "jinaai+sandbox://")


class Watched(ABC):
    """Whatever has pods."""

    @property
    @abstractmethod
    def pods(self) -> tuple[PodStatus, ...]:
        """All pods as they are now; none before start and after close."""

    @property
    @abstractmethod
    def address(self) -> str | None:
        """`host:port` that takes requests; None while it is unknown, or where there are several."""

    @property
    def is_ready(self) -> bool:
        """Whether at least one pod runs and all are ready: head, before, after, every replica of every shard."""
        return all_ready(self.pods)


class Facts(Watched):
    """The terms are Jina's. What is not known yet, a free port before it is bound, is None."""

    _spec: DeploymentSpec

    @property
    @abstractmethod
    def plan(self) -> DeploymentPlan:
        """What is to run. Raises SpecError where that can't be: no such GPU, say."""

    @property
    def spec(self) -> DeploymentSpec:
        """What was asked for."""
        return self._spec

    @property
    def name(self) -> str:
        return self._spec.name

    @property
    def role(self) -> Role:
        """Of the pod that answers at its address."""
        return Role.HEAD if self._spec.has_head else Role.WORKER

    @property
    def needs(self) -> tuple[str, ...]:
        return self._spec.needs

    @property
    def external(self) -> bool:
        """Whether somebody else runs it."""
        return self._spec.external

    @property
    def is_sandbox(self) -> bool:
        """Whether a hub runs it."""
        return (self._spec.uses or "").startswith(_SANDBOXES)

    @property
    def dockerized_uses(self) -> bool:
        """Whether one of its executors is a container's image."""
        spec = self._spec
        return any(
            (uses or "").startswith("docker://") for uses in (spec.uses, spec.uses_before, spec.uses_after)
        )

    @property
    def tls_enabled(self) -> bool:
        return self._spec.tls_enabled or self.is_sandbox

    @property
    def protocol(self) -> str:
        """`grpc`, or `grpcs` under TLS; a command's `http` likewise."""
        return self._spec.protocol + ("s" if self.tls_enabled else "")

    @property
    def num_pods(self) -> int:
        """Head, before, after and all workers; none of an external deployment's is ours."""
        return self._spec.num_pods

    # -- pods

    @property
    def first_pod_args(self) -> PodPlan:
        """The first worker."""
        return self._known(self.plan.workers[0])

    @property
    def head_args(self) -> PodPlan | None:
        return self._if_known(self.plan.head)

    @property
    def uses_before_args(self) -> PodPlan | None:
        return self._if_known(self.plan.before)

    @property
    def uses_after_args(self) -> PodPlan | None:
        return self._if_known(self.plan.after)

    @property
    def all_args(self) -> tuple[PodPlan, ...]:
        """Before, after, head, then the workers by shard and replica."""
        plan = self.plan
        front = (pod for pod in (plan.before, plan.after, plan.head) if pod is not None)
        return tuple(map(self._known, (*front, *plan.workers)))

    # -- where

    @property
    def head_host(self) -> str | None:
        head = self.head_args
        return None if head is None else head.host

    @property
    def head_port(self) -> int | None:
        head = self.head_args
        return None if head is None else head.port

    @property
    def host(self) -> str:
        """The first worker's."""
        return self.first_pod_args.host

    @property
    def port(self) -> int | None:
        """The first worker's."""
        return self.first_pod_args.port

    @property
    def ports(self) -> tuple[int | None, ...]:
        """The head's port, or without a head every replica's."""
        return tuple(pod.port for pod in self._doors())

    @property
    def address(self) -> str | None:
        """`host:port` of the head or the only replica; None while unknown or when there are several."""
        doors = self._doors()
        return f"{doors[0].host}:{doors[0].port}" if len(doors) == 1 and doors[0].port else None

    def _doors(self) -> tuple[PodPlan, ...]:
        plan = self.plan
        return tuple(map(self._known, plan.workers if plan.head is None else (plan.head,)))

    def _if_known(self, pod: PodPlan | None) -> PodPlan | None:
        return None if pod is None else self._known(pod)

    def _known(self, pod: PodPlan) -> PodPlan:
        """The plan with what has been found out since."""
        for status in self.pods:
            if status.name == pod.name:
                return replace(pod, host=status.host, port=status.port or pod.port, gpu=status.gpu or pod.gpu)
        return pod


class Member(Facts):
    """One deployment of a topology, as it stands there."""

    def __init__(
        self,
        spec: DeploymentSpec,
        plan: Callable[[], DeploymentPlan],
        pods: Callable[[], tuple[PodStatus, ...]],
    ) -> None:
        self._spec = spec
        self._plan = plan
        self._pods = pods

    @property
    def plan(self) -> DeploymentPlan:
        return self._plan()

    @property
    def pods(self) -> tuple[PodStatus, ...]:
        return tuple(
            pod for pod in self._pods() if pod.deployment == self.name and pod.role is not Role.GATEWAY
        )
