"""Changing what runs: another plan, another number of replicas, restarts one at a time. One change at a time.

Everything goes through pods' lives: this only says in which order pods are told what, and waits for what it leads to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..control import Caller, Difference
from ..errors import Conflict, QuarterdeckError, TargetError
from ..model import Level, Phase, PodKey, Role, Runtime
from ..plan.pods import Plan, PodPlan
from ..plan.status import topology_status
from ..spec.topology import Topology
from .change import differ
from .launch import Launch, relaunch
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
        return plan, differ(running.plan, plan, self._stage.home)

    def apply(self, running: Running, topology: Topology, caller: Caller) -> Difference:
        """Make what runs what the topology says; returns once it has begun. Raises SpecError, PortTaken, Conflict."""
        name = running.status.name
        self._must_be_free(name)
        plan, difference = self.difference(running, topology, caller)
        old = {pod.name: pod for pod in running.plan.pods}
        given_up = {old[pod].port for pod in (*difference.removed, *difference.replaced)} - {None}
        moved = {pod for pod in difference.replaced if old[pod].port != _named(plan, pod).port}
        new = [pod for pod in plan.pods if pod.name in moved or pod.name in difference.added]
        check_planned([pod for pod in new if pod.port not in given_up])
        status = topology_status(plan, running.status.created_at, running.status.owner)
        running.become(plan, caller, status, tuple(old[pod] for pod in difference.removed))
        late = self._admit(running, difference, given_up)
        for line in difference.why:
            self._stage.tell(name, Level.INFO, line)
        for note in plan.notes:
            self._stage.tell(name, Level.WARN, note)
        for pod in plan.pods:
            if pod.name not in difference.added and pod.name not in difference.replaced:
                self._stage.post(pod.key, Replan(pod, running.policy_of(pod)))
        for pod in running.leaving:
            self._stage.post(pod.key, Halt(Hold.REMOVE, "not in the topology any more"))
        self._stage.release(running)
        self._begin(name, "a change of its text", lambda: self._make(running, difference, late))
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
        self._must_be_free(name)
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
        self._stage.tell(topology, Level.INFO, f"{deployment}: {file} changed; restarting its pods")
        try:
            if running.launches[deployment] is Launch.FAILED:
                running.launches[deployment] = Launch.UNDER_WAY
                pods = [self._stage.pods[plan.key] for plan in running.pods[deployment]]
                for key, stimulus in relaunch(pods).items():
                    self._stage.post(key, stimulus)
            else:
                await self.roll(running, [deployment])
        except QuarterdeckError as error:
            self._stage.tell(topology, Level.ERROR, f"{deployment}: the reload ends here: {error.message}")

    async def call_off(self, names: Iterable[str]) -> None:
        """End what is under way on these topologies, between two pods."""
        changes = [change for name, change in self._under_way.items() if name in set(names)]
        for change in changes:
            change.called_off = True
            change.task.cancel()
        await asyncio.gather(*(change.task for change in changes), return_exceptions=True)

    # -- how it is made

    def _must_be_free(self, name: str) -> None:
        change = self._under_way.get(name)
        if change is not None:
            raise Conflict(f"{name}: {change.what} is under way", "wait for its end: qd events -f")

    def _begin(self, name: str, what: str, work: Work) -> Change:
        async def guarded() -> None:
            try:
                await work()
            finally:
                self._under_way.pop(name, None)

        change = Change(what, asyncio.create_task(guarded(), name=f"{what} of {name}"))
        self._under_way[name] = change
        return change

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

    async def _make(self, running: Running, difference: Difference, late: list[PodKey]) -> None:
        """What takes its time: pods that go, then pods that are replaced, one at a time."""
        name = running.status.name
        try:
            await self._see_off(running)
            for key in late:
                self._stage.post(key, Begin())
            anew = self._relaunched(running, difference)
            for plan in _in_turn(running.plan.pods):
                if plan.name in difference.replaced:
                    self._stage.post(plan.key, Replan(plan, running.policy_of(plan)))
                    if plan.deployment not in anew:
                        await self._renew(plan.key)
            for deployment in anew:
                pods = [self._stage.pods[plan.key] for plan in running.pods[deployment]]
                for key, stimulus in relaunch(pods).items():
                    self._stage.post(key, stimulus)
        except QuarterdeckError as error:
            self._stage.tell(name, Level.ERROR, f"the change ends here: {error.message}")
            return
        self._stage.tell(name, Level.INFO, "changed")

    def _relaunched(self, running: Running, difference: Difference) -> list[str]:
        """Deployments that never came up and are touched: they are tried again as a whole."""
        touched = {*difference.added, *difference.replaced}
        anew = [
            name
            for name, launch in running.launches.items()
            if launch is Launch.FAILED and any(pod.name in touched for pod in running.pods[name])
        ]
        for name in anew:
            running.launches[name] = Launch.UNDER_WAY
        return anew

    async def _see_off(self, running: Running) -> None:
        """Wait until what leaves has ended, and forget it."""
        while running.leaving:
            for plan in running.leaving:
                pod = self._stage.pods.get(plan.key)
                if pod is None or pod.phase in RESTING:
                    running.leaving = tuple(each for each in running.leaving if each is not plan)
                    self._stage.forget(plan.key)
            if running.leaving:
                await self._stage.stepped()

    async def _roll(self, keys: Sequence[PodKey]) -> None:
        for key in keys:
            pod = self._stage.pods.get(key)
            if pod is not None and pod.hold is not Hold.STOP:
                await self._renew(key)

    async def _renew(self, key: PodKey) -> None:
        """Restart a pod and wait until it is ready. One that was stopped stays so."""
        pod = self._stage.pods.get(key)
        if pod is None or pod.hold is Hold.STOP:
            return
        run = pod.run
        self._stage.post(key, Renew())
        while True:
            await self._stage.stepped()
            pod = self._stage.pods.get(key)
            if pod is None or pod.hold in (Hold.REMOVE, Hold.STOP):
                raise Conflict(f"{key} was stopped meanwhile", "start it, and restart the others again")
            if pod.run > run and pod.phase is Phase.READY:
                return
            if pod.run > run and pod.phase in (Phase.FAILED, Phase.BACKOFF):
                raise await self._stage.start_error(key)


def _named(plan: Plan, name: str) -> PodPlan:
    return next(pod for pod in plan.pods if pod.name == name)


def _in_turn(pods: Iterable[PodPlan]) -> list[PodPlan]:
    """One replica of each shard after the other, so that neighbours in the row serve different data."""

    def turn(pod: PodPlan) -> tuple[int, int, int]:
        last = 0 if pod.shard is not None else 2 if pod.role is Role.GATEWAY else 1
        return last, pod.replica or 0, pod.shard or 0

    return sorted(pods, key=turn)
