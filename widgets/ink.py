"""`Span` and `paint`: lines of role-coloured text become strips; everything on the screen is drawn through here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from .dress import DARK, DRESSES, Dress, Ground, Role, Veil


class Span(NamedTuple):
    """Text in one style. `style` (a program's own colours) is laid over the role's."""

    text: str
    role: Role = Role.TEXT
    bold: bool = False
    underline: bool = False
    style: Style | None = None
    ground: Ground | None = None


Line = tuple[Span, ...]
# Signs that stand in words (a cut, an arrow key) for fonts that lack them; each keeps its one cell.
_PLAIN = str.maketrans("…←→↑↓─│", "~<>^v-|")
BLANK: Line = ()


def cells(text: str) -> int:
    """Width of text on the screen."""
    return len(text) if text.isascii() else cell_len(text)


def width_of(line: Iterable[Span]) -> int:
    """Width of a line on the screen."""
    return sum(cells(span.text) for span in line)


def text_of(line: Iterable[Span]) -> str:
    """The words of a line."""
    return "".join(span.text for span in line)


def cut(text: str, width: int, mark: str = "…") -> str:
    """The start of `text` in at most `width` cells; what was cut is marked."""
    if cells(text) <= width:
        return text
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1).rstrip() + mark


def cut_front(text: str, width: int, mark: str = "…") -> str:
    """The end of `text` in at most `width` cells, for names, paths and addresses."""
    if cells(text) <= width:
        return text
    if width <= 0:
        return ""
    kept = text
    while kept and cells(kept) > width - 1:
        kept = kept[1:]
    return mark + kept


def cut_line(line: Sequence[Span], width: int, mark: str = "…") -> Line:
    """A line in at most `width` cells."""
    if width_of(line) <= width:
        return tuple(line)
    kept: list[Span] = []
    left = width
    for span in line:
        size = cells(span.text)
        if size >= left:
            text = span.text if size < left else set_cell_size(span.text, max(0, left - 1)) + mark
            kept.append(span._replace(text=text))
            break
        kept.append(span)
        left -= size
    return tuple(kept)


def pad(line: Sequence[Span], width: int) -> Line:
    """A line of at least `width` cells."""
    missing = width - width_of(line)
    return tuple(line) if missing <= 0 else (*line, Span(" " * missing))


def spread(left: Sequence[Span], right: Sequence[Span], width: int, mark: str = "…") -> Line:
    """`left` at the left and `right` at the right edge; `left` is cut where they would meet."""
    room = width - width_of(right)
    if not right:
        return cut_line(left, width, mark)
    if room < 4 and left:
        return cut_line(right, width, mark)
    if not left:
        return (Span(" " * max(0, room)), *cut_line(right, width, mark))
    return (*pad(cut_line(left, room - 2, mark), room), *right)


def paint(
    line: Iterable[Span],
    dress: Dress,
    width: int,
    ground: Ground = Ground.BACKGROUND,
    veil: Veil = Veil.NONE,
) -> Strip:
    """The strip of a line, exactly `width` cells wide."""
    segments = []
    plain = dress.glyphs.ascii
    for text, role, bold, underline, own, under in line:
        style = dress.style(role, under or ground, bold, underline, veil)
        if own is not None and veil is Veil.NONE and dress.colors:
            style += own
        if text:
            segments.append(Segment(text.translate(_PLAIN) if plain else text, style))
    rest = dress.style(Role.TEXT, ground, veil=veil)
    return Strip(segments).adjust_cell_length(width, rest)


def select(strip: Strip, selection: Selection | None, y: int, dress: Dress) -> Strip:
    """A strip with what the mouse has selected of it shown, and with the places that selecting needs."""
    span = None if selection is None else selection.get_span(y)
    if span is not None:
        start, end = span[0], strip.cell_length if span[1] == -1 else span[1]
        chosen = dress.style(Role.ON_ACCENT, Ground.ACCENT)
        inside = [
            Segment(text, chosen if own is None else own + chosen) for text, own, _ in strip.crop(start, end)
        ]
        strip = Strip.join([strip.crop(0, start), Strip(inside), strip.crop(end)])
    return strip.apply_offsets(0, y)


def selected(lines: Iterable[Line], selection: Selection) -> str:
    """The words of what is selected of the lines on screen, without the blank that each begins with."""
    first, *rest = selection.extract("\n".join(" " + text_of(line) for line in lines)).split("\n")
    return "\n".join(
        [first if selection.start and selection.start.x else first[1:], *(line[1:] for line in rest)]
    )


def dress_of(widget: Widget) -> Dress:
    """The look that the widget's app wears."""
    return DRESSES.get(widget.app.theme, DARK)


def veil_of(widget: Widget) -> Veil:
    """Whether the widget shows the past or stands behind a dialog."""
    if not widget.is_attached:
        return Veil.NONE
    if widget.screen.has_class("-behind"):
        return Veil.BEHIND
    return Veil.STALE if any(node.has_class("-stale") for node in widget.ancestors_with_self) else Veil.NONE
