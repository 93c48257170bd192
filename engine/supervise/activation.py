"""Activation: keeps the tables of heads and gateways true. Owns one gRPC channel for each router that runs.

Level-triggered: the wanted table is compared with the one that the router last acknowledged, so that nothing
depends on the order in which things happened, and a router that restarts simply gets its table again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace

import grpc
import grpc.aio

from ..model import PodKey
from ..plan.routes import SET_ROUTES, Routes
from ..wire.channel import open_channel
from ..wire.way import PLAIN, Way, WayError

PUSH_TIMEOUT = 5.0
FIRST_RETRY, LONGEST_RETRY = 0.05, 1.0


class Router:
    """One run of one head or gateway."""

    def __init__(self, address: str, run: int, way: Way, acknowledged: Callable[[], None]) -> None:
        self.run = run
        self.wanted: Routes | None = None
        self.in_force: Routes | None = None
        self._acknowledged = acknowledged
        self._address, self._way = address, way
        # Above whatever an engine before us has sent it.
        self._version = time.time_ns() // 1_000_000
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._push(), name=f"routes to {address}")

    def want(self, routes: Routes) -> None:
        """The table that the router must have; its version is ours to give."""
        if replace(routes, version=self._version) != self.wanted:
            self._version += 1
            self.wanted = replace(routes, version=self._version)
            self._changed.set()

    @property
    def settled(self) -> bool:
        return self.in_force is self.wanted

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _push(self) -> None:
        retry = FIRST_RETRY
        while True:
            try:
                channel = open_channel(self._address, self._way)
                break
            except WayError:  # a file of TLS went; the router's own health call says so
                await asyncio.sleep(retry)
                retry = min(LONGEST_RETRY, retry * 2)
        async with channel:
            await self._push_through(channel)

    async def _push_through(self, channel: grpc.aio.Channel) -> None:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(SET_ROUTES)
        retry = FIRST_RETRY
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = self.wanted
            assert wanted is not None
            try:
                await call(wanted.dump(), timeout=PUSH_TIMEOUT, metadata=self._way.pairs)
            except grpc.aio.AioRpcError:
                self._changed.set()
                await asyncio.sleep(retry)
                retry = min(LONGEST_RETRY, retry * 2)
                continue
            retry = FIRST_RETRY
            self.in_force = wanted
            self._acknowledged()


class Activation:
    """All routers that run."""

    def __init__(self, acknowledged: Callable[[], None]) -> None:
        self._routers: dict[PodKey, Router] = {}
        self._acknowledged = acknowledged
        self._ending: set[asyncio.Task[None]] = set()

    def keep(
        self, running: dict[PodKey, tuple[str, int]], way_to: Callable[[PodKey], Way] = lambda _: PLAIN
    ) -> None:
        """Have a link to exactly these routers: address and run by pod; `way_to` says how one is spoken to."""
        for key, router in list(self._routers.items()):
            if key not in running or running[key][1] != router.run:
                del self._routers[key]
                task = asyncio.create_task(router.close())
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
        for key, (address, run) in running.items():
            if key not in self._routers:
                self._routers[key] = Router(address, run, way_to(key), self._acknowledged)

    def want(self, key: PodKey, routes: Routes) -> None:
        """Set the table of a router that `keep` named."""
        self._routers[key].want(routes)

    def sends_to(self, router: PodKey, pod: str) -> bool:
        """Whether the router may still send to the pod: it has not acknowledged a table without it."""
        found = self._routers.get(router)
        if found is None:
            return False
        return not found.settled or pod in _names(found.in_force)

    async def close(self) -> None:
        for router in list(self._routers.values()):
            with contextlib.suppress(Exception):
                await router.close()
        self._routers.clear()
        await asyncio.gather(*self._ending, return_exceptions=True)


def _names(routes: Routes | None) -> set[str]:
    if routes is None:
        return set()
    names: set[str] = set()
    for node in routes.nodes:
        names.update(replica.name for shard in node.shards for replica in shard)
        names.update(side.name for side in (node.before, node.after) if side is not None)
    return names
