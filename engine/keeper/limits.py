"""Limits of a pod and all that it starts: by control group where one can be had, else by rlimits."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass

from . import cgroups
from .processes import everyone

BY_GROUP = {"memory": "memory", "cpus": "cpu", "processes": "pids"}
"""Controller of each limit; open files are counted by process, which is an rlimit's work."""


class LimitError(Exception):
    """A limit can't be held; the text is for a person."""


@dataclass(frozen=True, slots=True)
class Limits:
    """See `plan.job.Job`; None: as much as there is."""

    memory: int | None = None
    cpus: float | None = None
    files: int | None = None
    processes: int | None = None


def cannot(places: dict[str, cgroups.Place]) -> dict[str, str]:
    """Which limits can't be held here, and why."""
    why = "no control group can be made here; run the engine as root, or in a delegated group"
    lacking = {} if "cpu" in places else {"cpus": why}
    if "pids" not in places and os.getuid() == 0:
        lacking["processes"] = "no control group can be made here, and an rlimit doesn't hold root"
    return lacking


def group_for(limits: Limits, places: dict[str, cgroups.Place], name: str) -> cgroups.Group | None:
    """The group that holds what it can of these; None where there is nothing for it. Raises `LimitError`."""
    values = {
        controller: value
        for limit, controller in BY_GROUP.items()
        if controller in places and (value := getattr(limits, limit)) is not None
    }
    if not values:
        return None
    try:
        return cgroups.make(places, name, values)
    except OSError as error:
        raise LimitError(f"limits: {error.filename or 'a control group'}: {error.strerror}") from None


def hold(limits: Limits, group: cgroups.Group | None) -> None:
    """Limit this process and all that it will start. Raises `LimitError`."""
    grouped: set[str] = set() if group is None else set(group.folders)
    if group is not None:
        try:
            group.join()
        except OSError as error:
            raise LimitError(f"limits: can't enter the control group: {error.strerror}") from None
    if limits.files is not None:
        _rlimit("files", resource.RLIMIT_NOFILE, limits.files)
    if limits.memory is not None and "memory" not in grouped:
        # What is mapped for writing, not the address space: a server that idles in 30 MB reserves 500.
        _rlimit("memory", resource.RLIMIT_DATA, limits.memory)
    if limits.processes is not None and "pids" not in grouped and os.getuid() != 0:
        # The kernel counts all that the user runs: what runs beside the pod is let through.
        _rlimit("processes", resource.RLIMIT_NPROC, _tasks_of(os.getuid()) + limits.processes)


def _rlimit(name: str, kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    try:
        resource.setrlimit(kind, (value, value))
    except (OSError, ValueError, OverflowError):
        raise LimitError(f"limits.{name} {value} is more than the system allows ({hard})") from None


def _tasks_of(user: int) -> int:
    count = 0
    for process in everyone():
        try:
            folder = f"/proc/{process.pid}/task"
            count += len(os.listdir(folder)) if os.stat(folder).st_uid == user else 0
        except OSError:
            continue
    return count
