"""The gRPC server of a pod: inference, health and reflection; binds, drains and stops."""

from __future__ import annotations

import errno
import socket
import time
from typing import TYPE_CHECKING, Protocol

import grpc
from grpc import aio

from ..wire.channel import join_address, new_server
from ..wire.inference_pb2 import (
    ModelMetadataRequest,
    ModelMetadataResponse,
    ModelReadyRequest,
    ModelReadyResponse,
    ServerLiveResponse,
    ServerMetadataResponse,
    ServerReadyResponse,
)
from ..wire.names import SERVICE
from .counters import Counters
from .failure import ANSWERED, Failure
from .health import Health
from .reflect import Reflection

if TYPE_CHECKING:
    Context = aio.ServicerContext[bytes, bytes]
    Methods = dict[str, grpc.RpcMethodHandler[bytes, bytes]]


class Servant(Protocol):
    """What answers requests behind a server: a worker or a router."""

    def ready(self) -> bool:
        """Whether it has what it needs to answer."""
        ...

    def serves(self, model: str) -> bool:
        """Whether it knows this model, ready or not."""
        ...

    async def infer(self, data: bytes, context: Context) -> bytes:
        """Answer a `ModelInferRequest` with a `ModelInferResponse`; raises `Failure`."""
        ...

    async def close(self) -> bool:
        """Give back everything, once no more requests come; False where something of it can't be ended."""
        ...


class PortError(Exception):
    """The server can't listen."""

    def __init__(self, message: str, taken: bool) -> None:
        super().__init__(message)
        self.taken = taken


class Server:
    """One pod's server. Everything runs in the event loop it is made in."""

    def __init__(self, servant: Servant, version: str, more: Methods | None = None) -> None:
        self.counters = Counters()
        self._servant = servant
        self._version = version
        self._health = Health(frozenset({SERVICE}))
        reflection = Reflection(self._health.draining)
        methods = self._methods() | self._health.methods() | reflection.methods() | (more or {})
        self._server = new_server((_Handlers(methods),))

    async def start(self, host: str, port: int) -> int:
        """Listen, on a free port for 0; gives the port, raises `PortError`."""
        try:
            bound = self._server.add_insecure_port(join_address(host, port))
        except RuntimeError:
            raise _why_not(host, port) from None
        await self._server.start()
        return bound

    async def drain(self, grace: float) -> None:
        """Take no more, and give what is in flight `grace` seconds to end; what has not is cancelled."""
        self._health.drain()
        await self._server.stop(grace)

    async def stop(self) -> None:
        """End at once."""
        await self._server.stop(None)

    def _methods(self) -> Methods:
        calls = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._metadata,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._infer,
        }
        return {
            f"/{SERVICE}/{name}": grpc.unary_unary_rpc_method_handler(call) for name, call in calls.items()
        }

    @property
    def _takes(self) -> bool:
        return self._servant.ready() and not self._health.draining.is_set()

    async def _live(self, data: bytes, context: Context) -> bytes:
        return ServerLiveResponse(live=True).SerializeToString()

    async def _ready(self, data: bytes, context: Context) -> bytes:
        return ServerReadyResponse(ready=self._takes).SerializeToString()

    async def _model_ready(self, data: bytes, context: Context) -> bytes:
        model = ModelReadyRequest.FromString(data).name
        ready = self._takes and self._servant.serves(model)
        return ModelReadyResponse(ready=ready).SerializeToString()

    async def _metadata(self, data: bytes, context: Context) -> bytes:
        return ServerMetadataResponse(name="quarterdeck", version=self._version).SerializeToString()

    async def _model_metadata(self, data: bytes, context: Context) -> bytes:
        model = ModelMetadataRequest.FromString(data).name
        if not self._servant.serves(model):
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no model {model!r} here")
        answer = ModelMetadataResponse(name=model, versions=["1"], platform="quarterdeck_python")
        return answer.SerializeToString()

    async def _infer(self, data: bytes, context: Context) -> bytes:
        counters = self.counters
        counters.begin()
        began = time.perf_counter()
        failed = True
        try:
            answer = await self._servant.infer(data, context)
            failed = False
            return answer
        except Failure as failure:
            await context.abort(failure.code, failure.details, ((ANSWERED, "1"),))
        finally:
            counters.end(time.perf_counter() - began, failed)


class _Handlers(grpc.GenericRpcHandler):
    """Looks methods up in one table; all of them take and give bytes."""

    def __init__(self, methods: Methods) -> None:
        self._table = methods

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return self._table.get(handler_call_details.method)


def _why_not(host: str, port: int) -> PortError:
    """gRPC does not tell why it could not bind: a plain socket does."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        what = "is taken" if taken else f"can't be used: {error.strerror}"
        return PortError(f"port {port} of {host} {what}", taken)
    # It was taken a moment ago and is free now.
    return PortError(f"port {port} of {host} is taken", taken=True)
