"""What forked pods are to find imported already; the keeper calls it once, before its first fork."""

from __future__ import annotations

import importlib

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
