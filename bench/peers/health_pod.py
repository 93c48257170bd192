"""A pod as one would write it first: a process of its own, grpc.aio, and the health service's messages."""

from __future__ import annotations

import asyncio
import os

import grpc
from grpc import aio

from quarterdeck.engine.wire.health_pb2 import HealthCheckRequest, HealthCheckResponse

CHECK = "grpc.health.v1.Health"


async def check(request: HealthCheckRequest, context: object) -> HealthCheckResponse:
    return HealthCheckResponse(status=HealthCheckResponse.SERVING)


async def serve(descriptor: int) -> None:
    server = aio.server(options=[("grpc.so_reuseport", 0)])
    method = grpc.unary_unary_rpc_method_handler(
        check, HealthCheckRequest.FromString, HealthCheckResponse.SerializeToString
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(CHECK, {"Check": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    os.write(descriptor, b"%d\n" % port)
    os.close(descriptor)
    await server.wait_for_termination()


def main(descriptor: int) -> None:
    """Serve on a free port, which is written to `descriptor`, until killed."""
    asyncio.run(serve(descriptor))
