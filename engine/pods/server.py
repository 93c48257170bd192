"""The gRPC server of a pod: inference, health and reflection; binds, drains and stops."""

from __future__ import annotations

import asyncio
import errno
import hmac
import socket
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, NoReturn, Protocol

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
from ..wire.way import Option
from .counters import Counters
from .failure import ANSWERED, Failure
from .health import Health
from .reflect import Reflection
from .streams import Requests, Stream

if TYPE_CHECKING:
    Context = aio.ServicerContext[bytes, bytes]
    Handler = grpc.RpcMethodHandler[bytes, bytes]
    Methods = dict[str, Handler]


IDLE_LINGER, BUSY_LINGER = 0.005, 0.05
"""Seconds in which a pod that is told to end gets to what has come meanwhile; longer where requests were coming."""
RECENT = 1.0
"""Seconds without a request after which a pod is idle: nobody waits for it to restart for nothing."""
QUIET = 0.1
"""Seconds without a new request after which none is on its way from a router any more."""
LONGEST_LINGER = 0.5
"""Whoever goes on sending to a pod that ends must not keep it."""


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

    def stream(self, method: str) -> Stream | None:
        """What answers a call of this full name that no server of ours knows; None: nobody."""
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

    def __init__(
        self,
        servant: Servant,
        version: str,
        more: Methods | None = None,
        token: str = "",
        options: Iterable[Option] = (),
    ) -> None:
        """`more` are methods beside those of every pod; `token` is what callers must have, empty: nothing."""
        self.counters = Counters()
        self._last_call = float("-inf")
        """When the last request began."""
        self._servant = servant
        self._version = version
        self._health = Health(frozenset({SERVICE}))
        reflection = Reflection(self._health.draining)
        methods = self._methods() | self._health.methods() | reflection.methods() | (more or {})
        handlers = _Handlers(methods, self._other)
        guard = _Guard(handlers, token, frozenset(self._health.methods())) if token else handlers
        self._server = new_server((guard,), options)

    async def start(self, host: str, port: int, tls: grpc.ServerCredentials | None = None) -> int:
        """Listen, on a free port for 0; gives the port, raises `PortError`."""
        address = join_address(host, port)
        try:
            if tls is None:
                bound = self._server.add_insecure_port(address)
            else:
                bound = self._server.add_secure_port(address, tls)
        except RuntimeError:
            raise _why_not(host, port) from None
        await self._server.start()
        return bound

    async def drain(self, grace: float) -> None:
        """Take no more, and give what is in flight `grace` seconds to end; what has not is cancelled.

        gRPC cancels what it has read and not handed over yet: what routers sent before they let go of the pod is
        waited for, so that none of it is lost.
        """
        self._health.drain()
        began = time.perf_counter()
        longest = began + min(grace, LONGEST_LINGER)
        idle = not self.counters.in_flight and began - self._last_call > RECENT
        until = began + (IDLE_LINGER if idle else BUSY_LINGER)
        while (wait := min(until, longest) - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
            until = self._last_call + QUIET
        await self._server.stop(max(0.0, grace - (time.perf_counter() - began)))

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
        began = self._last_call = time.perf_counter()
        failed = True
        try:
            answer = await self._servant.infer(data, context)
            failed = False
            return answer
        except Failure as failure:
            await _refuse(context, failure)
        finally:
            counters.end(time.perf_counter() - began, failed)

    def _other(self, method: str) -> Handler | None:
        stream = self._servant.stream(method)
        return (
            None if stream is None else grpc.stream_stream_rpc_method_handler(partial(self._stream, stream))
        )

    async def _stream(self, stream: Stream, requests: Requests, context: Context) -> None:
        counters = self.counters
        counters.begin()
        began = self._last_call = time.perf_counter()
        failed = True
        try:
            await stream(requests, context)
            failed = False
        except Failure as failure:
            await _refuse(context, failure)
        finally:
            counters.end(time.perf_counter() - began, failed)


async def _refuse(context: Context, failure: Failure) -> NoReturn:
    await context.abort(failure.code, failure.details, ((ANSWERED, "1"), *failure.trailing))


class _Handlers(grpc.GenericRpcHandler):
    """Looks methods up in one table; all of them take and give bytes."""

    def __init__(self, methods: Methods, other: Callable[[str], Handler | None]) -> None:
        self._table = methods
        self._other = other

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        method = handler_call_details.method
        return self._table.get(method) or self._other(method)


class _Guard(grpc.GenericRpcHandler):
    """Lets calls through that show the token, and those that anybody may make."""

    def __init__(self, inner: grpc.GenericRpcHandler, token: str, open_to_all: frozenset[str]) -> None:
        self._inner = inner
        self._expected = f"Bearer {token}".encode()
        self._open = open_to_all

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        if handler_call_details.method in self._open:
            return self._inner.service(handler_call_details)
        shown = [
            value for key, value in handler_call_details.invocation_metadata or () if key == "authorization"
        ]
        if any(hmac.compare_digest(_bytes(value), self._expected) for value in shown):
            return self._inner.service(handler_call_details)
        what = "the token in `authorization` is another" if shown else "it asks for a token, and got none"
        return grpc.stream_stream_rpc_method_handler(partial(_unauthenticated, what))


async def _unauthenticated(what: str, _: Requests, context: Context) -> None:
    details = f"{what}; send the metadata `authorization: Bearer TOKEN`"
    await _refuse(context, Failure(grpc.StatusCode.UNAUTHENTICATED, details))


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


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
