"""`Pane`: the tabs at the right: their names, the subject line, and the tab that is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from quarterdeck.engine.model import Event, Fleet
from quarterdeck.widgets.bar import Bar
from quarterdeck.widgets.dress import Role
from quarterdeck.widgets.ink import BLANK, Line, Span, cut_front, dress_of, width_of
from quarterdeck.widgets.rows import Row

from ..session import Session
from .tab import Tab
from .tabs import TABS

ROOMY = 30
"""Rows of the terminal from which a blank row stands under the subject."""


class Pane(Vertical):
    """Follows the row under the cursor."""

    DEFAULT_CSS: ClassVar[str] = "Pane { width: 1fr; height: 1fr; background: $background; }"

    class Switched(Message):
        """Another tab is seen."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tabs: tuple[Tab, ...] = tuple(make(session) for make in TABS)
        self.row: Row | None = None
        self._at = 0
        self._names = Bar(id="tabs")
        self._subject = Bar(id="subject")
        self._blank = Bar(id="under-subject")
        self._focused = False

    def compose(self) -> ComposeResult:
        yield self._names
        yield self._subject
        yield self._blank
        yield from self.tabs

    def on_mount(self) -> None:
        self.go(0)

    @property
    def tab(self) -> Tab:
        """The tab that is seen."""
        return self.tabs[self._at]

    @property
    def view(self) -> Widget:
        return self.tab.view

    def go(self, index: int) -> None:
        """See another tab; past the last comes the first."""
        had_focus = self.tab.view.has_focus
        self._at = index % len(self.tabs)
        for n, tab in enumerate(self.tabs):
            tab.display = n == self._at
            if tab.active and n != self._at:
                tab.activate(False)
        self.tab.about(self.row)
        self.tab.activate(True)
        if had_focus:
            self.tab.view.focus()
        self.title()
        self.post_message(self.Switched())

    def turn(self, step: int) -> None:
        self.go(self._at + step)

    def open(self, kind: type[Tab]) -> None:
        """See the tab of this kind."""
        for index, tab in enumerate(self.tabs):
            if isinstance(tab, kind):
                if index != self._at:
                    self.go(index)
                return

    def about(self, row: Row | None) -> None:
        """The cursor is on this row."""
        self.row = row
        self.tab.about(row)
        self.title()

    def take_fleet(self, fleet: Fleet) -> None:
        for tab in self.tabs:
            tab.take_fleet(fleet)

    def take_events(self, events: Sequence[Event]) -> None:
        for tab in self.tabs:
            tab.take_events(events)

    def tick(self, now: float) -> None:
        self.tab.tick(now)

    def found(self) -> None:
        for tab in self.tabs:
            tab.found()
        self.title()

    def on_tab_retitled(self, message: Tab.Retitled) -> None:
        message.stop()
        self.title()

    def focused(self, on: bool) -> None:
        """Whether the keys go to the pane."""
        if on != self._focused:
            self._focused = on
            self.title()

    def title(self) -> None:
        """Draw the names of the tabs and the subject."""
        if not self.is_attached:
            return
        names: list[Span] = []
        for n, tab in enumerate(self.tabs):
            here = n == self._at
            names += [Span("  ")] if names else []
            names.append(Span(tab.TITLE, Role.ACCENT if here else Role.MUTED, bold=here, underline=here))
        self._names.show(tuple(names))
        left, right = self.tab.subject()
        glyphs = dress_of(self).glyphs
        name: Line = BLANK
        if self.row is not None:
            room = max(12, self.size.width - 4 - width_of(left) - width_of(right))
            name = (Span(cut_front(self.row.short, room, glyphs.cut), Role.TEXT, True),)
        first = Span(glyphs.cursor, Role.ACCENT) if self._focused else Span(" ")
        self._subject.show((*name, *left), right, first)

    def on_resize(self) -> None:
        self._blank.display = self.app.size.height >= ROOMY
        self.title()
