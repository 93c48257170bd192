"""Changing what runs: another plan, another number of replicas, restarts one at a time. One change at a time.

Everything goes through pods' lives: this only says in which order pods are told what, and waits for what it leads to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..control import Caller, Difference
from ..errors import Conflict, QuarterdeckError, TargetError
from ..model import Level, Phase, PodKey, Role, Runtime
from ..plan.pods import Plan, PodPlan
from ..plan.status import topology_status
from ..spec.topology import Topology
from .change import differ
from .launch import Launch
from .lifecycle import RESTING
from .ports import check_planned
from .stage import Stage
from .state import Begin, Halt, Hold, Pod, Renew, Replan
from .world import Running

Work = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Change:
    """What is under way on one topology."""

    what: str
    task: asyncio.Task[None]
    called_off: bool = False


class Changes:
    """Carries changes out, on the supervisor's stage."""

    def __init__(self, stage: Stage, plan: Callable[[Topology, Caller], Plan]) -> None:
        self._stage = stage
        self._plan = plan
        self._under_way: dict[str, Change] = {}

    # -- what is asked for

    def difference(self, running: Running, topology: Topology, caller: Caller) -> tuple[Plan, Difference]:
        """The plan of another text, and what it changes. Raises SpecError."""
        plan = self._plan(topology, caller)
        return plan, differ(running.plan, plan, self._stage.home, running.stale(self._stage.pods))

    def unfinished(self, running: Running) -> bool:
        """Whether a change ended before all was as its text says."""
        return running.status.name not in self._under_way and bool(running.stale(self._stage.pods))

    def apply(self, running: Running, topology: Topology, caller: Caller) -> Difference:
        """Make what runs what the topology says; returns once it has begun. Raises SpecError, PortTaken, Conflict."""
        name = running.status.name
        self._must_be_free(running)
        plan, difference = self.difference(running, topology, caller)
        given_up = _check_ports(self._ports(running), plan, difference)
        failed = _to_try_again(running, plan, difference)
        routers = {pod.key: running.routers_of(pod) for pod in running.plan.pods}
        status = topology_status(plan, running.status.created_at, running.status.owner)
        running.become(plan, caller, status, difference.kept)
        late = self._admit(running, difference, given_up)
        self._stage.publish()
        for line in difference.why:
            self._stage.tell(name, Level.INFO, line)
        for note in plan.notes:
            self._stage.tell(name, Level.WARN, note)
        self._replan(running, difference)
        for deployment in failed:
            self._stage.launching.again(running, deployment)
        self._stage.launching.release(running)
        self._begin(name, "a change of its text", lambda: self._make(running, routers, late, failed))
        return difference

    def scale(self, running: Running, replicas: Mapping[str, int]) -> Difference:
        """Give deployments another number of replicas; returns once it has begun."""
        topology = running.plan.topology
        known = {spec.name: spec for spec in topology.deployments}
        for name in replicas:
            if name not in known:
                have = ", ".join(known)
                raise TargetError(f"{topology.name} has no deployment {name}", f"it has: {have}")
            if known[name].external:
                raise TargetError(f"{topology.name}/{name} is external", "its replicas are somebody else's")
        specs = tuple(
            replace(spec, replicas=replicas.get(spec.name, spec.replicas)) for spec in topology.deployments
        )
        return self.apply(running, replace(topology, deployments=specs), running.caller)

    async def roll(self, running: Running, deployments: Sequence[str]) -> None:
        """Restart workers one at a time. Raises StartError at the first that does not get ready."""
        name = running.status.name
        for deployment in deployments:
            if deployment not in running.specs:
                have = ", ".join(running.specs)
                raise TargetError(f"{name} has no deployment {deployment}", f"it has: {have}")
            if running.specs[deployment].kind is Runtime.EXTERNAL:
                raise TargetError(f"{name}/{deployment} is external", "somebody else restarts it")
        workers = [
            pod.key
            for pod in _in_turn(running.plan.pods)
            if pod.deployment in deployments and pod.role is Role.WORKER
        ]
        self._must_be_free(running)
        change = self._begin(name, "a rolling restart", lambda: self._roll(workers))
        try:
            await change.task
        except asyncio.CancelledError:
            if change.called_off:
                raise Conflict(f"{name} went down meanwhile", "see: qd events") from None
            raise

    async def reload(self, topology: str, deployment: str, file: str) -> None:
        """Restart a deployment whose code changed; what goes wrong is told in Events."""
        running = self._stage.running(topology)
        if running is None or deployment not in running.specs:
            return
        while (change := self._under_way.get(topology)) is not None:
            await asyncio.wait([change.task])
        self._stage.tell(topology, Level.INFO, f"{deployment}: {file} changed; restarting its pods")
        try:
            if self._stage.launching.again(running, deployment):
                return
            if running.specs[deployment].kind is Runtime.THREAD:
                self._renew_together(running, deployment)
            else:
                await self.roll(running, [deployment])
        except QuarterdeckError as error:
            said = error.message.partition("\n")[0]
            self._stage.tell(topology, Level.ERROR, f"{deployment}: the reload ends here: {said}")

    async def call_off(self, names: Iterable[str]) -> None:
        """End what is under way on these topologies, between two pods."""
        changes = [change for name, change in self._under_way.items() if name in set(names)]
        for change in changes:
            change.called_off = True
            change.task.cancel()
        await asyncio.gather(*(change.task for change in changes), return_exceptions=True)

    # -- how it is made

    def _must_be_free(self, running: Running) -> None:
        name = running.status.name
        change = self._under_way.get(name)
        if change is not None:
            raise Conflict(f"{name}: {change.what} is under way", "wait for its end: qd events -f")
        if running.going:
            raise Conflict(f"{name} is going down", "once it is gone, start it with: qd up")

    def _begin(self, name: str, what: str, work: Work) -> Change:
        async def guarded() -> None:
            try:
                await work()
            finally:
                self._under_way.pop(name, None)

        change = Change(what, asyncio.create_task(guarded(), name=f"{what} of {name}"))
        self._under_way[name] = change
        return change

    def _ports(self, running: Running) -> dict[str, int | None]:
        """What each pod listens on, or is to."""
        return {pod.name: self._stage.pods[pod.key].port or pod.port for pod in running.plan.pods}

    def _admit(self, running: Running, difference: Difference, given_up: set[int | None]) -> list[PodKey]:
        """Take new pods in; those whose port another still has wait for it, and are told."""
        late: list[PodKey] = []
        pods: list[Pod] = []
        now = time.time()
        for plan in running.plan.pods:
            if plan.name not in difference.added:
                continue
            waits = plan.port is not None and plan.port in given_up
            first = self._stage.last_run(plan.key)
            pods.append(
                Pod(
                    plan,
                    running.policy_of(plan),
                    since=now,
                    run=first,
                    first_run=first,
                    launched=running.launches[plan.deployment] is Launch.DONE,
                    hold=Hold.STOP if waits else None,
                )
            )
            if waits:
                late.append(plan.key)
        self._stage.admit(pods)
        return late

    def _replan(self, running: Running, difference: Difference) -> None:
        """Tell pods that stay what they are from now on, or from their next run on."""
        running.due = {}
        for plan in running.plan.pods:
            if plan.name in difference.added:
                continue
            later = plan.name in difference.replaced
            if later:
                running.due[plan.key] = self._stage.pods[plan.key].run
            self._stage.post(plan.key, Replan(plan, running.policy_of(plan), later))

    async def _make(
        self,
        running: Running,
        routers: Mapping[PodKey, tuple[PodKey, ...]],
        late: Iterable[PodKey],
        anew: Collection[str],
    ) -> None:
        """What takes its time: pods that go, then pods that are replaced, one at a time."""
        name = running.status.name
        try:
            await self._see_off(running, routers)
            for key in late:
                self._stage.post(key, Begin())
            for plan in _in_turn(running.plan.pods):
                if plan.key in running.due and plan.deployment not in anew:
                    await self._renew(plan.key, running.due[plan.key])
        except QuarterdeckError as error:
            said = error.message.partition("\n")[0]
            self._stage.tell(name, Level.ERROR, f"the change ends here: {said}")
            return
        self._stage.tell(name, Level.INFO, "changed")

    async def _see_off(self, running: Running, routers: Mapping[PodKey, tuple[PodKey, ...]]) -> None:
        """End what leaves, and forget it; a router goes before those that it still sends to."""
        told: set[PodKey] = set()
        while running.leaving:
            left = {plan.key for plan in running.leaving}
            for plan in running.leaving:
                pod = self._stage.pods[plan.key]
                if pod.hold is Hold.REMOVE and pod.phase in RESTING:
                    running.leaving = tuple(each for each in running.leaving if each is not plan)
                    self._stage.forget(plan.key)
                elif plan.key not in told and not left.intersection(routers.get(plan.key, ())):
                    told.add(plan.key)
                    self._stage.post(plan.key, Halt(Hold.REMOVE, "not in the topology any more"))
            if len(running.leaving) == len(left):
                await self._stage.stepped()

    async def _roll(self, keys: Sequence[PodKey]) -> None:
        for key in keys:
            pod = self._stage.pods.get(key)
            if pod is not None:
                await self._renew(key, pod.run)

    def _renew_together(self, running: Running, deployment: str) -> None:
        """Restart workers that run at once: threads of one process find other code when all of them have ended."""
        for plan in running.pods[deployment]:
            if plan.role is Role.WORKER and self._stage.pods[plan.key].hold is None:
                self._stage.post(plan.key, Renew())

    async def _renew(self, key: PodKey, run: int) -> None:
        """Have a pod in a run after `run`, and ready. One that was stopped or has not begun stays so."""
        pod = self._stage.pods.get(key)
        if pod is not None and (pod.hold is Hold.STOP or pod.phase is Phase.PENDING):
            return
        if pod is not None and pod.run == run:
            self._stage.post(key, Renew())
            await self._stage.stepped()
        while True:
            pod = self._stage.pods.get(key)
            if pod is None or pod.hold in (Hold.REMOVE, Hold.STOP):
                raise Conflict(f"{key} was stopped meanwhile", "start it, and restart the others again")
            if pod.run > run and pod.phase is Phase.READY:
                return
            if pod.run > run and pod.phase in RESTING:
                raise await self._stage.start_error(key)
            await self._stage.stepped()


def _check_ports(before: Mapping[str, int | None], new: Plan, difference: Difference) -> set[int | None]:
    """Ports that are given up; raises PortTaken where one that comes to be wanted is somebody else's."""
    given_up = {before[name] for name in (*difference.removed, *difference.replaced)} - {None}
    check_planned(pod for pod in new.pods if pod.port not in given_up and before.get(pod.name) != pod.port)
    return given_up


def _to_try_again(running: Running, plan: Plan, difference: Difference) -> list[str]:
    """Deployments that did not start, and are something else now."""
    touched = {*difference.added, *difference.replaced}
    return [
        one.spec.name
        for one in plan.deployments
        if running.launches.get(one.spec.name) is Launch.FAILED
        and (one.spec != running.specs[one.spec.name] or any(pod.name in touched for pod in one.pods))
    ]


def _in_turn(pods: Iterable[PodPlan]) -> list[PodPlan]:
    """One replica of each shard after the other, so that neighbours in the row serve different data."""

    def turn(pod: PodPlan) -> tuple[int, int, int]:
        last = 0 if pod.shard is not None else 2 if pod.role is Role.GATEWAY else 1
        return last, pod.replica or 0, pod.shard or 0

    return sorted(pods, key=turn)
