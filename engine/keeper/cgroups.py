"""Control groups: where one of ours can be made, and what it holds. Version 2, and version 1 where that is mounted."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass, field

CONTROLLERS = ("memory", "cpu", "pids")
PERIOD = 100_000
"""Microseconds over which a share of the CPU is counted."""
SHORTEST = 1_000
"""The least of it that the kernel takes."""
MEMBERS = "cgroup.procs"
PREFIX = "quarterdeck-"


@dataclass(frozen=True, slots=True)
class Place:
    """A group of others below which ours are made."""

    folder: str
    version: int


def find_places(mounts: str | None = None, own: str | None = None) -> dict[str, Place]:
    """By controller, where a group can be made now; empty where none can.

    `mounts` and `own` are the texts of /proc/self/mountinfo and /proc/self/cgroup.
    """
    try:
        mounted = [line.split() for line in (mounts or _read("/proc/self/mountinfo")).splitlines()]
        lines = [line.split(":", 2) for line in (own or _read("/proc/self/cgroup")).splitlines()]
    except OSError:
        return {}
    groups = {name: path for _, names, path in lines for name in names.split(",")}
    found: dict[str, Place] = {}
    for fields in mounted:
        kind, options = fields[fields.index("-") + 1], fields[-1].split(",")
        root, point = fields[3], fields[4]
        if kind == "cgroup":
            for name in CONTROLLERS:
                folder = _below(point, root, groups.get(name)) if name in options else None
                if folder is not None and _can_make(folder):
                    found[name] = Place(folder, 1)
        elif kind == "cgroup2" and (folder := _below(point, root, groups.get(""))) is not None:
            place, names = _best(point, folder)
            found |= {name: Place(place, 2) for name in names if name not in found}
    return found


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


def _words(path: str) -> set[str]:
    try:
        return set(_read(path).split())
    except OSError:
        return set()


def _below(point: str, root: str, group: str | None) -> str | None:
    """The folder of a group in a mount that shows what is below `root`."""
    if group is None or not f"{group}/".startswith(root.rstrip("/") + "/"):
        return None
    return (point + "/" + group[len(root.rstrip("/")) :].strip("/")).rstrip("/")


def _best(point: str, folder: str) -> tuple[str, set[str]]:
    """The nearest group, from our own upwards, below which most controllers are at hand."""
    best: tuple[str, set[str]] = folder, set()
    while True:
        names = _words(f"{folder}/cgroup.subtree_control") & set(CONTROLLERS)
        if len(names) > len(best[1]) and os.access(f"{folder}/{MEMBERS}", os.W_OK) and _can_make(folder):
            best = folder, names
        if folder == point or not folder.startswith(point):
            return best
        folder = os.path.dirname(folder)


def _can_make(folder: str) -> bool:
    trial = f"{folder}/{PREFIX}trial-{os.getpid()}"
    try:
        os.mkdir(trial)
        os.rmdir(trial)
    except OSError:
        return False
    return True


@dataclass(slots=True)
class Group:
    """The groups that hold one pod: one folder, or with version 1 one for each controller."""

    folders: dict[str, Place] = field(default_factory=dict)
    """By controller; each `Place` is a group of our own."""

    @property
    def _each(self) -> set[str]:
        return {place.folder for place in self.folders.values()}

    def join(self) -> None:
        """Put this process into the group. Raises OSError."""
        for folder in self._each:
            _write(f"{folder}/{MEMBERS}", "0")

    def pids(self) -> set[int]:
        """Who is in it."""
        return {int(pid) for folder in self._each for pid in _words(f"{folder}/{MEMBERS}")}

    def kill(self) -> None:
        """SIGKILL all that is in it; where the kernel can do that at once, nothing is forked meanwhile."""
        for folder in self._each:
            try:
                _write(f"{folder}/cgroup.kill", "1")
            except OSError:
                for pid in self.pids():
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)

    def memory_kills(self) -> int:
        """How many of its processes the kernel has killed for want of memory."""
        place = self.folders.get("memory")
        if place is None:
            return 0
        name = "memory.events" if place.version == 2 else "memory.oom_control"
        with contextlib.suppress(OSError, ValueError):
            words = _read(f"{place.folder}/{name}").split()
            return int(words[words.index("oom_kill") + 1])
        return 0

    def remove(self) -> bool:
        """Whether it has gone; a process that is still dying keeps it for a moment."""
        for folder in self._each:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        return not any(os.path.exists(folder) for folder in self._each)


def _write(path: str, text: str) -> None:
    """One write; a file of another group is never made."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def make(places: dict[str, Place], name: str, values: dict[str, float]) -> Group:
    """A group that holds what `values` says, by controller: bytes, cores, tasks. Raises OSError, and leaves nothing."""
    group = Group()
    try:
        for controller, value in values.items():
            place = places[controller]
            folder = f"{place.folder}/{PREFIX}{name}"
            if folder not in group._each:
                os.mkdir(folder)
            group.folders[controller] = Place(folder, place.version)
            _set(folder, place.version, controller, value)
    except OSError:
        group.remove()
        raise
    return group


def _set(folder: str, version: int, controller: str, value: float) -> None:
    quota, whole = max(SHORTEST, int(value * PERIOD)), str(int(value))
    match controller, version:
        case "memory", 2:
            _write(f"{folder}/memory.max", whole)
            # Who is limited isn't helped by swap, and half a pod is no pod.
            for name, text in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
                with contextlib.suppress(OSError):
                    _write(f"{folder}/{name}", text)
        case "memory", _:
            _write(f"{folder}/memory.limit_in_bytes", whole)
            with contextlib.suppress(OSError):
                _write(f"{folder}/memory.memsw.limit_in_bytes", whole)
        case "cpu", 2:
            _write(f"{folder}/cpu.max", f"{quota} {PERIOD}")
        case "cpu", _:
            _write(f"{folder}/cpu.cfs_period_us", str(PERIOD))
            _write(f"{folder}/cpu.cfs_quota_us", str(quota))
        case _:
            _write(f"{folder}/pids.max", whole)


def left_below(folder: str, name: str) -> list[Group]:
    """Groups whose name begins with `name` that somebody left below a place; kinds and values don't matter."""
    try:
        found = os.listdir(folder)
    except OSError:
        return []
    return [Group({"": Place(f"{folder}/{each}", 0)}) for each in found if each.startswith(PREFIX + name)]
