"""What forked pods are to find imported already; the keeper calls it once, before its first fork."""

from __future__ import annotations

import importlib
import inspect

MODULES = (
    "asyncio",
    "concurrent.futures.thread",
    "encodings.idna",
    "grpc._utilities",  # what `grpc` itself imports late
    "grpc.aio",
    "quarterdeck.engine.pods.executor",
    "quarterdeck.engine.pods.main",
)
"""None of them starts a thread: a fork copies only the one that forks. numpy does, so it is not here."""


def preload() -> None:
    """Import everything that a pod needs before the user's code."""
    for name in MODULES:
        importlib.import_module(name)
    # The first signature of a built-in makes the standard library compile its tokenizer: once here, not in every pod.
    inspect.signature(object().__init__)  # type: ignore[misc]
