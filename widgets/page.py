"""`Page`: lines of text that scroll: details, events, help. Repaints only the lines that differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.geometry import Region
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from .dress import Ground, Role, Veil
from .ink import BLANK, Line, Span, cut_line, dress_of, paint, select, selected, veil_of


class Page(Widget, can_focus=True):
    """Shows lines from `top` on; `stick` keeps to the end while it is there."""

    DEFAULT_CSS: ClassVar[str] = "Page { background: $background; }"

    def __init__(
        self, *, stick: bool = False, ground: Ground = Ground.BACKGROUND, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.lines: tuple[Line, ...] = ()
        self._top = 0
        self._stick = stick
        self._ground = ground
        self._chosen: int | None = None
        self._painted: dict[int, tuple[Line, bool, Veil]] = {}

    def show(self, lines: Sequence[Line], chosen: int | None = None) -> None:
        """Other lines, one of them perhaps chosen; the place is kept, or the end when it was there."""
        at_end = self._stick and self._top >= self._last_top
        self.lines = tuple(lines)
        self._chosen = chosen
        self._top = self._last_top if at_end else min(self._top, self._last_top)
        self._repaint()

    @property
    def _last_top(self) -> int:
        return max(0, len(self.lines) - max(1, self.size.height))

    def move(self, rows: int) -> None:
        self._go(self._top + rows)

    def page(self, pages: float) -> None:
        self._go(self._top + int(pages * self.size.height))

    def home(self) -> None:
        self._go(0)

    def end(self) -> None:
        self._go(self._last_top)

    def show_line(self, index: int) -> None:
        """Scroll so that a line stands at the top."""
        self._go(index)

    def _go(self, top: int) -> None:
        self._top = max(0, min(top, self._last_top))
        self._repaint()

    def _content(self, y: int) -> tuple[Line, bool, Veil]:
        index = self._top + y
        return (self.lines[index] if index < len(self.lines) else BLANK, index == self._chosen, veil_of(self))

    def render_line(self, y: int) -> Strip:
        self._painted[y] = line, chosen, veil = self._content(y)
        dress = dress_of(self)
        width = self.size.width
        first = Span(dress.glyphs.cursor, Role.ACCENT) if chosen else Span(" ")
        ground = Ground.SELECTION if chosen else self._ground
        strip = paint((first, *cut_line(line, width - 2, dress.glyphs.cut)), dress, width, ground, veil)
        return select(strip, self.text_selection, y, dress)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        shown = self.lines[self._top : self._top + self.size.height]
        return selected(shown, selection), "\n"

    def _repaint(self) -> None:
        if not self.is_attached:
            return
        lines = [
            Region(0, y, self.size.width, 1)
            for y in range(self.size.height)
            if self._painted.get(y) != self._content(y)
        ]
        if lines:
            self.refresh(*lines)

    def on_resize(self) -> None:
        self._top = min(self._top, self._last_top)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move(-3)
