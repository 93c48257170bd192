"""Reading /proc: who descends from whom, and who carries our mark. Never changes anything but by `kill`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

MARK = "QUARTERDECK_MARK"
"""Environment variable of every process of ours: 16 hexadecimal digits, one value a run of a pod."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process as /proc/PID/stat shows it."""

    pid: int
    parent: int
    session: int
    state: str
    start: int
    """Clock ticks after boot; with the pid it names a process for good."""


def read(pid: int | str) -> Process | None:
    """One process, or None when it has gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            data = file.read()
    except OSError:
        return None
    fields = data.rpartition(b")")[2].split()
    return Process(int(pid), int(fields[1]), int(fields[3]), fields[0].decode(), int(fields[19]))


def everyone() -> Iterator[Process]:
    """Every process that can be seen."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (process := read(name)) is not None:
            yield process


def children(parent: int) -> list[Process]:
    """Direct children of a process, zombies included.

    The `children` files of /proc would be cheaper; not every kernel has them.
    """
    return [process for process in everyone() if process.parent == parent]


def environment(pid: int) -> dict[str, str]:
    """First environment of a process, or nothing when it has gone or is somebody else's."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            block = file.read()
    except OSError:
        return {}
    pairs = (item.partition(b"=") for item in block.split(b"\0") if b"=" in item)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def marked(variable: str, value: str) -> list[Process]:
    """Living processes whose first environment has `variable=value`."""
    return [
        process
        for process in everyone()
        if process.state not in "ZX" and environment(process.pid).get(variable) == value
    ]


def descendants(root: int) -> list[Process]:
    """Every living process below `root`, nearest first."""
    below: dict[int, list[Process]] = {}
    for process in everyone():
        below.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    queue = [root]
    while queue:
        for process in below.get(queue.pop(0), ()):
            found.append(process)
            queue.append(process.pid)
    return [process for process in found if process.state not in "ZX"]
