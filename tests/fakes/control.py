"""`FakeControl`: an engine in memory for tests of the console; it can be lost and come back as another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from quarterdeck.engine.control import Caller, Difference, UpOutcome, UpResult, Verb, World
from quarterdeck.engine.errors import Conflict, EngineUnreachable, QuarterdeckError, TargetError
from quarterdeck.engine.model import (
    EngineInfo,
    Event,
    Fleet,
    Gpu,
    Level,
    LogChunk,
    LogRun,
    PodDetails,
    PodKey,
    PodStatus,
    Samples,
)

INFO = EngineInfo(
    version="0.1.0", pid=4000, host="gpubox-3", started_at=1_000.0, socket="/run/qd.sock", home="/run", gpus=4
)


@dataclass
class FakeRun:
    """One run's log."""

    data: bytes = b""
    ending: str = ""
    started_at: float = 1_000.0
    ended_at: float | None = None


@dataclass(frozen=True)
class Act:
    """A verb as it reached the engine."""

    verb: Verb
    pods: tuple[str, ...]
    signal: int = 0


@dataclass
class FakeControl:
    """The engine and the line to it at once. What the console asked for stands in `acts` and `downs`."""

    fleet: Fleet = field(default_factory=Fleet)
    info_now: EngineInfo = INFO
    logs: dict[PodKey, list[FakeRun]] = field(default_factory=dict)
    found: dict[PodKey, PodDetails] = field(default_factory=dict)
    samples_now: Samples = field(default_factory=Samples)
    happened: list[Event] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    downs: list[tuple[str, ...]] = field(default_factory=list)
    reads: int = 0
    """Calls of `read_log`."""
    dials: int = 0
    alive: bool = True
    refuse: QuarterdeckError | None = None
    """What the next verb raises."""
    _bell: asyncio.Condition = field(default_factory=asyncio.Condition)

    # The test's side

    async def connect(self) -> FakeControl:
        """The connector for the App."""
        self.dials += 1
        self._reach()
        return self

    async def set(self, fleet: Fleet) -> None:
        """Another fleet."""
        self.fleet = replace(fleet, revision=self.fleet.revision + 1)
        await self._ring()

    async def change(self, pod: PodStatus, **fields: object) -> PodStatus:
        """Change one pod of the fleet; the pod as it is now."""
        new = replace(pod, **fields)  # type: ignore[arg-type]
        pods = tuple(new if each.key == pod.key else each for each in self.fleet.pods)
        await self.set(replace(self.fleet, pods=pods))
        return new

    async def emit(self, text: str, topology: str = "", pod: str = "", level: Level = Level.INFO) -> None:
        """An event."""
        self.happened.append(Event(len(self.happened) + 1, 1_100.0, level, topology, pod, text))
        await self._ring()

    async def measure(self, samples: Samples) -> None:
        """A round of samples."""
        self.samples_now = samples
        await self._ring()

    def write(self, key: PodKey, text: str | bytes) -> None:
        """Output of a pod's newest run."""
        runs = self.logs.setdefault(key, [FakeRun()])
        runs[-1].data += text if isinstance(text, bytes) else text.encode()

    def end_run(self, key: PodKey, ending: str, again: bool = True) -> None:
        """The newest run ended; with `again` the next one begins."""
        runs = self.logs[key]
        runs[-1].ending, runs[-1].ended_at = ending, 1_050.0
        if again:
            runs.append(FakeRun(started_at=1_051.0))

    async def lose(self) -> None:
        """The engine goes: every stream breaks, every call fails."""
        self.alive = False
        await self._ring()

    async def come_back(self, fleet: Fleet | None = None) -> None:
        """An engine answers again, with this fleet."""
        self.alive = True
        if fleet is not None:
            self.fleet = fleet
        await self._ring()

    async def _ring(self) -> None:
        async with self._bell:
            self._bell.notify_all()

    def _reach(self) -> None:
        if not self.alive:
            raise EngineUnreachable("no engine answers at /run/qd.sock", "one starts with: qd up FILE")

    # The console's side: `Control`

    async def close(self) -> None:
        pass

    async def info(self) -> EngineInfo:
        self._reach()
        return self.info_now

    async def up(self, document: str, caller: Caller, owner: str = "", replace: bool = False) -> UpResult:
        return UpResult(UpOutcome.UNCHANGED, document)

    async def diff(self, document: str, caller: Caller) -> Difference:
        """See `Control.diff`."""
        raise Conflict("not built yet")

    async def scale(self, topology: str, replicas: Mapping[str, int]) -> Difference:
        """See `Control.scale`."""
        raise Conflict("not built yet")

    async def roll(self, topology: str, deployments: Sequence[str]) -> None:
        """See `Control.roll`."""
        raise Conflict("not built yet")

    async def world(self, pod: PodKey) -> World:
        """See `Control.world`."""
        raise Conflict("not built yet")

    async def gpus(self) -> Sequence[Gpu]:
        """See `Control.gpus`."""
        return ()

    async def down(self, topologies: Sequence[str], grace: float | None = None) -> None:
        self._verb()
        self.downs.append(tuple(topologies))

    async def act(self, verb: Verb, pods: Sequence[PodKey], signal: int = 0) -> None:
        self._verb()
        self.acts.append(Act(verb, tuple(map(str, pods)), signal))
        await self._ring()

    def _verb(self) -> None:
        self._reach()
        if (error := self.refuse) is not None:
            self.refuse = None
            raise error

    async def watch(self) -> AsyncIterator[Fleet]:
        sent: Fleet | None = None
        while True:
            self._reach()
            if sent != self.fleet:
                sent = self.fleet
                yield sent
                continue
            await self._wait()

    async def events(self, after: int = 0, follow: bool = True) -> AsyncIterator[Event]:
        at = after
        while True:
            self._reach()
            for event in self.happened[at:]:
                at = event.seq
                yield event
            if not follow:
                return
            await self._wait()

    async def samples(self) -> AsyncIterator[Samples]:
        sent: Samples | None = None
        while True:
            self._reach()
            if sent is not self.samples_now:
                sent = self.samples_now
                yield sent
            await self._wait()

    async def _wait(self) -> None:
        async with self._bell:
            await self._bell.wait()

    async def details(self, pod: PodKey) -> PodDetails:
        self._reach()
        if pod not in self.found:
            raise TargetError(f"{pod} is not there", "")
        return self.found[pod]

    async def log_runs(self, pod: PodKey) -> Sequence[LogRun]:
        self._reach()
        return [
            LogRun(n, f"/run/{pod}.{n}", len(run.data), run.started_at, run.ended_at, run.ending)
            for n, run in enumerate(self.logs.get(pod, ()), 1)
        ]

    async def read_log(self, pod: PodKey, run: int = 0, offset: int = 0, limit: int = 262_144) -> LogChunk:
        self._reach()
        self.reads += 1
        runs = self.logs.get(pod, [])
        number = run or len(runs)
        if not 0 < number <= len(runs):
            raise TargetError(f"{pod} has no run {number}", "")
        found = runs[number - 1]
        start = max(0, len(found.data) + offset) if offset < 0 else offset
        data = found.data[start : start + limit]
        return LogChunk(number, start, data, len(found.data), bool(found.ending))

    async def shutdown(self) -> None:
        await self.lose()
