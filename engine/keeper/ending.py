"""Ending processes with all that descends from them, however fast they fork or raise each other again."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable

from .processes import Process, everyone, read

PASSES = 50
"""Looks for what was forked meanwhile; what still is not found then goes when its parent's end is noticed."""


def end_trees(roots: Iterable[int]) -> list[Process]:
    """SIGKILL processes and all below them; gives what was found.

    All are stopped before the first is killed: what is stopped forks nothing, raises nothing again, and has its
    children's pids kept from others. We and our own parents are never among them.
    """
    wanted = set(roots) - {os.getpid()}
    held: dict[tuple[int, int], Process] = {}
    for _ in range(PASSES):
        found = [process for process in _below(wanted) if (process.pid, process.start) not in held]
        if not found:
            break
        for process in found:
            _send(process, signal.SIGSTOP)
            held[process.pid, process.start] = process
    for process in held.values():
        _send(process, signal.SIGKILL)
    return list(held.values())


def _below(roots: set[int]) -> list[Process]:
    """The living among `roots`, and every living process below them."""
    children: dict[int, list[Process]] = {}
    queue: list[Process] = []
    for process in everyone():
        children.setdefault(process.parent, []).append(process)
        if process.pid in roots:
            queue.append(process)
    found: dict[int, Process] = {}
    while queue:
        process = queue.pop()
        if process.pid not in found:
            found[process.pid] = process
            queue.extend(children.get(process.pid, ()))
    return [process for process in found.values() if process.state not in "ZX"]


def _send(process: Process, number: int) -> None:
    """Send a signal to this very process, not to one that has taken its pid meanwhile."""
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(process.pid)
        try:
            now = read(process.pid)
            if now is not None and now.start == process.start:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)
