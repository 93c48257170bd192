"""A head as one would write it first: a grpc.aio server that passes bytes on over grpc.aio channels.

Round robin; one that scatters asks one worker of each shard and joins the answers as bytes. It neither waits for
workers, nor retries, nor reduces tensors: less than a head does.
"""

from __future__ import annotations

import asyncio
import json
import os
from itertools import cycle

import grpc
from grpc import aio

from quarterdeck.engine.wire.channel import bytes_call, new_server, open_channel
from quarterdeck.engine.wire.names import INFER

SERVICE, METHOD = INFER.removeprefix("/").split("/")


class Proxy:
    """Passes calls on to the workers of `shards`, addresses by shard; to all shards when it `scatters`."""

    def __init__(self, shards: list[list[str]], scatters: bool) -> None:
        calls = [[bytes_call(open_channel(address), INFER) for address in shard] for shard in shards]
        self._any = cycle([call for shard in calls for call in shard])
        self._each = [cycle(shard) for shard in calls]
        self.infer = self.infer_all if scatters else self.infer_any

    async def infer_any(self, data: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        return await next(self._any)(data)

    async def infer_all(self, data: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        return b"".join(await asyncio.gather(*(next(shard)(data) for shard in self._each)))


async def serve(descriptor: int, shards: list[list[str]], scatters: bool) -> None:
    proxy = Proxy(shards, scatters)
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(proxy.infer)
    server = new_server((grpc.method_handlers_generic_handler(SERVICE, {METHOD: method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    os.write(descriptor, b"%d\n" % port)
    os.close(descriptor)
    await server.wait_for_termination()


def main(descriptor: int, shards: str, scatters: bool) -> None:
    """Serve on a free port, which is written to `descriptor`, until killed; `shards` is JSON."""
    asyncio.run(serve(descriptor, json.loads(shards), scatters))
