"""`MemoryLogs`: a `LogSource` over bytes in memory, which counts what is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from quarterdeck.engine.model import LogChunk, LogRun, PodKey
from quarterdeck.widgets.logsource import LogUnavailable


@dataclass
class Run:
    """One run."""

    data: bytes = b""
    ending: str = ""
    started_at: float = 1_000.0
    ended_at: float | None = None


@dataclass
class MemoryLogs:
    """Logs by pod, oldest run first."""

    logs: dict[PodKey, list[Run]] = field(default_factory=dict)
    lost: bool = False
    bytes_read: int = 0
    largest: int = 0

    def __getitem__(self, key: PodKey) -> Run:
        return self.logs.setdefault(key, [Run()])[-1]

    async def runs(self, pod: PodKey) -> Sequence[LogRun]:
        if self.lost:
            raise LogUnavailable("gone", lost=True)
        return [
            LogRun(n, "", len(run.data), run.started_at, run.ended_at, run.ending)
            for n, run in enumerate(self.logs.get(pod, ()), 1)
        ]

    async def read(self, pod: PodKey, run: int, offset: int, limit: int) -> LogChunk:
        if self.lost:
            raise LogUnavailable("gone", lost=True)
        found = self.logs[pod][run - 1]
        start = max(0, len(found.data) + offset) if offset < 0 else offset
        data = found.data[start : start + limit]
        self.bytes_read += len(data)
        self.largest = max(self.largest, limit)
        return LogChunk(run, start, data, len(found.data), bool(found.ending))
