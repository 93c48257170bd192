"""`Dialog`: a question before the screen, and `Menu`: one of a few lines. Each answers with an id."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

from quarterdeck.widgets.bar import Bar
from quarterdeck.widgets.buttons import Buttons
from quarterdeck.widgets.details import labelled
from quarterdeck.widgets.dress import Ground, Role
from quarterdeck.widgets.ink import Line, Span, dress_of
from quarterdeck.widgets.page import Page

from ..intents import CANCEL, Question

WIDTH = 58
INSIDE = WIDTH - 6
"""Two blanks inside the border at either side."""


class Veiled(ModalScreen[str]):
    """A screen before another, which loses its colours meanwhile."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar = [
        Binding("escape,ctrl+c", "cancel", show=False, priority=True),
    ]
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()

    def on_mount(self) -> None:
        self._veil(True)
        self.set_class(dress_of(self).glyphs.ascii, "-ascii")

    def on_unmount(self) -> None:
        self._veil(False)

    def _veil(self, on: bool) -> None:
        stack = [screen for screen in self.app.screen_stack if screen is not self]
        others = any(isinstance(screen, Veiled) for screen in stack)
        for below in stack:
            if not isinstance(below, Veiled):
                below.set_class(on or others, "-behind")
                for widget in below.query(Widget):
                    widget.refresh()

    def keys_bar(self) -> Bar:
        """The footer: the keys that work here."""
        bar = Bar(ground=Ground.SURFACE, id="dialog-keys")
        spans: list[Span] = []
        for key, word in self.KEYS:
            spans += [Span("  ")] if spans else []
            spans += [Span(key, Role.TEXT, True), Span(f" {word}", Role.MUTED)]
        bar.show(tuple(spans))
        return bar

    def action_cancel(self) -> None:
        self.dismiss(CANCEL)


class Dialog(Veiled):
    """A question with buttons; where something must be typed, the last button waits for it."""

    KEYS = (("tab", "next button"), ("enter", "press"), ("esc", "cancel"))

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question
        self._typed = Input(id="confirm", compact=True, select_on_focus=False)
        self._typed.cursor_blink = False

    def compose(self) -> ComposeResult:
        asked = self.question
        lines = [line for text in asked.body for line in labelled("", text, INSIDE, size=0)]
        if asked.facts:
            lines.append(())
            lines += [line for label, value in asked.facts for line in labelled(label, value, INSIDE)]
        if asked.typed:
            word = Span(asked.typed, Role.TEXT, True)
            lines += [(), (Span("type ", Role.MUTED), word, Span(" to confirm", Role.MUTED))]
        with Vertical(id="box") as box:
            box.border_title = asked.title
            page = Page(ground=Ground.SURFACE, id="dialog-text")
            page.can_focus = False
            page.styles.height = len(lines)
            page.show(lines)
            yield page
            if asked.typed:
                yield self._typed
            yield Buttons([(button.id, button.text) for button in asked.buttons])
        yield self.keys_bar()

    def on_mount(self) -> None:
        super().on_mount()
        (self._typed if self.question.typed else self.query_one(Buttons)).focus()

    def on_buttons_pressed(self, message: Buttons.Pressed) -> None:
        last = self.question.buttons[-1].id
        if self.question.typed and message.id == last and self._typed.value.strip() != self.question.typed:
            self._typed.focus()
            return
        self.dismiss(message.id)

    def on_input_submitted(self) -> None:
        if self._typed.value.strip() == self.question.typed:
            self.dismiss(self.question.buttons[-1].id)


class Menu(Veiled):
    """Choose one of a few lines; answers with its first word, or with CANCEL."""

    KEYS = (("↓ ↑", "choose"), ("enter", "take"), ("esc", "cancel"))
    BINDINGS: ClassVar = [
        Binding("down,j,tab", "move(1)", show=False),
        Binding("up,k,shift+tab", "move(-1)", show=False),
        Binding("enter", "take", show=False),
    ]

    def __init__(self, title: str, choices: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._at = 0
        self._page = Page(ground=Ground.SURFACE, id="dialog-text")
        self._page.can_focus = False

    def compose(self) -> ComposeResult:
        with Vertical(id="box", classes="-menu") as box:
            box.border_title = self._title
            self._page.styles.height = len(self._choices)
            self._draw()
            yield self._page
        yield self.keys_bar()

    def _draw(self) -> None:
        lines: list[Line] = [
            (Span(word.ljust(7), Role.TEXT, True), Span(help, Role.SOFT)) for word, help in self._choices
        ]
        self._page.show(lines, chosen=self._at)

    def action_move(self, step: int) -> None:
        self._at = (self._at + step) % len(self._choices)
        self._draw()

    def action_take(self) -> None:
        self.dismiss(self._choices[self._at][0])

    async def on_key(self, event: object) -> None:
        """A digit takes a line at once."""
        character = getattr(event, "character", None) or ""
        if character.isdecimal() and 0 < int(character) <= len(self._choices):
            self.dismiss(self._choices[int(character) - 1][0])
