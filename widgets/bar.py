"""`Bar`: one line with a left and a right part; it repaints only when what it says has changed."""

from __future__ import annotations

from typing import ClassVar

from textual.strip import Strip
from textual.widget import Widget

from .dress import Ground, Role, Veil
from .ink import BLANK, Line, Span, dress_of, paint, spread, veil_of


class Bar(Widget):
    """A line of the frame: totals, tabs, subject, keys."""

    ALLOW_SELECT = False
    DEFAULT_CSS: ClassVar[str] = "Bar { height: 1; width: 1fr; }"

    def __init__(self, *, ground: Ground = Ground.BACKGROUND, id: str | None = None) -> None:
        super().__init__(id=id)
        self._ground = ground
        self._left: Line = BLANK
        self._right: Line = BLANK
        self._first: Span = Span(" ")

    def show(self, left: Line, right: Line = BLANK, first: Span | None = None) -> None:
        """What stands at the left, what at the right, and what in the first cell."""
        new = (left, right, first or Span(" "))
        if new != (self._left, self._right, self._first):
            self._left, self._right, self._first = new
            self.refresh()

    def veil(self) -> Veil:
        return veil_of(self)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        dress = dress_of(self)
        # One blank at either edge.
        line = spread(self._left, self._right, max(0, width - 2), dress.glyphs.cut)
        return paint((self._first, *line), dress, width, self._ground, self.veil())


class Divider(Widget):
    """The one vertical line between the tree and the pane."""

    ALLOW_SELECT = False
    DEFAULT_CSS: ClassVar[str] = "Divider { width: 1; height: 1fr; }"

    def render_line(self, y: int) -> Strip:
        dress = dress_of(self)
        return paint((Span(dress.glyphs.divider, Role.LINE),), dress, 1, veil=veil_of(self))
