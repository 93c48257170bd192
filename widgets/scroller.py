"""`Scroller`: where a view stands on a list of lines, some of which take several rows. Pure of any screen."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .logline import Kind, LogLine
from .logpaint import LogLook


class Scroller:
    """A place in lines: index `top` and, in a wrapped line, its row `sub`. Lines may change under it."""

    def __init__(self) -> None:
        self.lines: Sequence[LogLine] = ()
        self.top = 0
        self.sub = 0

    @property
    def top_line(self) -> LogLine | None:
        return self.lines[self.top] if self.top < len(self.lines) else None

    def take(self, lines: Sequence[LogLine]) -> None:
        """Other lines; the one at the top stays at the top, wherever it is now."""
        anchor = self.top_line
        before = self.lines
        self.lines = lines
        if anchor is None:
            self.top = self.sub = 0
            return
        found = self.index_of(anchor)
        if found is None:  # filtered away or let go: the nearest that stayed, below first
            places = {line.place: n for n, line in enumerate(lines)}
            near = (*before[self.top :], *reversed(before[: self.top]))
            found = next((places[line.place] for line in near if line.place in places), None)
            self.sub = 0
        self.top = max(0, len(lines) - 1) if found is None else found

    def index_of(self, line: LogLine | None) -> int | None:
        """Where a line is now."""
        if line is None:
            return None
        lines = self.lines
        if self.top < len(lines) and lines[self.top] is line:
            return self.top
        place = line.place
        return next((n for n, other in enumerate(lines) if other is line or other.place == place), None)

    def visible(self, look: LogLook, height: int) -> list[tuple[int, int]]:
        """Line and row within it for each row of the screen."""
        rows: list[tuple[int, int]] = []
        index, sub = self.top, self.sub
        while len(rows) < height and index < len(self.lines):
            rows += [(index, row) for row in range(sub, look.rows(self.lines[index]))]
            index, sub = index + 1, 0
        return rows[:height]

    def last_visible(self, look: LogLook, height: int) -> int:
        rows = self.visible(look, height)
        return rows[-1][0] if rows else -1

    def below(self, look: LogLook, height: int) -> int:
        """Lines below the screen."""
        return max(0, len(self.lines) - 1 - self.last_visible(look, height))

    def near_end(self, height: int) -> bool:
        return self.top + 2 * height >= len(self.lines)

    def to_start(self) -> None:
        self.top = self.sub = 0

    def to_end(self, look: LogLook, height: int) -> None:
        self.top, self.sub = self._end(look, height)

    def clamp(self, look: LogLook, height: int) -> None:
        """No blank below while there are lines above."""
        self.top, self.sub = min((self.top, self.sub), self._end(look, height))

    def _end(self, look: LogLook, height: int) -> tuple[int, int]:
        """The place from which the last row stands at the bottom."""
        left = height
        index = len(self.lines)
        while index > 0:
            index -= 1
            rows = look.rows(self.lines[index])
            if rows >= left:
                return index, rows - left
            left -= rows
        return 0, 0

    def up(self, rows: int, look: LogLook) -> bool:
        """Towards the beginning; False when already there."""
        before = (self.top, self.sub)
        for _ in range(rows):
            if self.sub > 0:
                self.sub -= 1
            elif self.top > 0:
                self.top -= 1
                self.sub = look.rows(self.lines[self.top]) - 1
            else:
                break
        return (self.top, self.sub) != before

    def down(self, rows: int, look: LogLook, height: int) -> bool:
        """Towards the end; False when the end is reached."""
        end = self._end(look, height)
        for _ in range(rows):
            if (self.top, self.sub) >= end:
                break
            if self.sub + 1 < look.rows(self.lines[self.top]):
                self.sub += 1
            else:
                self.top, self.sub = self.top + 1, 0
        if (self.top, self.sub) >= end:
            self.top, self.sub = end
            return False
        return True

    def find(
        self, pattern: re.Pattern[str], step: int, origin: LogLine | None, look: LogLook, height: int
    ) -> int | None:
        """Index of the next line that matches, upwards (-1) or downwards (1) from `origin`, else from the screen."""
        at = self.index_of(origin)
        if at is None:
            at = self.last_visible(look, height) + 1 if step < 0 else self.top - 1
        index = at + step
        while 0 <= index < len(self.lines):
            line = self.lines[index]
            if line.kind is Kind.TEXT and pattern.search(line.text):
                return index
            index += step
        return None

    def reveal(self, index: int, look: LogLook, height: int) -> bool:
        """Bring a line on screen; True when that moved the place."""
        if any(index == shown for shown, _ in self.visible(look, height)):
            return False
        self.top, self.sub = max(0, index - height // 3), 0
        self.clamp(look, height)
        return True
