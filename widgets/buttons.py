"""`Buttons`: a row of choices at the right, the default first and filled; arrows or Tab choose, Enter presses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from .dress import Ground, Role
from .ink import Span, cells, dress_of, paint, width_of


class Buttons(Widget, can_focus=True):
    """Choices as (id, text)."""

    ALLOW_SELECT = False
    DEFAULT_CSS: ClassVar[str] = "Buttons { height: 1; }"
    BINDINGS: ClassVar = [
        Binding("left,shift+tab", "choose(-1)", show=False),
        Binding("right,tab", "choose(1)", show=False),
        Binding("enter,space", "press", show=False),
    ]

    class Pressed(Message):
        """A choice was made."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    def __init__(self, choices: Sequence[tuple[str, str]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._choices = tuple(choices)
        self._at = 0

    def action_choose(self, step: int) -> None:
        self._at = (self._at + step) % len(self._choices)
        self.refresh()

    def action_press(self) -> None:
        self.post_message(self.Pressed(self._choices[self._at][0]))

    def _spans(self) -> list[Span]:
        spans: list[Span] = []
        brackets = not dress_of(self).colors
        for n, (_, text) in enumerate(self._choices):
            here = n == self._at
            words = f" [{text}] " if brackets and here else f"  {text}  "
            role = Role.ON_ACCENT if here else Role.TEXT
            spans.append(Span(words, role, here, ground=Ground.ACCENT if here else None))
        return spans

    def render_line(self, y: int) -> Strip:
        spans = self._spans()
        blank = Span(" " * max(0, self.size.width - width_of(spans)))
        return paint((blank, *spans), dress_of(self), self.size.width, Ground.SURFACE)

    def on_click(self, event: events.Click) -> None:
        spans = self._spans()
        x = self.size.width - width_of(spans)
        for (id, _), span in zip(self._choices, spans, strict=True):
            if x <= event.x < x + cells(span.text):
                self.post_message(self.Pressed(id))
                return
            x += cells(span.text)
