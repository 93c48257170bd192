"""The pod that passes requests on: a head (one node) or a gateway (all nodes), by the table it is given."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import grpc

from ..plan.routes import SET_ROUTES, Routes
from ..wire.datatypes import TensorError
from .balance import Balance
from .failure import Failure
from .gateway import walk
from .head import Head, Trip

if TYPE_CHECKING:
    from .server import Context, Methods

FIRST_TABLE = 30.0
"""Seconds that a request waits for the first table."""


class Router:
    """Answers requests by asking other pods."""

    def __init__(self, name: str) -> None:
        self._name = name
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
        trip = Trip(context)
        nodes = self._balance.nodes
        if not nodes:
            raise Failure(grpc.StatusCode.UNAVAILABLE, f"{self._name}: there is no deployment behind it")
        try:
            return await walk(nodes, data, partial(self._call, trip))
        except TensorError as error:
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, f"{self._name}: {error}") from None

    async def _call(self, trip: Trip, name: str, data: bytes) -> bytes:
        return await self._head.call(name, data, trip)

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
        self._balance.set(routes)
        return b""

    async def close(self) -> bool:
        await self._balance.close()
        return True
