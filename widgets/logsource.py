"""`LogSource`: where a log view gets bytes from. The console gives it one; a widget knows nothing behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from quarterdeck.engine.model import LogChunk, LogRun, PodKey


class LogUnavailable(Exception):
    """The log can't be read now; `lost` says that the engine has gone and may come back."""

    def __init__(self, message: str, lost: bool = False) -> None:
        super().__init__(message)
        self.lost = lost


class LogSource(Protocol):
    """Reads logs by byte offset. Both raise only `LogUnavailable`."""

    async def runs(self, pod: PodKey) -> Sequence[LogRun]:
        """Runs whose logs are there, oldest first."""
        ...

    async def read(self, pod: PodKey, run: int, offset: int, limit: int) -> LogChunk:
        """Up to `limit` bytes of a run's log; a negative offset counts from the end."""
        ...
