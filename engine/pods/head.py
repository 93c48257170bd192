"""One deployment's request: before, one shard or all of them, reduce or after; and again if a pod ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import grpc
from grpc import aio

from ..plan.routes import Node
from ..wire.datatypes import TensorError
from ..wire.join import gather, join
from ..wire.names import endpoint_of
from ..wire.scan import peek_model_name, response_as_request, without_wanted
from .balance import Balance, Group, Stand
from .failure import ANSWERED, Failure
from .streams import Context, Requests, join_streams
from .trip import Trip

Answer = TypeVar("Answer")

MAX_SENT = 3
"""Pods that may end with a request before the request is taken to be the cause."""


class Head:
    """Sends requests to the pods of one node after another; holds no state of its own."""

    def __init__(self, balance: Balance) -> None:
        self._balance = balance

    async def call(self, name: str, data: bytes, trip: Trip) -> bytes:
        """The node's answer to a request; raises `Failure`."""
        stand = self._balance.stands.get(name)
        if stand is None:
            raise Failure(grpc.StatusCode.UNAVAILABLE, f"{name} is not there any more")
        node = stand.node
        if not (node.has_before or node.has_after or len(node.shards) > 1):
            return await self._send(name, "no ready replica", _any, data, trip)
        try:
            polls_all, stop = _polls_all(node, data), without_wanted(data)
        except TensorError as error:
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, f"{name}: {error}") from None
        try:
            if node.has_before:
                answer = await self._send(name, "no ready uses_before", _before, stop, trip)
                data, stop = response_as_request(answer, data), response_as_request(answer, stop)
            answers, shards = await self._fan_out(node, polls_all, stop if node.has_after else data, trip)
            if node.has_after:
                data = gather(answers, data, shards)
                return await self._send(name, "no ready uses_after", _after, data, trip)
            return answers[0] if len(answers) == 1 else join(answers, _labels(shards))
        except TensorError as error:
            raise Failure(grpc.StatusCode.INTERNAL, f"{name}: {error}") from None

    async def _fan_out(
        self, node: Node, polls_all: bool, data: bytes, trip: Trip
    ) -> tuple[list[bytes], list[int]]:
        """Answers, and of which shards: all that must or can answer, in order, or any one."""
        if not polls_all:
            return [await self._send(node.name, "no ready replica", _any, data, trip)], [0]
        numbers = list(range(len(node.shards)))
        work = (
            self._send(
                node.name, f"shard {number} has no ready replica", _shard(number), data, trip, node.partial
            )
            for number in numbers
        )
        if not node.partial:
            return await all_of(work), numbers
        found = await all_of(_spared(one) for one in work)
        answers = {number: one for number, one in enumerate(found) if isinstance(one, bytes)}
        gone = [number for number in numbers if number not in answers]
        if not answers:
            raise next(one for one in found if isinstance(one, Failure))
        if gone:
            trip.miss(node.name, ", ".join(f"shard {number}" for number in gone))
        return list(answers.values()), list(answers)

    async def _send(
        self,
        name: str,
        lack: str,
        group: Callable[[Stand], Group],
        data: bytes,
        trip: Trip,
        spared: bool = False,
    ) -> bytes:
        sent = 0
        while True:
            stand = self._balance.stands.get(name)
            peer = None if stand is None else group(stand).pick()
            if peer is None:
                await self._wait(name, lack, group, trip, spared)
                continue
            try:
                answer, trailing = await peer.infer(data, trip.timeout, trip.metadata)
            except aio.AioRpcError as error:
                if not _ended(error):
                    raise Failure.passed_on(error) from None
                peer.fail(self._balance.wake, error.details() or "")
                if _may_have_got(error):
                    sent += 1
                    self._check(name, peer.name, sent, error)
            else:
                if trailing:
                    trip.take(name, trailing)
                return answer

    async def stream(self, name: str, method: str, requests: Requests, context: Context, trip: Trip) -> None:
        """Join the client with one replica until either ends the call; raises `Failure`.

        Another replica is tried as long as none was connected, since then nothing was sent.
        """
        while True:
            stand = self._balance.stands.get(name)
            peer = None if stand is None else stand.any.pick()
            if peer is None:
                await self._wait(name, "no ready replica", _any, trip)
                continue
            with peer.busy():
                call = peer.stream(method, trip.timeout, trip.metadata)
                try:
                    await call.wait_for_connection()
                except aio.AioRpcError as error:
                    if not _ended(error):
                        raise Failure.passed_on(error) from None
                    peer.fail(self._balance.wake, error.details() or "")
                    continue
                return await join_streams(requests, context, call)

    def _check(self, name: str, pod: str, sent: int, error: aio.AioRpcError) -> None:
        """Whether a request that a pod took with it may go to another; raises `Failure` if not."""
        stand = self._balance.stands.get(name)
        if stand is not None and not stand.node.idempotent:
            why = f"{name} is not idempotent, so it is not sent again"
        elif sent >= MAX_SENT:
            why = f"the {sent}. pod that did, so it is not sent again"
        else:
            return
        details, trailing = f"{pod} ended with the request; {why}", error.trailing_metadata() or ()
        if error.details():
            details += f" ({error.details()})"
        raise Failure(grpc.StatusCode.UNAVAILABLE, details, trailing)

    async def _wait(
        self, name: str, lack: str, group: Callable[[Stand], Group], trip: Trip, spared: bool = False
    ) -> None:
        """Return once the group has a ready peer; raises `Failure` after the node's `timeout_send`."""
        stand = self._balance.stands.get(name)
        trouble, limit = "", 0.0 if stand is None else trip.patience(stand.node, spared)
        try:
            async with asyncio.timeout(limit):
                while stand is None or not group(stand).ready:
                    trouble, hopeless = ("", False) if stand is None else group(stand).trouble
                    if hopeless:
                        raise Failure(grpc.StatusCode.UNAVAILABLE, f"{name}: {trouble}")
                    await self._balance.changed()
                    stand = self._balance.stands.get(name)
        except TimeoutError:
            message = f"{name}: {lack}; waited {limit:.3g} s" + (f"; {trouble}" if trouble else "")
            raise Failure(grpc.StatusCode.UNAVAILABLE, message) from None


