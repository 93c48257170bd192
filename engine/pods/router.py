"""The pod that passes requests on: a head (one node) or a gateway (all nodes), by the table it is given."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

import grpc

from ..plan.routes import SET_ROUTES, Routes
from ..wire.datatypes import TensorError
from .balance import Balance
from .failure import Failure
from .gateway import walk
from .head import Head
from .streams import Requests, Stream
from .trip import OWN_METADATA, Trip

if TYPE_CHECKING:
    from .server import Context, Methods

FIRST_TABLE = 30.0
"""Seconds that a request waits for the first table."""
LET_GO = 0.5
"""Seconds in which a table is answered later, so that what is in flight to a pod that left it may end; what takes
longer has reached the pod by then, and is its to finish."""


class Router:
    """Answers requests by asking other pods."""

    def __init__(self, name: str, has_token: bool = False) -> None:
        """A router that asks for a token keeps its callers' to itself."""
        self._name = name
        self._dropped = (*OWN_METADATA, "authorization") if has_token else OWN_METADATA
        self._balance = Balance()
        self._head = Head(self._balance)

    def ready(self) -> bool:
        stands = self._balance.stands
        return bool(stands) and all(stand.ready for stand in stands.values())

    def serves(self, model: str) -> bool:
        """Which endpoints there are, only the workers know."""
        return True

    async def infer(self, data: bytes, context: Context) -> bytes:
        """The answer of the pods behind; raises `Failure`."""
        if self._balance.version is None:
            await self._first_table()
        trip = Trip(context, self._dropped)
        nodes = self._balance.nodes
        if not nodes:
            raise Failure(grpc.StatusCode.UNAVAILABLE, f"{self._name}: there is no deployment behind it")
        try:
            answer = await walk(nodes, data, partial(self._call, trip))
        except TensorError as error:
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, f"{self._name}: {error}") from None
        trip.close(len(nodes))
        return answer

    async def _call(self, trip: Trip, name: str, data: bytes) -> bytes:
        return await self._head.call(name, data, trip)

    def stream(self, method: str) -> Stream:
        """Every call that it does not know goes, as it is, to a replica of the one deployment behind it."""
        return partial(self._pass, method)

    async def _pass(self, method: str, requests: Requests, context: Context) -> None:
        if self._balance.version is None:
            await self._first_table()
        names = list(self._balance.nodes)
        if len(names) != 1:
            behind = ", ".join(names) or "none"
            details = f"{self._name}: {method} can go to a deployment that stands alone; behind it: {behind}"
            raise Failure(grpc.StatusCode.UNIMPLEMENTED, details)
        await self._head.stream(names[0], method, requests, context, Trip(context, self._dropped))

    async def _first_table(self) -> None:
        try:
            async with asyncio.timeout(FIRST_TABLE):
                while self._balance.version is None:
                    await self._balance.changed()
        except TimeoutError:
            message = f"{self._name}: no routes yet; waited {FIRST_TABLE:g} s"
            raise Failure(grpc.StatusCode.UNAVAILABLE, message) from None

    def methods(self) -> Methods:
        return {SET_ROUTES: grpc.unary_unary_rpc_method_handler(self._set_routes)}

    async def _set_routes(self, data: bytes, context: Context) -> bytes:
        try:
            routes = Routes.load(data)
        except (ValueError, TypeError, KeyError) as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"not a table of routes: {error!r}")
        now = self._balance.version
        if now is not None and routes.version < now:
            await context.abort(
                grpc.StatusCode.FAILED_PRECONDITION, f"version {routes.version} is older than {now}, in force"
            )
        retired = self._balance.set(routes)
        # A pod that is told to end once we answer may not have read yet what we sent it last.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LET_GO):
                for peer in retired:
                    await peer.let_go.wait()
        return b""

    async def close(self) -> bool:
        await self._balance.close()
        return True
