"""Calls of two streams: how a pod answers one, and how a router joins its client's with a replica's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from grpc import aio

from .failure import Failure

Context = aio.ServicerContext[bytes, bytes]
Requests = AsyncIterator[bytes]
Stream = Callable[[Requests, Context], Awaitable[None]]
"""Answers one call by writing to its context; raises `Failure`."""


async def join_streams(
    requests: Requests, context: Context, call: aio.StreamStreamCall[bytes, bytes]
) -> None:
    """Pass messages both ways, and back the metadata, until the replica has ended the call.

    Raises `Failure` where it ended with an error. Whoever cancels this cancels the call.
    """
    up = asyncio.ensure_future(_pass_up(requests, call))
    try:
        await context.send_initial_metadata(tuple(await call.initial_metadata()))
        while isinstance(message := await call.read(), bytes):
            await context.write(message)
        context.set_trailing_metadata(tuple(await call.trailing_metadata()))
    except aio.AioRpcError as error:
        raise Failure.passed_on(error) from None
    finally:
        up.cancel()
        call.cancel()
        await asyncio.gather(up, return_exceptions=True)


async def _pass_up(requests: Requests, call: aio.StreamStreamCall[bytes, bytes]) -> None:
    # Once the call has ended nothing can be written; how it ended is for the reading side to say.
    with contextlib.suppress(asyncio.InvalidStateError, aio.AioRpcError):
        async for message in requests:
            await call.write(message)
        await call.done_writing()
