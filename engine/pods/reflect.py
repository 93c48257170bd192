"""gRPC reflection, v1 and v1alpha, so that a tool can ask a pod what it serves.

The package that implements it and the descriptors are loaded with the first question: most pods get none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc import aio

VERSIONS = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
"""Their messages differ in nothing but the package's name."""


class Reflection:
    """Answers about the services of every pod; streams end when the pod drains."""

    def __init__(self, draining: asyncio.Event) -> None:
        self._draining = draining
        self._servicer: Any = None

    def methods(self) -> dict[str, grpc.RpcMethodHandler[bytes, bytes]]:
        return {
            f"/{version}/ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(self._info)
            for version in VERSIONS
        }

    async def _info(
        self, requests: AsyncIterator[bytes], context: aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        if self._servicer is None:
            try:
                self._servicer = _servicer()
            except ImportError:
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, "grpcio-reflection is not installed")
        from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

        async def parsed() -> AsyncIterator[ServerReflectionRequest]:
            async for data in requests:
                yield ServerReflectionRequest.FromString(data)

        answers = aiter(self._servicer.ServerReflectionInfo(parsed(), context))
        stop = asyncio.ensure_future(self._draining.wait())
        try:
            while True:
                answer = asyncio.ensure_future(anext(answers))
                await asyncio.wait((answer, stop), return_when=asyncio.FIRST_COMPLETED)
                if not answer.done():
                    answer.cancel()
                    return
                try:
                    yield answer.result().SerializeToString()
                except StopAsyncIteration:
                    return
        finally:
            stop.cancel()


def _servicer() -> Any:
    from google.protobuf.descriptor_pool import DescriptorPool
    from grpc_reflection.v1alpha import reflection_pb2
    from grpc_reflection.v1alpha._async import ReflectionServicer

    from ..wire import health_pb2, inference_pb2
    from ..wire.names import SERVICE
    from .health import SERVICE as HEALTH

    pool = DescriptorPool()
    for module in (inference_pb2, health_pb2, reflection_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    return ReflectionServicer((SERVICE, HEALTH, VERSIONS[1]), pool=pool)
