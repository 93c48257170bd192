"""The demo's traffic: `python -m quarterdeck.tui.cli.traffic SOCKET TOPOLOGY`, until standard input ends."""

from __future__ import annotations

import asyncio
import itertools
import sys

from quarterdeck.engine.api.client import connect
from quarterdeck.engine.errors import QuarterdeckError
from quarterdeck.engine.verdict import wait_ready
from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.tensors import from_json

from .demo import ENDPOINT, QUERIES, RATE
from .send import front_door
from .session import present


async def send(socket: str, topology: str) -> None:
    """Send queries to the topology's gateway, over restarts of it and of the engine."""
    for query in itertools.cycle(QUERIES):
        try:
            async with await connect(socket) as control:
                await wait_ready(control, topology, None)
                address = front_door(await present(control), topology)
            async with InferenceClient(address) as gateway:
                for text in itertools.chain((query,), itertools.cycle(QUERIES)):
                    await gateway.infer(ENDPOINT, from_json({"query": [text]}), timeout=30.0)
                    await asyncio.sleep(1 / RATE)
        except QuarterdeckError:
            await asyncio.sleep(1.0)


async def main(socket: str, topology: str) -> None:
    """Run until whoever started us closes our input, or ends."""
    sending = asyncio.create_task(send(socket, topology))
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()
    sending.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
