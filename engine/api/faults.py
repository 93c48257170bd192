"""How an engine's error crosses the socket: its class, message and hint in trailing metadata, no traceback."""

from __future__ import annotations

import json

import grpc
import grpc.aio

from .. import errors
from ..errors import EngineUnreachable, Mistake, QuarterdeckError, SpecError

KEY = "quarterdeck-error-bin"
WORDS = {
    grpc.StatusCode.UNAVAILABLE: "the engine does not answer",
    grpc.StatusCode.UNIMPLEMENTED: "the engine is of another version",
}


def pack(error: QuarterdeckError) -> bytes:
    """The error as metadata."""
    told = {"class": type(error).__name__, "message": error.message, "hint": error.hint}
    if isinstance(error, SpecError):
        slots = ("message", "hint", "file", "line", "key", "value")
        told["mistakes"] = json.dumps(
            [{name: getattr(mistake, name) for name in slots} for mistake in error.mistakes]
        )
    return json.dumps(told).encode()


def unpack(data: bytes) -> QuarterdeckError:
    """The error that `pack` packed; a class that we don't know becomes the root."""
    told = json.loads(data)
    if "mistakes" in told:
        return SpecError(tuple(Mistake(**mistake) for mistake in json.loads(told["mistakes"])))
    kind = getattr(errors, told["class"], QuarterdeckError)
    return kind(told["message"], told["hint"]) if issubclass(kind, QuarterdeckError) else QuarterdeckError("")


def translate(error: grpc.aio.AioRpcError) -> QuarterdeckError:
    """What a failed call means to a person."""
    for name, value in error.trailing_metadata() or ():
        if name == KEY and isinstance(value, bytes):
            return unpack(value)
    code = error.code()
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNIMPLEMENTED):
        return EngineUnreachable(WORDS.get(code, "the engine ended"), "see: qd engine status")
    return QuarterdeckError(f"the engine failed: {error.details() or code.name}", "see its engine.log")
