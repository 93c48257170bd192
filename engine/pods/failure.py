"""`Failure`: how a pod refuses a request, with the gRPC status that its client gets."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterable

import grpc
from grpc import aio

ANSWERED = "quarterdeck-answered"
"""Trailing metadata of every failure that a pod of ours decided on; a broken connection can't carry it.

A router that reads it does not send the request to another pod: nothing died."""


class Failure(Exception):
    """A request can't be served; the server turns it into a status."""

    def __init__(
        self, code: grpc.StatusCode, details: str, trailing: Iterable[tuple[str, str | bytes]] = ()
    ) -> None:
        """`trailing` is metadata that goes with it."""
        super().__init__(details)
        self.code = code
        self.details = details
        self.trailing = tuple(pair for pair in trailing if pair[0] != ANSWERED)

    @classmethod
    def passed_on(cls, error: aio.AioRpcError) -> Failure:
        """What another server answered, as it is."""
        return cls(error.code(), error.details() or "", error.trailing_metadata() or ())


def to_log(error: BaseException) -> None:
    """Print the traceback. A log that can't be written, on a full disk say, must not take the error's place."""
    with contextlib.suppress(OSError):
        traceback.print_exception(error)
