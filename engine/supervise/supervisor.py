"""The supervisor: the one owner of live state, in this process. It satisfies `Control`."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Mapping, Sequence

from ..control import Caller, Difference, UpOutcome, UpResult, Verb, World
from ..errors import Conflict, StartError, TargetError, UsageError
from ..home import Home
from ..model import (
    EngineInfo,
    Event,
    Fleet,
    Gpu,
    Level,
    LogChunk,
    LogRun,
    PodDetails,
    PodKey,
    Runtime,
    Samples,
)
from ..observe.broadcast import Broadcast
from ..observe.chronicle import Chronicle
from ..observe.logs import LogBook
from ..observe.samples import Sampler
from ..plan.planner import plan
from ..plan.pods import Plan
from ..plan.status import topology_status
from ..runtimes.command import CommandRuntime
from ..runtimes.external import ExternalRuntime
from ..runtimes.process import ProcessRuntime
from ..runtimes.runtime import Fact
from ..runtimes.thread import ThreadRuntime
from ..spec import document as documents
from ..spec.topology import Topology
from ..verdict import start_error
from .changes import Changes
from .details import details_of
from .devices import Devices
from .hands import Hands
from .keeping import Keeping
from .launching import Launching
from .lifecycle import RESTING
from .machine import Machine
from .ports import check_planned
from .reload import Reloader
from .routers import Routers
from .stage import Stage
from .state import Begin, Effect, Halt, Hold, Pod, Renew, SendSignal, Stimulus
from .world import Picture, Running, one_clause

SIGNALS = frozenset(map(int, signal.Signals))


class Supervisor:
    """Runs topologies through a keeper of its own. `open` before use, `close` after."""

    def __init__(
        self,
        home: Home,
        version: str,
        stays: bool = False,
        log_fd: int | None = None,
        keeper: subprocess.Popen[bytes] | None = None,
    ) -> None:
        """`log_fd` takes what the keeper prints; `keeper` is one that was started already."""
        self.home = home
        self.stays = stays
        self._version = version
        self._started_at = time.time()
        self._running: dict[str, Running] = {}
        self._revision = 0
        self._picture = Picture()
        self.broadcast = Broadcast()
        self._chronicle = Chronicle()
        self._logs = LogBook(home.logs)
        self._machine = Machine(self._perform, self._moved, self._settled)
        self._runtime = ProcessRuntime(home, self._report, log_fd, keeper)
        self._routers = Routers(self._machine, self._running)
        self._keeping = Keeping(self._runtime, self._chronicle)
        self._launching = Launching(self._machine, self._running)
        self._hands = Hands(
            home,
            self._logs,
            {
                Runtime.PROCESS: self._runtime,
                Runtime.COMMAND: CommandRuntime(self._runtime, self._report),
                Runtime.EXTERNAL: ExternalRuntime(self._report),
                Runtime.THREAD: ThreadRuntime(self._runtime, self._report),
            },
            self._machine.post,
            self._running.__getitem__,
            self._tell,
            lambda pod: self._routers.acknowledged(),
            self._keeping.lost,
        )
        self._changes = Changes(
            Stage(
                home,
                self._running.get,
                self._launching,
                self._next_step,
                self._start_error,
                self._publish,
                self._machine,
                self._logs,
                self._chronicle,
            ),
            self._planned,
        )
        self._reloader = Reloader(self._changes.reload)
        self._sampler = Sampler(self._pids)
        self._stepped = asyncio.Event()
        """Set, and replaced, after each batch of steps: not all that they change can be seen in the fleet."""
        self._ending = False
        """Closing has begun: nothing new is taken."""
        self._closing = False
        self._devices = Devices()

    # -- life

    async def open(self) -> None:
        """Start the keeper; with it ends what an engine before us may have left."""
        self.home.prepare()
        self._devices.open()
        await self._runtime.open()
        self._sampler.open()

    async def close(self) -> None:
        """Close every topology, then everything that `open` started. Safe to call twice."""
        if self._closing:
            return
        self._ending = True
        try:
            await self.down(list(self._running))
        finally:
            self._closing = True
            self._keeping.stop()
            await self._reloader.close()
            await self._hands.close()
            await self._routers.close()
            await self._sampler.close()
            await self._keeping.close()
            await self._devices.close()
            self._chronicle.close()
            self.broadcast.close()

    # -- Control

    async def info(self) -> EngineInfo:
        """See `Control.info`."""
        gpus = await self._devices.mine()
        return EngineInfo(
            version=self._version,
            pid=os.getpid(),
            host=socket.gethostname(),
            started_at=self._started_at,
            socket=str(self.home.socket),
            home=str(self.home.folder),
            keeper_pid=self._runtime.keeper_pid,
            stays=self.stays,
            gpus=len(gpus.devices),
            gpus_source=gpus.source,
        )

    async def up(self, document: str, caller: Caller, owner: str = "", replace: bool = False) -> UpResult:
        """See `Control.up`."""
        topology = documents.load(document)
        await self._devices.count(topology)
        if self._ending:
            raise Conflict("the engine is ending", "try again once it has: the next `qd up` starts another")
        known = self._running.get(topology.name)
        if known is not None:
            same = known.status.digest == documents.digest(topology)
            if same and not (replace and self._changes.unfinished(known)):
                return UpResult(UpOutcome.UNCHANGED, topology.name)
            if not replace:
                return UpResult(UpOutcome.CHANGED, topology.name)
            self._changes.apply(known, topology, caller)
            self._watch_code(topology)
            return UpResult(UpOutcome.REPLACED, topology.name)
        planned = self._planned(topology, caller)
        check_planned(planned.pods)
        now = time.time()
        running = Running.of(planned, caller, topology_status(planned, now, owner))
        self._running[topology.name] = running
        first = {pod.key: self._logs.last_run(pod.key) for pod in planned.pods}
        self._machine.add(
            Pod(pod, running.policy_of(pod), since=now, run=first[pod.key], first_run=first[pod.key])
            for pod in planned.pods
        )
        count = f"{len(planned.pods)} pods"
        self._chronicle.tell(now, Level.INFO, topology.name, "", f"up from {topology.source}: {count}")
        for note in planned.notes:
            self._chronicle.tell(now, Level.WARN, topology.name, "", note)
        self._launching.release(running)
        self._watch_code(topology)
        return UpResult(UpOutcome.STARTED, topology.name)

    def _watch_code(self, topology: Topology, over: bool = False) -> None:
        self._reloader.keep(topology, () if over else topology.deployments)

    async def diff(self, document: str, caller: Caller) -> Difference:
        """See `Control.diff`."""
        topology = documents.load(document)
        await self._devices.count(topology)
        return self._changes.difference(self._known(topology.name), topology, caller)[1]

    async def scale(self, topology: str, replicas: Mapping[str, int]) -> Difference:
        """See `Control.scale`."""
        await self._devices.count(self._known(topology).plan.topology)
        return self._changes.scale(self._known(topology), replicas)

    async def roll(self, topology: str, deployments: Sequence[str]) -> None:
        """See `Control.roll`."""
        await self._changes.roll(self._known(topology), deployments)

    async def world(self, pod: PodKey) -> World:
        """See `Control.world`."""
        if pod not in self._machine.pods:
            raise TargetError(f"no pod {pod} is there", "see: qd ps")
        return self._hands.world_of(self._machine.pods[pod])

    def _known(self, name: str) -> Running:
        if name not in self._running:
            have = ", ".join(self._running) or "none"
            raise TargetError(f"no topology {name} is up", f"up are: {have}")
        return self._running[name]

    async def gpus(self) -> Sequence[Gpu]:
        """See `Control.gpus`."""
        dealt = {key: pod.plan.gpu for key, pod in self._machine.pods.items() if pod.plan.gpu is not None}
        return await self._devices.now(dealt, self._hands.pod_of)

    async def down(self, topologies: Sequence[str], grace: float | None = None) -> None:
        """See `Control.down`."""
        going = [self._known(name) for name in topologies]
        for running in going:
            running.going = True
            self._watch_code(running.plan.topology, over=True)
        await self._changes.call_off(topologies)
        keys = [pod.key for running in going for pod in running.all_pods]
        for key in keys:
            self._machine.post(key, Halt(Hold.REMOVE, "going down", grace))
        while not self._at_rest(keys):
            await self._next_step()
        for name in topologies:
            if self._running.pop(name, None) is not None:
                self._chronicle.tell(time.time(), Level.INFO, name, "", "down")
        self._machine.remove(keys)
        self._publish()

    def _at_rest(self, keys: Sequence[PodKey]) -> bool:
        pods = [self._machine.pods[key] for key in keys if key in self._machine.pods]
        return all(pod.hold is Hold.REMOVE and pod.phase in RESTING for pod in pods)

    async def act(self, verb: Verb, pods: Sequence[PodKey], signal: int = 0) -> None:
        """See `Control.act`."""
        for key in pods:
            if key not in self._machine.pods:
                raise TargetError(f"no pod {key} is there", "see: qd ps")
            self._hands.require(self._machine.pods[key].plan, verb.value)
        if verb is Verb.KILL and signal not in (0, *SIGNALS):
            raise UsageError(f"{signal} is not a signal", "try 15 (TERM), 1 (HUP), 10 (USR1) or 9 (KILL)")
        for key in pods:
            match verb:
                case Verb.STOP:
                    self._machine.post(key, Halt())
                case Verb.KILL:
                    self._machine.post(key, SendSignal(signal or 9))
                case Verb.START | Verb.RESTART:
                    self._launching.revive(key, Begin() if verb is Verb.START else Renew())

    def watch(self) -> AsyncIterator[Fleet]:
        """See `Control.watch`."""
        return self.broadcast.watch()

    def events(self, after: int = 0, follow: bool = True) -> AsyncIterator[Event]:
        """See `Control.events`."""
        return self._chronicle.follow(after, follow)

    def samples(self) -> AsyncIterator[Samples]:
        """See `Control.samples`."""
        return self._sampler.watch()

    async def details(self, pod: PodKey) -> PodDetails:
        """See `Control.details`."""
        found = self._machine.pods.get(pod)
        if found is None:
            raise TargetError(f"no pod {pod} is there", "see: qd ps")
        running, history = self._running[pod.topology], self._chronicle.of(pod, 20)
        return details_of(found, running, self.home, self._logs, history, self._hands.cannot(found.plan))

    async def log_runs(self, pod: PodKey) -> Sequence[LogRun]:
        """See `Control.log_runs`."""
        return self._logs.runs(pod)

    async def read_log(self, pod: PodKey, run: int = 0, offset: int = 0, limit: int = 262_144) -> LogChunk:
        """See `Control.read_log`."""
        return self._logs.read(pod, run, offset, limit)

    async def shutdown(self) -> None:
        """See `Control.shutdown`."""
        await self.close()

    # -- what the machine calls

    def _perform(self, pod: Pod, effect: Effect, now: float) -> None:
        self._hands.perform(pod, effect, now)

    def _report(self, fact: Fact) -> None:
        self._hands.report(fact)

    def _moved(self, before: Pod, after: Pod, stimulus: Stimulus, now: float) -> None:
        self._launching.moved(before, after)

    def _planned(self, topology: Topology, caller: Caller) -> Plan:
        known = self._running.get(topology.name)
        view = self._devices.view(topology, caller.env or os.environ)
        return plan(topology, view, None if known is None else known.plan)

    def _settled(self) -> None:
        self._routers.update()
        self._publish()
        stepped, self._stepped = self._stepped, asyncio.Event()
        stepped.set()

    async def _next_step(self) -> None:
        await self._stepped.wait()

    async def _start_error(self, key: PodKey) -> StartError:
        return await start_error(self, self.broadcast.fleet.by_key[key])

    def _publish(self) -> None:
        fleet = self._picture.fleet(self._revision + 1, self._running.values(), self._machine.pods)
        if not fleet.same_as(self.broadcast.fleet):
            self._revision += 1
            self.broadcast.offer(fleet)

    def _tell(self, pod: Pod, level: Level, text: str) -> None:
        key = pod.plan.key
        self._chronicle.tell(time.time(), level, key.topology, key.name, one_clause(text), pod.phase)

    def _pids(self) -> dict[PodKey, int]:
        return {key: pod.pid for key, pod in self._machine.pods.items() if pod.pid is not None}
