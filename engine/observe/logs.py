"""Pods' logs: one append-only file for each run, read by byte offset. Never looks inside a line.

The pod writes the file itself; nothing here can slow or lose what it writes.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import TargetError
from ..model import LogChunk, LogRun, PodKey

KEEP_RUNS = 5
LARGEST_CHUNK = 262_144
TAIL = 16_384
"""Bytes from the end of a log in which its last words are looked for."""


@dataclass(slots=True)
class LogBook:
    """All runs of all pods below one folder."""

    folder: Path
    _runs: dict[PodKey, dict[int, LogRun]] = field(default_factory=dict)

    def folder_of(self, pod: PodKey) -> Path:
        return self.folder / pod.topology / pod.name

    def last_run(self, pod: PodKey) -> int:
        """Number of the newest run that has a log, 0 when there is none; numbers go on over engines."""
        return max(self._known(pod), default=0)

    def open_run(self, pod: PodKey, run: int, now: float) -> str:
        """Make the folder for a run that starts now, forget the oldest runs, and say its file's path.

        Raises OSError where the folder can't be made.
        """
        known = self._known(pod)
        folder = self.folder_of(pod)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = str(folder / f"run-{run}.log")
        for old in sorted(known)[: max(0, len(known) - KEEP_RUNS + 1)]:
            with contextlib.suppress(OSError):
                os.unlink(known.pop(old).path)
        known[run] = LogRun(run, path, 0, now)
        return path

    def started_at(self, pod: PodKey, run: int) -> float | None:
        """When a run began, or None for one that has no log."""
        found = self._known(pod).get(run)
        return None if found is None else found.started_at

    def close_run(self, pod: PodKey, run: int, now: float, ending: str) -> None:
        """Note why a run ended."""
        known = self._known(pod)
        if run in known:
            known[run] = replace(known[run], ended_at=now, ending=ending)

    def runs(self, pod: PodKey) -> tuple[LogRun, ...]:
        """Runs that have a log, oldest first, with the sizes that their files have now."""
        known = self._known(pod)
        return tuple(replace(known[run], size=_size(known[run].path)) for run in sorted(known))

    def read(self, pod: PodKey, run: int, offset: int, limit: int) -> LogChunk:
        """Up to `limit` bytes; see `Control.read_log`. Raises TargetError for a run without a log."""
        known = self._known(pod)
        number = run or max(known, default=0)
        if number not in known:
            have = ", ".join(map(str, sorted(known))) or "none"
            raise TargetError(f"{pod} has no log of run {run or 'any'}", f"runs with a log: {have}")
        found = known[number]
        try:
            descriptor = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return LogChunk(number, max(0, offset), b"", 0, found.ended_at is not None)
        try:
            size = os.fstat(descriptor).st_size
            start = max(0, size + offset) if offset < 0 else offset
            data = os.pread(descriptor, max(0, min(limit, LARGEST_CHUNK)), start)
        finally:
            os.close(descriptor)
        return LogChunk(number, start, data, size, found.ended_at is not None)

    def tail(self, pod: PodKey, run: int, lines: int) -> tuple[str, ...]:
        """The last `lines` lines that are not blank, decoded; fewer where there are fewer."""
        try:
            data = self.read(pod, run, -TAIL, TAIL).data
        except TargetError:
            return ()
        text = data.decode("utf-8", "replace").splitlines()
        return tuple([line.rstrip() for line in text if line.strip()][-lines:])

    def _known(self, pod: PodKey) -> dict[int, LogRun]:
        """Runs of a pod; those of earlier engines are found on the disk, once."""
        known = self._runs.get(pod)
        if known is None:
            known = self._runs[pod] = {}
            for path in self.folder_of(pod).glob("run-*.log"):
                number = path.stem.removeprefix("run-")
                if number.isdigit():
                    found = path.stat()
                    known[int(number)] = LogRun(
                        int(number), str(path), found.st_size, found.st_ctime, found.st_mtime, "ended earlier"
                    )
        return known


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
