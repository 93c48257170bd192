"""The sockets that are left when a keeper goes: its own, and that of an engine that was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

LOCK_PATIENCE = 1.0
"""Seconds that an engine which was killed may take to give its lock back, after its link has ended."""
LOCK_EVERY = 0.005


def remove_sockets(own: str, engine_socket: str, engine_lock: str, patience: float) -> None:
    """Remove our socket, and the engine's unless another engine has taken its place.

    A process that is killed closes its files one after the other: the end of our link can be seen before the
    engine's lock is free, so the lock is waited for, up to `patience` seconds.
    """
    with contextlib.suppress(OSError):
        os.unlink(own)
    try:
        lock = os.open(engine_lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        until = time.monotonic() + patience
        while not _locked(lock):
            if time.monotonic() >= until:
                return
            time.sleep(LOCK_EVERY)
        os.unlink(engine_socket)
    except OSError:
        pass
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
