"""`Control` over the engine's socket. Knows the codec and nothing of what stands behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio

from ..control import Caller, Difference, UpOutcome, UpResult, Verb, World
from ..errors import EngineUnreachable, VersionMismatch
from ..model import EngineInfo, Event, Fleet, Gpu, LogChunk, LogRun, PodDetails, PodKey, Samples
from . import codec, faults
from . import control_pb2 as pb
from .control_pb2_grpc import ControlStub

if TYPE_CHECKING:
    from .control_pb2_grpc import ControlAsyncStub

CONNECT_TIMEOUT = 5.0
CALL_TIMEOUT = 30.0
LARGEST_MESSAGE = 256 * 1024 * 1024
OPTIONS = (
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
)
T = TypeVar("T")


class Client:
    """One connection to an engine; `close` it. Every verb raises QuarterdeckErrors only."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self._channel = grpc.aio.insecure_channel(f"unix:{socket}", options=OPTIONS)
        stub: Any = ControlStub(self._channel)
        self._stub: ControlAsyncStub = stub

    async def close(self) -> None:
        await self._channel.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _call(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except grpc.aio.AioRpcError as error:
            raise faults.translate(error) from None

    async def _stream(self, calls: grpc.aio.UnaryStreamCall[Any, T]) -> AsyncIterator[T]:
        try:
            async for message in calls:
                yield message
        except grpc.aio.AioRpcError as error:
            raise faults.translate(error) from None

    async def info(self) -> EngineInfo:
        """See `Control.info`."""
        message = await self._call(self._stub.Info(pb.Empty(), timeout=CONNECT_TIMEOUT))
        return codec.from_message(message, EngineInfo)

    async def up(self, document: str, caller: Caller, owner: str = "", replace: bool = False) -> UpResult:
        """See `Control.up`."""
        request = pb.UpRequest(
            document=document,
            caller=_caller_message(caller),
            owner=owner,
            replace=replace,
        )
        reply = await self._call(self._stub.Up(request, timeout=CALL_TIMEOUT))
        return UpResult(UpOutcome(reply.outcome), reply.topology)

    async def diff(self, document: str, caller: Caller) -> Difference:
        """See `Control.diff`."""
        request = pb.UpRequest(document=document, caller=_caller_message(caller))
        message = await self._call(self._stub.Diff(request, timeout=CALL_TIMEOUT))
        return codec.from_message(message, Difference)

    async def scale(self, topology: str, replicas: Mapping[str, int]) -> Difference:
        """See `Control.scale`."""
        request = pb.ScaleRequest(topology=topology, replicas=dict(replicas))
        message = await self._call(self._stub.Scale(request, timeout=CALL_TIMEOUT))
        return codec.from_message(message, Difference)

    async def roll(self, topology: str, deployments: Sequence[str]) -> None:
        """See `Control.roll`."""
        await self._call(self._stub.Roll(pb.RollRequest(topology=topology, deployments=list(deployments))))

    async def world(self, pod: PodKey) -> World:
        """See `Control.world`."""
        message = await self._call(self._stub.World(codec.key_message(pod), timeout=CALL_TIMEOUT))
        return World(dict(message.env), message.cwd, message.umask, message.workspace)

    async def gpus(self) -> Sequence[Gpu]:
        """See `Control.gpus`."""
        found = await self._call(self._stub.Gpus(pb.Empty(), timeout=CALL_TIMEOUT))
        return tuple(map(codec.gpu_of, found.gpus))

    async def down(self, topologies: Sequence[str], grace: float | None = None) -> None:
        """See `Control.down`."""
        await self._call(self._stub.Down(pb.DownRequest(topologies=list(topologies), grace=grace)))

    async def act(self, verb: Verb, pods: Sequence[PodKey], signal: int = 0) -> None:
        """See `Control.act`."""
        keys = [codec.key_message(key) for key in pods]
        request = pb.ActRequest(verb=verb.value, pods=keys, signal=signal)
        await self._call(self._stub.Act(request, timeout=CALL_TIMEOUT))

    async def watch(self) -> AsyncIterator[Fleet]:
        """See `Control.watch`; raises EngineUnreachable when the line breaks."""
        fleet = Fleet()
        async for change in self._stream(self._stub.Watch(pb.Empty())):
            fleet = codec.apply(fleet, change)
            yield fleet

    async def events(self, after: int = 0, follow: bool = True) -> AsyncIterator[Event]:
        """See `Control.events`."""
        request = pb.EventsRequest(after=after, follow=follow)
        async for batch in self._stream(self._stub.Events(request)):
            for event in batch.events:
                yield codec.from_message(event, Event)

    async def samples(self) -> AsyncIterator[Samples]:
        """See `Control.samples`."""
        async for message in self._stream(self._stub.Samples(pb.Empty())):
            yield codec.samples_of(message)

    async def details(self, pod: PodKey) -> PodDetails:
        """See `Control.details`."""
        message = await self._call(self._stub.Details(codec.key_message(pod), timeout=CALL_TIMEOUT))
        return codec.details_of(message)

    async def log_runs(self, pod: PodKey) -> Sequence[LogRun]:
        """See `Control.log_runs`."""
        found = await self._call(self._stub.LogRuns(codec.key_message(pod), timeout=CALL_TIMEOUT))
        return tuple(codec.from_message(run, LogRun) for run in found.runs)

    async def read_log(self, pod: PodKey, run: int = 0, offset: int = 0, limit: int = 262_144) -> LogChunk:
        """See `Control.read_log`."""
        request = pb.ReadLogRequest(pod=codec.key_message(pod), run=run, offset=offset, limit=limit)
        chunk = await self._call(self._stub.ReadLog(request, timeout=CALL_TIMEOUT))
        return codec.from_message(chunk, LogChunk)

    async def shutdown(self) -> None:
        """See `Control.shutdown`."""
        await self._call(self._stub.Shutdown(pb.Empty()))


def _caller_message(caller: Caller) -> pb.Caller:
    return pb.Caller(env=caller.env, cwd=caller.cwd, umask=caller.umask, python=caller.python)


async def connect(socket: str, version: str = "") -> Client:
    """A client of the engine at `socket`, once it has answered.

    Raises EngineUnreachable when nobody answers, and VersionMismatch when `version` is given and is not the
    engine's.
    """
    client = Client(socket)
    try:
        info = await client.info()
    except EngineUnreachable:
        await client.close()
        raise EngineUnreachable(f"no engine answers at {socket}", "one starts with: qd up FILE") from None
    except BaseException:
        await client.close()
        raise
    if version and info.version != version:
        await client.close()
        raise VersionMismatch(
            f"the engine is Quarterdeck {info.version}, this is {version}",
            "end the old one (its pods stop too) with: qd engine stop",
        )
    return client
