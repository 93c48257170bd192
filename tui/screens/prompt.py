"""`Prompt`: one line of typing in the footer's place: the filter, a search, a command.

From the key that opens it to the one that ends it, every key is its own, also when all come in one burst (a fast
typist, a paste, a slow line): the app hands them over one by one, and what they mean is told at once, not posted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
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
    """Hidden until `ask`. Tells `heard` what is typed as it changes, and its end."""

    DEFAULT_CSS: ClassVar[str] = """
    Prompt { height: 1; display: none; background: $surface; }
    Prompt > #sign { width: 2; }
    Prompt > #hint { width: 38; }
    Prompt > Input {
        width: 1fr; height: 1; border: none; padding: 0; background: $surface; color: $foreground;
        &:focus { border: none; background: $surface; background-tint: $surface 0%; }
    }
    """

    @dataclass(frozen=True, slots=True)
    class Typed:
        """The text has changed."""

        asking: Asking
        text: str

    @dataclass(frozen=True, slots=True)
    class Done:
        """Enter."""

        asking: Asking
        text: str

    @dataclass(frozen=True, slots=True)
    class Cancelled:
        """Esc."""

        asking: Asking

    @dataclass(frozen=True, slots=True)
    class Complete:
        """Tab."""

        text: str

    @dataclass(frozen=True, slots=True)
    class Choose:
        """An arrow, up or down."""

        step: int

    def __init__(self, heard: Callable[[Said], None], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._heard = heard
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
        # The bar is two cells wide: a blank, as everywhere, and the sign.
        self._sign.show((), (), Span(f" {asking.value.strip()}", Role.ACCENT, True))
        self._hint.show((), (Span(HINTS[asking], Role.MUTED),))
        self._hint.display = self.app.size.width >= 80
        self.display = True
        self.input.value = text
        self.input.cursor_position = len(text)
        self.screen.set_focus(self.input)  # now; `focus` would do it after the next key

    async def take(self, key: events.Key) -> bool:
        """Deal with a key while something is asked; False for one that means nothing here."""
        if self.asking is None or key.key == "ctrl+c":  # that one is the same everywhere
            return False
        if key.is_printable and key.character is not None:
            self.input.insert_text_at_cursor(key.character)
        elif key.key == "enter":
            self._done()
        elif key.key == "escape":
            self.cancel()
        elif key.key == "tab":
            self._heard(self.Complete(self.input.value))
        elif key.key in ("up", "down"):
            self._heard(self.Choose(-1 if key.key == "up" else 1))
        else:
            found = self.input._bindings.key_to_bindings.get(key.key, ())
            for binding in found:
                await self.app.run_action(binding.action, self.input)
            if not found:
                return False
        if self.asking is not None:
            self._heard(self.Typed(self.asking, self.input.value))
        return True

    def close(self) -> None:
        """End without a word."""
        self.asking = None
        self.display = False

    def clear(self) -> bool:
        """Empty the line, or end when it is empty; False when nothing was being typed."""
        if self.asking is None:
            return False
        if self.input.value:
            self.input.value = ""
        else:
            self.cancel()
        return True

    def put(self, text: str) -> None:
        """Other text, as if typed."""
        self.input.value = text
        self.input.cursor_position = len(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.asking is not None:
            self._heard(self.Typed(self.asking, self.input.value))

    def _done(self) -> None:
        if (asking := self.asking) is not None:
            self.close()
            self._heard(self.Done(asking, self.input.value))

    def cancel(self) -> None:
        if (asking := self.asking) is not None:
            self.close()
            self._heard(self.Cancelled(asking))


Said = Prompt.Typed | Prompt.Done | Prompt.Cancelled | Prompt.Complete | Prompt.Choose
