"""The control groups of a keeper's pods: made when a pod with limits starts, removed when it has ended."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field

from . import cgroups
from .limits import Limits, group_for

NOTE = ".groups"
"""Ending of the file beside a keeper's socket."""
PATIENCE = 1.0
"""Seconds that processes which were killed may take to leave a group."""
AGAIN = 0.005


@dataclass(slots=True)
class Groups:
    """By pod. The places of groups are noted in a file, for whoever comes after a keeper that was killed."""

    note: str
    mark: str
    """Of the engine; begins the names of its groups."""
    _places: dict[str, cgroups.Place] | None = None
    _by_pod: dict[str, cgroups.Group] = field(default_factory=dict)
    _leaving: list[cgroups.Group] = field(default_factory=list)

    def make(self, pod: str, limits: Limits) -> cgroups.Group | None:
        """A group for a pod that is about to start, if its limits need one. Raises `LimitError`."""
        if self._places is None:
            self._places = cgroups.find_places()
            with contextlib.suppress(OSError), open(self.note, "w") as file:
                file.writelines(f"{folder}\n" for folder in {place.folder for place in self._places.values()})
        group = group_for(limits, self._places, f"{self.mark}-{pod}")
        if group is not None:
            self._by_pod[pod] = group
        return group

    def pids(self, pod: str) -> set[int]:
        """Who is in a pod's group."""
        group = self._by_pod.get(pod)
        return group.pids() if group is not None else set()

    def kill(self, pod: str) -> None:
        """SIGKILL all that is in a pod's group."""
        if pod in self._by_pod:
            self._by_pod[pod].kill()

    def memory_kills(self, pod: str) -> int:
        """How many of a pod's processes the kernel has killed for want of memory."""
        return self._by_pod[pod].memory_kills() if pod in self._by_pod else 0

    def leave(self, pod: str) -> None:
        """The pod has ended: its group goes as soon as nobody is in it."""
        group = self._by_pod.pop(pod, None)
        if group is not None and not group.remove():
            self._leaving.append(group)

    @property
    def busy(self) -> bool:
        """Whether `tidy` has something to do."""
        return bool(self._leaving)

    def tidy(self) -> None:
        """Try again to remove what could not be."""
        self._leaving = [group for group in self._leaving if not group.remove()]

    def close(self) -> None:
        """Remove all, once all pods have ended."""
        for pod in list(self._by_pod):
            self.leave(pod)
        _remove_all(self._leaving)
        if self._places is not None:
            with contextlib.suppress(OSError):
                os.unlink(self.note)


def _remove_all(groups: list[cgroups.Group]) -> None:
    until = time.monotonic() + PATIENCE
    while groups:
        for group in groups:
            group.kill()
        groups = [group for group in groups if not group.remove()]
        if groups:
            if time.monotonic() >= until:
                return
            time.sleep(AGAIN)


def remove_left(note: str, mark: str) -> None:
    """End what is left in the groups of a keeper that was killed, remove them, and its note."""
    with contextlib.suppress(OSError):
        with open(note) as file:
            folders = file.read().splitlines()
        _remove_all([group for folder in folders for group in cgroups.left_below(folder, mark)])
        os.unlink(note)
