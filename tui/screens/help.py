"""The help page, made from the table of keys: what doesn't work where the cursor is, is grey."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen

from quarterdeck.engine.model import Phase
from quarterdeck.widgets.bar import Bar
from quarterdeck.widgets.dress import PHASE_ROLES, Glyphs, Ground, Role
from quarterdeck.widgets.ink import BLANK, Line, Span, cells, dress_of, pad, width_of
from quarterdeck.widgets.page import Page

from ..keys import KEYS, Context, Key, contexts, works
from ..situation import Situation

STATES = {
    Phase.PENDING: "not started yet",
    Phase.STARTING: "started, probe not passed",
    Phase.READY: "takes requests",
    Phase.UNREADY: "runs, probe fails",
    Phase.BACKOFF: "ended, waits to try again",
    Phase.FAILED: "ended, will not try again",
    Phase.STOPPING: "draining",
    Phase.STOPPED: "ended as asked",
}
COLUMNS = (("rst", "restarts"), ("age", "of the run or the state"), ("-", "not measured, never 0"))
GAP = 3


def help_lines(now: Situation, glyphs: Glyphs, width: int) -> tuple[Line, ...]:
    """The page, in as many columns as fit."""
    blocks = [_keys(context, now) for context in (Context.ANY, Context.TREE, Context.LOG)]
    blocks += [[*_states(glyphs), BLANK, *_columns()]]
    return _side_by_side(blocks, width)


def _keys(context: Context, now: Situation) -> list[Line]:
    groups: list[list[Key]] = []
    for key in KEYS:
        if key.context is context:
            if key.help or not groups:
                groups.append([])
            groups[-1].append(key)
    size = max(cells(_shown(group)) for group in groups) + 2
    lines: list[Line] = [(Span(context.value, Role.TEXT, True),), BLANK]
    for group in groups:
        name: list[Span] = []
        for key in group:
            on = _usable(key, now)
            if key.shown:
                name.append(Span((" " if name else "") + key.shown, Role.TEXT if on else Role.MUTED, on))
        on = any(_usable(key, now) for key in group)
        lines.append((*pad(name, size), Span(group[0].help, Role.SOFT if on else Role.MUTED)))
    return lines


def _shown(group: Sequence[Key]) -> str:
    return " ".join(key.shown for key in group if key.shown)


def _usable(key: Key, now: Situation) -> bool:
    """Whether a key works where the cursor is; those of another region only wait for it."""
    if key.context in contexts(now.where, now.lost):
        return works(key, now)
    return not (key.changes and now.read_only)


def _states(glyphs: Glyphs) -> list[Line]:
    lines: list[Line] = [(Span("states", Role.TEXT, True),), BLANK]
    for phase, meaning in STATES.items():
        word = Role.SOFT if phase is Phase.READY else PHASE_ROLES[phase]
        shape = Span(f"{glyphs.phases[phase]} ", PHASE_ROLES[phase])
        lines.append((shape, Span(phase.value.ljust(9), word), Span(meaning, Role.MUTED)))
    return lines


def _columns() -> list[Line]:
    lines: list[Line] = [(Span("columns", Role.TEXT, True),), BLANK]
    return lines + [(Span(name.ljust(9), Role.TEXT, True), Span(means, Role.SOFT)) for name, means in COLUMNS]


def _side_by_side(blocks: Sequence[list[Line]], width: int) -> tuple[Line, ...]:
    """Blocks beside each other while they fit, then below."""
    bands: list[list[list[Line]]] = [[]]
    used = 0
    for block in blocks:
        size = max(width_of(line) for line in block) + GAP
        if bands[-1] and used + size - GAP > width:
            bands.append([])
            used = 0
        bands[-1].append(block)
        used += size
    lines: list[Line] = []
    for band in bands:
        sizes = [max(width_of(line) for line in block) + GAP for block in band]
        lines += [BLANK] if lines else []
        for row in zip_longest(*band, fillvalue=BLANK):
            lines.append(
                tuple(span for cell, size in zip(row, sizes, strict=True) for span in pad(cell, size))
            )
    return tuple(lines)


class HelpScreen(Screen[None]):
    """All keys, on one screen where there is room."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar = [
        Binding("escape,q,question_mark,f1,f10,ctrl+c", "leave", show=False),
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("pagedown,space,ctrl+d", "page(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("g,home", "top", show=False),
        Binding("G,end", "bottom", show=False),
    ]

    def __init__(self, now: Situation, version: str) -> None:
        super().__init__()
        self._now = now
        self._version = version
        self._page = Page(id="help-page")
        self._head = Bar(ground=Ground.SURFACE)
        self._foot = Bar(ground=Ground.SURFACE)

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._page
        yield self._foot

    def on_mount(self) -> None:
        note = "grey keys do nothing where the cursor is"
        self._head.show((Span("help", Role.TEXT, True), Span("   "), Span(note, Role.MUTED)))
        keys = (("esc", "back"), ("↓ ↑", "scroll"))
        spans = [
            span
            for n, (key, word) in enumerate(keys)
            for span in (Span("  " if n else ""), Span(key, Role.TEXT, True), Span(f" {word}", Role.MUTED))
        ]
        version = f"quarterdeck {self._version}" if self._version else "quarterdeck"
        self._foot.show(tuple(spans), (Span(version, Role.MUTED),))
        self._page.focus()

    def on_resize(self) -> None:
        self._page.show(help_lines(self._now, dress_of(self).glyphs, self.app.size.width - 3))

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_move(self, rows: int) -> None:
        self._page.move(rows)

    def action_page(self, pages: int) -> None:
        self._page.page(pages)

    def action_top(self) -> None:
        self._page.home()

    def action_bottom(self) -> None:
        self._page.end()
