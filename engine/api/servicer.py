"""Control's verbs as gRPC calls: decodes, calls the supervisor, encodes. Decides nothing."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio

from ..control import Caller, Control, Verb
from ..errors import QuarterdeckError
from ..model import Event, Fleet
from . import codec, faults
from . import control_pb2 as pb
from .control_pb2_grpc import ControlServicer

log = logging.getLogger(__name__)
T = TypeVar("T")
Context = grpc.aio.ServicerContext[Any, Any]
EVENTS_IN_A_BATCH = 500


async def _fail(context: Context, error: Exception) -> NoReturn:
    if isinstance(error, QuarterdeckError):
        metadata = ((faults.KEY, faults.pack(error)),)
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "", trailing_metadata=metadata)
    log.error("a control call failed", exc_info=error)
    await context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")


async def _answer(context: Context, work: Awaitable[T]) -> T:
    try:
        return await work
    except Exception as error:
        await _fail(context, error)


class Servicer(ControlServicer):
    """`control` behind gRPC; `ask_to_end` is called once a client's Shutdown is answered."""

    def __init__(self, control: Control, ask_to_end: Callable[[], None]) -> None:
        self._control = control
        self._ask_to_end = ask_to_end
        self.streams = 0
        """Consoles that watch now."""

    async def Info(self, request: pb.Empty, context: Context) -> pb.EngineInfo:
        info = await _answer(context, self._control.info())
        return codec.to_message(info, pb.EngineInfo)

    async def Up(self, request: pb.UpRequest, context: Context) -> pb.UpReply:
        work = self._control.up(request.document, _caller(request.caller), request.owner, request.replace)
        result = await _answer(context, work)
        return pb.UpReply(outcome=result.outcome.value, topology=result.topology)

    async def Diff(self, request: pb.UpRequest, context: Context) -> pb.Difference:
        work = self._control.diff(request.document, _caller(request.caller))
        return codec.to_message(await _answer(context, work), pb.Difference)

    async def Scale(self, request: pb.ScaleRequest, context: Context) -> pb.Difference:
        work = self._control.scale(request.topology, dict(request.replicas))
        return codec.to_message(await _answer(context, work), pb.Difference)

    async def Roll(self, request: pb.RollRequest, context: Context) -> pb.Empty:
        await _answer(context, self._control.roll(request.topology, list(request.deployments)))
        return pb.Empty()

    async def Down(self, request: pb.DownRequest, context: Context) -> pb.Empty:
        grace = request.grace if request.HasField("grace") else None
        await _answer(context, self._control.down(list(request.topologies), grace))
        return pb.Empty()

    async def Act(self, request: pb.ActRequest, context: Context) -> pb.Empty:
        keys = [codec.key_of(key) for key in request.pods]
        await _answer(context, self._control.act(Verb(request.verb), keys, request.signal))
        return pb.Empty()

    async def Watch(self, request: pb.Empty, context: Context) -> AsyncIterator[pb.FleetChange]:
        self.streams += 1
        try:
            sent: Fleet | None = None
            async for fleet in self._control.watch():
                yield codec.fleet_message(sent, fleet)
                sent = fleet
        finally:
            self.streams -= 1

    async def Events(self, request: pb.EventsRequest, context: Context) -> AsyncIterator[pb.EventBatch]:
        batch: list[Event] = []
        if not request.follow:
            async for event in self._control.events(request.after, follow=False):
                batch.append(event)
                if len(batch) == EVENTS_IN_A_BATCH:
                    yield _events(batch)
                    batch = []
            if batch:
                yield _events(batch)
            return
        async for event in self._control.events(request.after, follow=True):
            yield _events([event])

    async def Samples(self, request: pb.Empty, context: Context) -> AsyncIterator[pb.SampleRound]:
        async for samples in self._control.samples():
            yield codec.samples_message(samples)

    async def Details(self, request: pb.PodKey, context: Context) -> pb.PodDetails:
        return codec.details_message(await _answer(context, self._control.details(codec.key_of(request))))

    async def World(self, request: pb.PodKey, context: Context) -> pb.PodWorld:
        world = await _answer(context, self._control.world(codec.key_of(request)))
        return codec.to_message(world, pb.PodWorld)

    async def Gpus(self, request: pb.Empty, context: Context) -> pb.GpuList:
        found = await _answer(context, self._control.gpus())
        return pb.GpuList(gpus=[codec.gpu_message(gpu) for gpu in found])

    async def LogRuns(self, request: pb.PodKey, context: Context) -> pb.LogRunList:
        runs = await _answer(context, self._control.log_runs(codec.key_of(request)))
        return pb.LogRunList(runs=[codec.to_message(run, pb.LogRun) for run in runs])

    async def ReadLog(self, request: pb.ReadLogRequest, context: Context) -> pb.LogChunk:
        work = self._control.read_log(
            codec.key_of(request.pod), request.run, request.offset, request.limit or 262_144
        )
        return codec.to_message(await _answer(context, work), pb.LogChunk)

    async def Shutdown(self, request: pb.Empty, context: Context) -> pb.Empty:
        await _answer(context, self._control.shutdown())
        self._ask_to_end()
        return pb.Empty()


def _caller(given: pb.Caller) -> Caller:
    return Caller(dict(given.env), given.cwd, given.umask, given.python)


def _events(events: list[Event]) -> pb.EventBatch:
    return pb.EventBatch(events=[codec.to_message(event, pb.Event) for event in events])
