"""Walking a topology's needs: who gets the request, whose answers feed whom, and what the client gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import grpc

from ..plan.routes import Node
from ..wire.datatypes import TensorError
from ..wire.join import choose, join
from ..wire.scan import response_as_request, without_wanted
from .failure import Failure

Call = Callable[[str, bytes], Coroutine[Any, Any, bytes]]
"""A node's answer to a request, by the node's name."""


async def walk(nodes: Mapping[str, Node], data: bytes, call: Call) -> bytes:
    """The topology's answer; raises `Failure`. Nodes that don't need each other run side by side."""
    if len(nodes) == 1:
        return await call(next(iter(nodes)), data)
    needed = {need for node in nodes.values() for need in node.needs}
    leaves = [name for name in nodes if name not in needed]
    stop = without_wanted(data)
    tasks: dict[str, asyncio.Task[bytes]] = {}

    async def visit(node: Node) -> bytes:
        # With several leaves none has all that is wanted: it is chosen from what they are joined to.
        request = data if leaves == [node.name] else stop
        if node.needs:
            answers = [await tasks[need] for need in node.needs]
            request = _as_request(_joined(node.name, node.needs, answers), request, node.name)
        return await call(node.name, request)

    try:
        async with asyncio.TaskGroup() as group:
            for name, node in nodes.items():
                tasks[name] = group.create_task(visit(node))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    if len(leaves) == 1:
        return tasks[leaves[0]].result()
    answer = _joined("gateway", leaves, [tasks[name].result() for name in leaves])
    try:
        return choose(answer, data)
    except TensorError as error:
        raise Failure(grpc.StatusCode.INVALID_ARGUMENT, f"gateway: {error}") from None


def _joined(where: str, names: list[str] | tuple[str, ...], answers: list[bytes]) -> bytes:
    if len(answers) == 1:
        return answers[0]
    try:
        return join(answers, names)
    except TensorError as error:
        raise Failure(grpc.StatusCode.INTERNAL, f"{where}: {error}") from None


def _as_request(answer: bytes, request: bytes, where: str) -> bytes:
    try:
        return response_as_request(answer, request)
    except TensorError as error:
        raise Failure(grpc.StatusCode.INTERNAL, f"{where}: {error}") from None