def _any(stand: Stand) -> Group:
    return stand.any


def _before(stand: Stand) -> Group:
    return stand.before


def _after(stand: Stand) -> Group:
    return stand.after


def _shard(number: int) -> Callable[[Stand], Group]:
    return lambda stand: stand.shards[number]


def _labels(shards: Sequence[int]) -> list[str]:
    return [f"shard {number}" for number in shards]


async def _spared(work: Coroutine[Any, Any, bytes]) -> bytes | Failure:
    """An answer, or the failure of somebody who is not there."""
    try:
        return await work
    except Failure as failure:
        if failure.code is not grpc.StatusCode.UNAVAILABLE:
            raise
        return failure


def _polls_all(node: Node, data: bytes) -> bool:
    """Whether the request goes to every shard; looks for its endpoint only where that matters."""
    usual = node.polling.get("*", "ANY")
    if len(node.shards) < 2 or all(mode == usual for mode in node.polling.values()):
        return usual == "ALL" and len(node.shards) > 1
    return node.polling.get(endpoint_of(peek_model_name(data)), usual) == "ALL"


def _ended(error: aio.AioRpcError) -> bool:
    """Whether the call failed because its pod is not there (any more): nobody of ours answered."""
    gone = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    return gone and not any(key == ANSWERED for key, _ in error.trailing_metadata() or ())


def _may_have_got(error: aio.AioRpcError) -> bool:
    """Whether the pod can have seen the request: it can't where there never was a connection."""
    return "failed to connect to" not in (error.details() or "")


async def all_of(work: Iterable[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """All results in order; the first failure cancels what still runs, and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
