"""What the supervisor holds beside its pods: the topologies that run, and what they look like from outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..control import Caller
from ..model import Fleet, PodKey, PodStatus, Runtime, TopologyStatus
from ..plan.pods import Plan, PodPlan
from ..plan.routing import way_to
from ..plan.status import deployment_status, planned
from ..spec.topology import DeploymentSpec
from ..wire.way import PLAIN, Way
from .launch import Launch
from .state import Pod, Policy


@dataclass(slots=True)
class Running:
    """One topology that is up."""

    plan: Plan
    caller: Caller
    """Whose world new pods are to live in."""
    status: TopologyStatus
    launches: dict[str, Launch] = field(default_factory=dict)
    """By deployment; the gateway counts as one."""
    specs: dict[str, DeploymentSpec] = field(default_factory=dict)
    pods: dict[str, tuple[PodPlan, ...]] = field(default_factory=dict)
    """By deployment."""
    shown: dict[PodKey, str] = field(default_factory=dict)
    """What each pod uses, without secrets."""
    leaving: tuple[PodPlan, ...] = ()
    """Pods that are in the plan no more and have not ended yet."""
    callers: dict[PodKey, Caller] = field(default_factory=dict)
    """Of pods that an earlier caller brought up and no change has touched since: they keep their world."""
    due: dict[PodKey, int] = field(default_factory=dict)
    """Pods that the last change is to replace, with the run that it found."""
    going: bool = False
    """Somebody brings it down."""

    @classmethod
    def of(cls, plan: Plan, caller: Caller, status: TopologyStatus) -> Running:
        pods = {deployment.spec.name: deployment.pods for deployment in plan.deployments}
        if plan.gateway is not None:
            pods[plan.gateway.deployment] = (plan.gateway,)
        return cls(
            plan,
            caller,
            status,
            # What somebody else runs has nothing to prove, and takes nobody down with it.
            {
                name: Launch.DONE if any(pod.runtime is Runtime.EXTERNAL for pod in some) else Launch.UNDER_WAY
                for name, some in pods.items()
            },
            {deployment.spec.name: deployment.spec for deployment in plan.deployments},
            pods,
            {status.key: status.uses for status in planned(plan)},
        )

    def become(self, plan: Plan, caller: Caller, status: TopologyStatus, kept: Collection[str]) -> None:
        """Be another plan from now on; pods that are `kept` (by name) stay in the world that they are in.

        Deployments that have been ready once need not prove it again.
        """
        new = Running.of(plan, caller, status)
        planned = {pod.key for pod in plan.pods}
        leaving = tuple(pod for pod in self.plan.pods if pod.key not in planned)
        stay = [pod.key for pod in (*self.all_pods, *plan.pods) if pod.name in kept or pod.key not in planned]
        self.callers = {key: self.caller_of(key) for key in stay}
        launches = {name: self.launches.get(name, launch) for name, launch in new.launches.items()}
        self.plan, self.caller, self.status = plan, caller, status
        self.launches, self.specs, self.pods = launches, new.specs, new.pods
        self.shown = self.shown | new.shown
        self.leaving = (*self.leaving, *leaving)

    @property
    def all_pods(self) -> tuple[PodPlan, ...]:
        """Those of the plan, then those that leave."""
        return (*self.plan.pods, *self.leaving)

    def policy_of(self, pod: PodPlan) -> Policy:
        spec = self.specs.get(pod.deployment)
        return Policy() if spec is None else Policy.of(spec, worker=pod.replica is not None)

    def caller_of(self, key: PodKey) -> Caller:
        """Whose world a pod lives in."""
        return self.callers.get(key, self.caller)

    def stale(self, pods: Mapping[PodKey, Pod]) -> frozenset[str]:
        """Names of pods that still run by an earlier plan: their turn has not come, or the change ended before it."""
        return frozenset(
            key.name
            for key, run in self.due.items()
            if key in pods and pods[key].run == run and pods[key].phase.alive
        )

    def way_to(self, pod: PodPlan) -> Way:
        """How a pod is spoken to; one whose deployment is gone is about to end, and nobody listens any more."""
        return way_to(self.plan, pod) if pod.deployment in self.pods else PLAIN

    def routers_of(self, pod: PodPlan) -> tuple[PodKey, ...]:
        """Who sends to the pod: its head, or the gateway when there is none."""
        for deployment in self.plan.deployments:
            if deployment.spec.name == pod.deployment:
                if deployment.head is not None and pod.key != deployment.head.key:
                    return (deployment.head.key,)
                break
        gateway = self.plan.gateway
        return () if gateway is None or pod.key == gateway.key else (gateway.key,)


def status_of(pod: Pod, uses: str) -> PodStatus:
    """A pod as the console may see it; `uses` as it may be shown."""
    plan = pod.plan
    return PodStatus(
        topology=plan.topology,
        name=plan.name,
        deployment=plan.deployment,
        role=plan.role,
        shard=plan.shard,
        replica=plan.replica,
        runtime=plan.runtime,
        phase=pod.phase,
        reason=one_clause(pod.reason),
        host=plan.host,
        port=pod.port if pod.port is not None else plan.port,
        gpu=plan.gpu,
        pid=pod.pid,
        run=pod.run,
        restarts=pod.restarts,
        exit_code=pod.exit_code,
        started_at=pod.started_at,
        ready_at=pod.ready_at,
        since=pod.since,
        next_try_at=pod.next_try_at,
        uses=uses,
    )


def one_clause(text: str) -> str:
    """One line, without anything that could drive a terminal."""
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """The text with tabs as blanks and every other character that prints nothing replaced."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text.expandtabs())


class Picture:
    """Builds fleets; a pod that has not changed keeps its status object, so that nothing is built twice."""

    def __init__(self) -> None:
        self._statuses: dict[PodKey, tuple[Pod, PodStatus]] = {}

    def fleet(self, revision: int, running: Iterable[Running], pods: Mapping[PodKey, Pod]) -> Fleet:
        """The fleet with its pods in the order of the tree."""
        topologies = list(running)
        order = [plan.key for topology in topologies for plan in topology.all_pods]
        shown = {key: uses for topology in topologies for key, uses in topology.shown.items()}
        statuses: dict[PodKey, tuple[Pod, PodStatus]] = {}
        for key in order:
            pod = pods[key]
            known = self._statuses.get(key)
            same = known is not None and known[0] is pod
            statuses[key] = known if known is not None and same else (pod, status_of(pod, shown[key]))
        self._statuses = statuses
        ports = {key: status.port for key, (_, status) in statuses.items()}
        return Fleet(
            revision=revision,
            topologies=tuple(topology.status for topology in topologies),
            deployments=tuple(
                replace(status, port=_port_of(topology, status.name, ports))
                for topology in topologies
                for status in deployment_status(topology.plan)
            ),
            pods=tuple(statuses[key][1] for key in order),
        )


def _port_of(topology: Running, name: str, ports: Mapping[PodKey, int | None]) -> int | None:
    """The port that a deployment answers on, once it is known."""
    for deployment in topology.plan.deployments:
        if deployment.spec.name == name:
            front = deployment.head or (deployment.workers[0] if len(deployment.workers) == 1 else None)
            return ports.get(front.key) if front is not None else None
    return None
