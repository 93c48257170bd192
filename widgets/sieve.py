"""`Sieve`: which of the lines that were read are shown: those that pass the filter and were not cleared, and marks."""

from __future__ import annotations

from collections.abc import Sequence

from .filter import EVERYTHING, Filter
from .logline import Kind, LogLine, Place


class Sieve:
    """Pure of any screen; `sift` is called with every new window of lines."""

    def __init__(self) -> None:
        self.wanted: Filter = EVERYTHING
        self._marks: dict[Place, LogLine] = {}
        self._floor: dict[int, tuple[int, int]] = {}

    def forget(self) -> None:
        """Other logs are shown: marks and what was cleared go, the filter stays."""
        self._marks, self._floor = {}, {}

    def mark(self, lines: Sequence[LogLine], text: str) -> None:
        """A line of ours below the last of `lines`."""
        last = next((line for line in reversed(lines) if line.kind is not Kind.NOTE), None)
        if last is not None:
            self._marks[last.place] = LogLine(last.source, last.run, last.offset, 0, text, kind=Kind.NOTE)

    def clear(self, lines: Sequence[LogLine]) -> None:
        """Show none of `lines` any more, nor what is above them; the file keeps them."""
        for line in lines:
            self._floor[line.source] = (line.run, line.offset + max(1, line.size))

    def sift(self, lines: Sequence[LogLine]) -> list[LogLine]:
        """What is shown of `lines`."""
        passed = [line for line in lines if self._passes(line)]
        if not self._marks:
            return passed
        return [each for line in passed for each in (line, self._marks.get(line.place)) if each is not None]

    def _passes(self, line: LogLine) -> bool:
        if self._floor and (line.run, line.offset) < self._floor.get(line.source, (0, 0)):
            return False
        return not self.wanted or line.kind is not Kind.TEXT or self.wanted.passes(line.full)
