"""`LogCanvas`: draws the lines of a log that are on screen, and repaints only those that differ. It reads nothing."""

from __future__ import annotations

import re
from typing import ClassVar

from textual.geometry import Region
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from .dress import Role, Veil
from .ink import BLANK, Line, Span, dress_of, paint, select, selected, veil_of
from .logline import LogLine
from .logpaint import LogLook, log_line
from .scroller import Scroller

NARROW = 56
"""Under this width times are off until asked for."""

Frame = tuple[LogLook, list[tuple[int, int]], Veil]
"""How lines look, which rows are on screen, and what lies over them."""


class LogCanvas(Widget, can_focus=True):
    """What is drawn: `scroller` holds the lines and the place in them."""

    DEFAULT_CSS: ClassVar[str] = "LogCanvas { background: $background; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.scroller = Scroller()
        self.tags: tuple[str, ...] = ()
        """Names of the pods, by source; empty for a single one."""
        self.pattern: re.Pattern[str] | None = None
        """What is searched for."""
        self.hit: LogLine | None = None
        """The match that was gone to."""
        self.wrap = False
        self.times: bool | None = None
        """None: by the width."""
        self.x = 0
        self._painted: dict[int, tuple[Line, Veil]] = {}

    @property
    def look(self) -> LogLook:
        """How lines are shown at the present size."""
        width = max(1, self.size.width - 2)
        times = self.size.width >= NARROW if self.times is None else self.times
        timed = times and any(line.clock for line in self.scroller.lines[-200:])
        return LogLook(width, timed, self.tags, self.wrap, self.x, self.pattern)

    def emptiness(self) -> str:
        """What stands where no line does."""
        return ""

    def render_line(self, y: int) -> Strip:
        line, veil = self._content(y, self._frame())
        self._painted[y] = (line, veil)
        strip = paint((Span(" "), *line), dress_of(self), self.size.width, veil=veil)
        return select(strip, self.text_selection, y, dress_of(self))

    def _frame(self) -> Frame:
        look = self.look
        return look, self.scroller.visible(look, self.size.height), veil_of(self)

    def _content(self, y: int, frame: Frame) -> tuple[Line, Veil]:
        look, rows, veil = frame
        if y == 0 and not rows:
            return ((Span(self.emptiness(), Role.MUTED),), veil)
        if y >= len(rows):
            return (BLANK, veil)
        index, row = rows[y]
        lines = self.scroller.lines
        line = lines[index]
        above = next((lines[n].clock for n in range(index - 1, -1, -1) if lines[n].clock), "")
        clock = line.clock if y == 0 or line.clock != above else ""
        drawn = log_line(line, look, dress_of(self).glyphs, clock, row, hit=line is self.hit)
        return (drawn, veil)

    def repaint_changed(self) -> None:
        """Repaint the lines whose content is another than what stands there."""
        if not self.is_attached or not self.size:
            return
        frame = self._frame()
        width = self.size.width
        lines = [
            Region(0, y, width, 1)
            for y in range(self.size.height)
            if self._painted.get(y) != self._content(y, frame)
        ]
        if lines:
            self.refresh(*lines)

    def visible_text(self) -> str:
        """The lines on screen as the program wrote them."""
        indices = dict.fromkeys(index for index, _ in self._frame()[1])
        return "\n".join(self.scroller.lines[n].full or self.scroller.lines[n].text for n in indices)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        frame = self._frame()
        return selected((self._content(y, frame)[0] for y in range(len(frame[1]))), selection), "\n"
