"""How a row of a log is drawn: time, tag, level, text. Pure: from a `LogLine` to a line of spans."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.cells import cell_len, get_character_cell_size
from rich.style import Style

from quarterdeck.engine.model import Level

from .dress import TAGS, Glyphs, Ground, Role
from .ink import Line, Span, cells, cut_front
from .logline import Kind, LogLine
from .measure import memory

TIME = 8
TAG = 13
LEVEL = 6
"""Width of the level's word; only warn and error have one."""

# An end that nobody needs to look into.
_CALM = re.compile(r"stopped|exit 0\b|ended\b|restarted|asked")


@dataclass(frozen=True, slots=True)
class LogLook:
    """How lines are shown."""

    width: int
    """Cells for the whole row."""
    times: bool = True
    tags: tuple[str, ...] = ()
    """By source; empty for a single pod."""
    wrap: bool = False
    x: int = 0
    """Cells that are scrolled out at the left."""
    pattern: re.Pattern[str] | None = None

    @property
    def tag_width(self) -> int:
        return min(TAG, max(map(cells, self.tags), default=0)) if self.tags else 0

    @property
    def text_x(self) -> int:
        """Where the text begins."""
        return (TIME + 1 if self.times else 0) + (self.tag_width + 1 if self.tags else 0)

    def text_room(self, line: LogLine) -> int:
        """Cells for the text of a line."""
        level = LEVEL if line.level in (Level.WARN, Level.ERROR) else 0
        return max(8, self.width - self.text_x - level)

    def rows(self, line: LogLine) -> int:
        """Rows on the screen that a line takes."""
        if not self.wrap or line.kind is not Kind.TEXT:
            return 1
        return len(pieces(line.text, self.text_room(line)))


def pieces(text: str, width: int) -> Sequence[tuple[int, int]]:
    """Character ranges of a text wrapped at `width` cells; at least one."""
    if text.isascii():
        return [(start, min(len(text), start + width)) for start in range(0, max(1, len(text)), width)]
    found: list[tuple[int, int]] = []
    start = room = 0
    for index, character in enumerate(text):
        size = get_character_cell_size(character)
        if room + size > width:
            found.append((start, index))
            start, room = index, 0
        room += size
    found.append((start, len(text)))
    return found


def log_line(
    line: LogLine, look: LogLook, glyphs: Glyphs, clock: str, row: int = 0, hit: bool = False
) -> Line:
    """One row. `clock` is the time to print or empty, `row` counts the rows of a wrapped line."""
    if line.kind is not Kind.TEXT:
        return _rule(line, look, glyphs)
    lead: list[Span] = []
    if look.times:
        lead.append(Span((clock if row == 0 else "").ljust(TIME + 1), Role.MUTED))
    if look.tags:
        tag = cut_front(look.tags[line.source], look.tag_width, glyphs.cut)
        lead.append(Span(tag + " " * (look.tag_width + 1 - cells(tag)), TAGS[line.source % len(TAGS)]))
    role = Role.MUTED if line.quiet else Role.SOFT
    if line.level in (Level.WARN, Level.ERROR):
        error = line.level is Level.ERROR
        word = ("error" if error else "warn") if row == 0 else ""
        lead.append(Span(word.ljust(LEVEL), Role.FAIL if error else Role.WAIT, bold=True))
        role = Role.TEXT
    room = look.text_room(line)
    if look.wrap:
        start, end = pieces(line.text, room)[row]
        return (*lead, *_text(line, start, end, role, look, hit), *_note(line, end))
    start = _index(line.text, look.x)
    end = _index(line.text, look.x + room)
    more = end < len(line.text)
    if more:
        end = _index(line.text, look.x + room - 1)
    body = _text(line, start, end, role, look, hit)
    return (*lead, *body, *((Span(glyphs.cut, Role.MUTED),) if more else _note(line, end)))


def _note(line: LogLine, end: int) -> Line:
    if not line.cut or end < len(line.text):
        return ()
    return (Span(f"  {memory(line.cut)} more of this line in the file", Role.MUTED),)


def _index(text: str, x: int) -> int:
    """Index of the first character that begins at cell `x` or later."""
    if text.isascii():
        return min(x, len(text))
    at = 0
    for index, character in enumerate(text):
        if at >= x:
            return index
        at += get_character_cell_size(character)
    return len(text)


def _text(line: LogLine, start: int, end: int, role: Role, look: LogLook, hit: bool) -> Line:
    """Characters `[start, end)` with the program's colours and the matches of the search."""
    matches: list[tuple[int, int]] = []
    if look.pattern is not None:
        matches = [m.span() for m in look.pattern.finditer(line.text) if m.end() > start and m.start() < end]
    if not matches and not line.spans:
        return (Span(line.text[start:end], role),)
    edges = {start, end}
    for a, b in (*matches, *((a, b) for a, b, _ in line.spans)):
        edges |= {min(max(a, start), end), min(max(b, start), end)}
    spans: list[Span] = []
    cuts = sorted(edges)
    for a, b in pairwise(cuts):
        piece = line.text[a:b]
        if any(x <= a and b <= y for x, y in matches):
            ground = Ground.ACCENT if hit else None
            spans.append(Span(piece, Role.ON_ACCENT if hit else Role.ACCENT, True, ground=ground))
        else:
            spans.append(Span(piece, role, style=_own(line, a)))
    return tuple(spans)


def _own(line: LogLine, at: int) -> Style | None:
    return next((style for a, b, style in line.spans if a <= at < b), None)


def _rule(line: LogLine, look: LogLook, glyphs: Glyphs) -> Line:
    """A visible line across the log: the end of a run, or a mark."""
    ending = line.kind is Kind.ENDING
    role = Role.FAIL if ending and not _CALM.match(line.text) else Role.MUTED
    words = f"{look.tags[line.source]} {line.text}" if ending and look.tags else line.text
    room = look.width - 5
    while cell_len(words) > room and ", " in words:
        words = words.rpartition(", ")[0]
    if cell_len(words) > room:
        words = cut_front(words, room, glyphs.cut)
    rest = max(0, look.width - 5 - cell_len(words))
    return (
        Span(glyphs.rule * 3, role, bold=True),
        Span(f" {words} ", role, bold=ending),
        Span(glyphs.rule * rest, Role.LINE),
    )
