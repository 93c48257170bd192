"""How an engine's error crosses the socket: its class, message and hint in trailing metadata, no traceback."""

from __future__ import annotations

import json
from typing import Any

import grpc
import grpc.aio

from .. import errors
from ..errors import EngineUnreachable, Mistake, QuarterdeckError, SpecError

KEY = "quarterdeck-error-bin"
LONGEST_TEXT, MOST_MISTAKES = 1_000, 5_000
"""Characters of a message or hint, and bytes of mistakes: gRPC lets 8 KiB of metadata pass."""
WORDS = {
    grpc.StatusCode.UNAVAILABLE: "the engine does not answer",
    grpc.StatusCode.UNIMPLEMENTED: "the engine is of another version",
}


def pack(error: QuarterdeckError) -> bytes:
    """The error as metadata, cut to what a header may hold."""
    told: dict[str, Any] = {"class": type(error).__name__}
    if isinstance(error, SpecError):
        told["mistakes"] = _fitting(error.mistakes)
    else:
        told |= {"message": error.message[:LONGEST_TEXT], "hint": error.hint[:LONGEST_TEXT]}
    return _encode(told)


def _fitting(mistakes: tuple[Mistake, ...]) -> list[dict[str, Any]]:
    """The first mistakes, and how many more there are."""
    slots = ("message", "hint", "file", "line", "key", "value")
    packed: list[dict[str, Any]] = []
    room = MOST_MISTAKES
    for mistake in mistakes:
        given = {name: getattr(mistake, name) for name in slots}
        room -= len(_encode(given))
        if room < 0:
            packed.append({"message": f"and {len(mistakes) - len(packed)} mistakes more"})
            break
        packed.append(given)
    return packed


def _encode(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def unpack(data: bytes) -> QuarterdeckError:
    """The error that `pack` packed; a class that we don't know becomes the root."""
    told = json.loads(data)
    if "mistakes" in told:
        return SpecError(tuple(Mistake(**mistake) for mistake in told["mistakes"]))
    kind = getattr(errors, told["class"], QuarterdeckError)
    known = isinstance(kind, type) and issubclass(kind, QuarterdeckError)
    return (kind if known else QuarterdeckError)(told["message"], told["hint"])


def translate(error: grpc.aio.AioRpcError) -> QuarterdeckError:
    """What a failed call means to a person."""
    for name, value in error.trailing_metadata() or ():
        if name == KEY and isinstance(value, bytes):
            return unpack(value)
    code = error.code()
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNIMPLEMENTED):
        return EngineUnreachable(WORDS.get(code, "the engine ended"), "see: qd engine status")
    return QuarterdeckError(f"the engine failed: {error.details() or code.name}", "see its engine.log")
