"""gRPC's health checks answered as bytes, so that a pod needs no generated code for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
from grpc import aio

from ..wire.datatypes import TensorError
from ..wire.scan import LENGTH, fields

SERVICE = "grpc.health.v1.Health"
SERVING, NOT_SERVING, SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"
"""`HealthCheckResponse` with its one field, as bytes."""


class Health:
    """Whether the pod takes requests: it does until `drain`, and never again."""

    def __init__(self, services: frozenset[str]) -> None:
        self._services = services | {"", SERVICE}
        self.draining = asyncio.Event()

    @property
    def _state(self) -> bytes:
        return NOT_SERVING if self.draining.is_set() else SERVING

    def drain(self) -> None:
        """Tell all who ask or watch that the pod takes no more."""
        self.draining.set()

    async def check(self, request: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        service = _service(request)
        if service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no service {service!r} here")
        return self._state

    async def watch(self, request: bytes, context: aio.ServicerContext[bytes, bytes]) -> AsyncIterator[bytes]:
        """The state now and when it changes; the stream ends with the pod's service."""
        known = _service(request) in self._services
        yield self._state if known else SERVICE_UNKNOWN
        was_draining = self.draining.is_set()
        await self.draining.wait()
        if known and not was_draining:
            yield NOT_SERVING

    def methods(self) -> dict[str, grpc.RpcMethodHandler[bytes, bytes]]:
        return {
            f"/{SERVICE}/Check": grpc.unary_unary_rpc_method_handler(self.check),
            f"/{SERVICE}/Watch": grpc.unary_stream_rpc_method_handler(self.watch),
        }


def _service(request: bytes) -> str:
    """Name in a `HealthCheckRequest`."""
    try:
        names = [field for field in fields(request) if field.number == 1 and field.wire == LENGTH]
    except TensorError:
        return "?"
    return request[names[-1].value : names[-1].end].decode(errors="replace") if names else ""
