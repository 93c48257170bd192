"""The events tab: what happened to what the cursor is on, newest last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.widget import Widget

from quarterdeck.engine.model import Event
from quarterdeck.widgets.details import event_line
from quarterdeck.widgets.dress import Role
from quarterdeck.widgets.ink import BLANK, Line, Span, dress_of, text_of
from quarterdeck.widgets.measure import several
from quarterdeck.widgets.page import Page
from quarterdeck.widgets.rows import Kind, Row

from ..session import Session
from ..situation import Where
from .tab import Scrolls, Tab


class EventsTab(Tab):
    """Events of the row under the cursor."""

    TITLE: ClassVar[str] = "events"
    WHERE: ClassVar[Where] = Where.PAGE

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.page_view = Page(stick=True, id="events")
        self._events: Sequence[Event] = ()
        self._shown = 0

    def compose(self) -> ComposeResult:
        yield self.page_view

    @property
    def view(self) -> Widget:
        return self.page_view

    @property
    def scrolls(self) -> Scrolls:
        return self.page_view

    def about(self, row: Row | None) -> None:
        other = self.row is None or row is None or self.row.id != row.id
        super().about(row)
        if self.active:
            self._draw()
            if other:
                self.page_view.end()

    def activate(self, on: bool) -> None:
        super().activate(on)
        if on:
            self._draw()
            self.page_view.end()

    def take_events(self, events: Sequence[Event]) -> None:
        self._events = events
        if self.active:
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        row = self.row
        if row is None:
            return
        events = [event for event in self._events if concerns(event, row)]
        glyphs = dress_of(self).glyphs
        own = "" if row.kind is Kind.TOPOLOGY else f"{row.short}/"
        names = [event.pod.removeprefix(own) or event.topology for event in events]
        room = (
            0
            if row.pod is not None
            else min(22 if self.size.width > 90 else 13, max(map(len, names), default=0))
        )
        lines = [event_line(event, glyphs, name, room) for event, name in zip(events, names, strict=True)]
        self._shown = len(lines)
        self.page_view.show(lines or [(Span("nothing has happened yet", Role.MUTED),)])
        self.post_message(self.Retitled())

    def subject(self) -> tuple[Line, Line]:
        return (Span(f"  {several(self._shown, 'event')}", Role.MUTED),) if self.row else BLANK, BLANK

    def text(self) -> str:
        return "\n".join(text_of(line).rstrip() for line in self.page_view.lines)


def concerns(event: Event, row: Row) -> bool:
    """Whether an event is of the row or of what is below it."""
    if event.topology and event.topology != row.topology:
        return False
    if row.kind is Kind.TOPOLOGY:
        return True
    return event.pod == row.short or event.pod.startswith(f"{row.short}/")
