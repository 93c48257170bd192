"""`Prompt`: one line of typing in the footer's place: the filter, a search, a command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from quarterdeck.widgets.bar import Bar
from quarterdeck.widgets.dress import Ground, Role
from quarterdeck.widgets.ink import Span


class Asking(Enum):
    """What is being typed; the value is its sign."""

    FILTER = "/"
    SEARCH = " /"
    LINES = "&"
    COMMAND = ":"


HINTS = {
    Asking.FILTER: "enter keep  esc drop",
    Asking.SEARCH: "enter find  esc close",
    Asking.LINES: "enter keep  esc drop",
    Asking.COMMAND: "enter run  tab complete  esc close",
}


class Prompt(Horizontal):
    """Hidden until `ask`. Posts what is typed as it changes, and its end."""

    DEFAULT_CSS: ClassVar[str] = """
    Prompt { height: 1; display: none; background: $surface; }
    Prompt.-open { display: block; }
    Prompt > #sign { width: 2; }
    Prompt > #hint { width: 38; }
    Prompt > Input {
        width: 1fr; height: 1; border: none; padding: 0; background: $surface; color: $foreground;
        &:focus { border: none; background: $surface; background-tint: $surface 0%; }
    }
    """
    BINDINGS: ClassVar = [
        Binding("escape", "cancel", show=False),
        Binding("tab", "complete", show=False),
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
    ]

    @dataclass
    class Typed(Message):
        """The text has changed."""

        asking: Asking
        text: str

    @dataclass
    class Done(Message):
        """Enter."""

        asking: Asking
        text: str

    @dataclass
    class Cancelled(Message):
        """Esc."""

        asking: Asking

    @dataclass
    class Complete(Message):
        """Tab."""

        text: str

    @dataclass
    class Choose(Message):
        """An arrow, up or down."""

        step: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.asking: Asking | None = None
        self.input = Input(id="typed", compact=True, select_on_focus=False)
        self.input.cursor_blink = False
        self._sign = Bar(ground=Ground.SURFACE, id="sign")
        self._hint = Bar(ground=Ground.SURFACE, id="hint")

    def compose(self) -> ComposeResult:
        yield self._sign
        yield self.input
        yield self._hint

    def ask(self, asking: Asking, text: str = "") -> None:
        """Begin; the keys go here until the end."""
        self.asking = asking
        sign = asking.value.strip()
        self._sign.show((), (), Span(" ")) if not sign else self._show_sign(sign)
        self._hint.show((), (Span(HINTS[asking], Role.MUTED),))
        self._hint.display = self.app.size.width >= 80
        self.add_class("-open")
        self.input.value = text
        self.input.cursor_position = len(text)
        self.input.focus()

    def _show_sign(self, sign: str) -> None:
        # The bar is two cells wide: a blank, as everywhere, and the sign.
        self._sign.styles.width = 1 + len(sign)
        self._sign.show((), (), Span(f" {sign}", Role.ACCENT, True))

    def close(self) -> None:
        """End without a word."""
        self.asking = None
        self.remove_class("-open")

    def clear(self) -> bool:
        """Empty the line, or end when it is empty; False when nothing was being typed."""
        if self.asking is None:
            return False
        if self.input.value:
            self.input.value = ""
        else:
            self.action_cancel()
        return True

    def put(self, text: str) -> None:
        """Other text, as if typed."""
        self.input.value = text
        self.input.cursor_position = len(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.asking is not None:
            self.post_message(self.Typed(self.asking, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if (asking := self.asking) is not None:
            self.close()
            self.post_message(self.Done(asking, event.value))

    def action_cancel(self) -> None:
        if (asking := self.asking) is not None:
            self.close()
            self.post_message(self.Cancelled(asking))

    def action_complete(self) -> None:
        if self.asking is Asking.COMMAND:
            self.post_message(self.Complete(self.input.value))

    def action_choose(self, step: int) -> None:
        self.post_message(self.Choose(step))
