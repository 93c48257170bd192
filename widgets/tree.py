"""`PodTree`: everything that runs, as a tree in columns.

Draws only the rows that are on screen and repaints only those whose content changed; the cursor stays on its
row's name, whatever comes, goes or sorts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from quarterdeck.engine.model import Fleet, PodKey, Sample

from .cells import Moment, captions, row_line
from .columns import grid
from .dress import Ground, Role, Veil
from .filter import EVERYTHING, Filter
from .ink import Line, Span, dress_of, paint, veil_of
from .rows import Kind, Row, Sort, rows_of

CAPTIONS = 1
"""Lines above the rows."""


class PodTree(Widget, can_focus=True):
    """The tree. Set `fleet`, `samples`, `wanted`, `sort`; call `tick` once a second."""

    ALLOW_SELECT = False
    DEFAULT_CSS: ClassVar[str] = "PodTree { background: $background; }"

    class Moved(Message):
        """The cursor is on another row, or its row has changed."""

        def __init__(self, row: Row | None) -> None:
            super().__init__()
            self.row = row

    class Opened(Message):
        """A row was opened: Enter or a second click."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    fleet: reactive[Fleet] = reactive(Fleet(), repaint=False, always_update=True)
    wanted: reactive[Filter] = reactive(EVERYTHING, repaint=False)
    sort: reactive[Sort] = reactive(Sort.NAME, repaint=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: tuple[Row, ...] = ()
        self.folded: frozenset[str] = frozenset()
        self.marks: frozenset[str] = frozenset()
        self.samples: Mapping[PodKey, Sample] = {}
        self.now = 0.0
        self.frozen = False
        self._at = 0
        self._top = 0
        self._anchor: str | None = None
        """Where a range of marks begins."""
        self._painted: dict[int, tuple[object, ...]] = {}
        """What each line of the screen shows."""

    # What it shows

    @property
    def cursor(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self._at] if self._at < len(self.rows) else None

    @property
    def marked(self) -> tuple[Row, ...]:
        """Marked rows, top to bottom."""
        return tuple(row for row in self.rows if row.id in self.marks)

    @property
    def height(self) -> int:
        """Rows that fit on the screen."""
        return max(1, self.size.height - CAPTIONS)

    def watch_fleet(self) -> None:
        self.derive()

    def watch_wanted(self) -> None:
        self.derive()

    def watch_sort(self) -> None:
        self.derive()

    def take_samples(self, samples: Mapping[PodKey, Sample]) -> None:
        """New measurements; rows move only when the tree is sorted by them."""
        self.samples = samples
        if self.sort in (Sort.CPU, Sort.MEM):
            self.derive()
        else:
            self.repaint_changed()

    def tick(self, now: float) -> None:
        """Time has passed: ages and countdowns whose text changed are repainted."""
        self.now = now
        self.repaint_changed()

    def derive(self) -> None:
        """Make the rows anew and keep the cursor where it was."""
        old, at, top = self.cursor, self._at, self._top
        self.rows = rows_of(self.fleet, self.folded, self.wanted, self.sort, self.samples)
        self.marks &= frozenset(row.id for row in self.rows) | self._hidden_marks()
        self._at = self._find(old, at)
        # The cursor's line stays where it is on the screen.
        self._top = max(0, min(top + self._at - at, len(self.rows) - self.height))
        self._into_view()
        self.repaint_changed()
        if self.cursor != old:
            self.post_message(self.Moved(self.cursor))

    def _hidden_marks(self) -> frozenset[str]:
        """Marks on pods that a filter or a fold hides now."""
        alive = {str(pod.key) for pod in self.fleet.pods}
        return frozenset(mark for mark in self.marks if mark in alive)

    def _find(self, old: Row | None, at: int) -> int:
        if not self.rows:
            return 0
        if old is not None:
            places = {row.id: index for index, row in enumerate(self.rows)}
            name = old.id
            while name:
                if name in places:
                    return places[name]
                name = name.rpartition("/")[0]
        at = min(at, len(self.rows) - 1)
        return at if self.rows[at].kind is not Kind.GAP else max(0, at - 1)

    # Moving

    def move(self, rows: int) -> None:
        """Move the cursor by rows, over gaps."""
        self.go(self._at + rows, -1 if rows < 0 else 1)

    def page(self, pages: float) -> None:
        self.move(int(pages * self.height) or 1)

    def home(self) -> None:
        self.go(0, 1)

    def end(self) -> None:
        self.go(len(self.rows) - 1, -1)

    def go(self, index: int, step: int = 1) -> None:
        """Put the cursor on a row; from a gap on to the next in the direction of `step`."""
        if not self.rows:
            return
        index = max(0, min(index, len(self.rows) - 1))
        if self.rows[index].kind is Kind.GAP:
            index += step
        if index != self._at:
            self._at = index
            self._into_view()
            self.repaint_changed()
            self.post_message(self.Moved(self.cursor))

    def select(self, name: str) -> bool:
        """Put the cursor on the row of this name, unfolding what hides it; False when there is none."""
        parts = name.split("/")
        hiding = {"/".join(parts[:n]) for n in range(1, len(parts))}
        if hiding & self.folded:
            self.folded -= hiding
            self.derive()
        for index, row in enumerate(self.rows):
            if row.id == name:
                self.go(index)
                return True
        return False

    def _into_view(self) -> None:
        self._top = max(min(self._top, self._at), self._at - self.height + 1, 0)

    # Folding and marking

    def fold(self) -> None:
        """Fold the branch under the cursor, or go to the branch above."""
        row = self.cursor
        if row is None:
            return
        if row.branch and not row.folded and not self.wanted:
            self.folded |= {row.id}
            self.derive()
        else:
            parent = row.id.rpartition("/")[0]
            index = next((n for n, other in enumerate(self.rows) if other.id == parent), None)
            if index is not None:
                self.go(index)
            elif row.depth:
                self.go(next(n for n in range(self._at, -1, -1) if self.rows[n].depth < row.depth))

    def unfold(self) -> None:
        """Unfold the branch under the cursor, or go to its first row."""
        row = self.cursor
        if row is None or not row.branch:
            return
        if row.folded:
            self.folded -= {row.id}
            self.derive()
        else:
            self.move(1)

    def unfold_all(self) -> None:
        self.folded = frozenset()
        self.derive()

    def mark(self) -> None:
        """Mark or unmark the row under the cursor and go on to the next."""
        if (row := self.cursor) is not None:
            self.marks ^= {row.id}
            self._anchor = row.id
            self.move(1)
            self.repaint_changed()

    def mark_range(self) -> None:
        """Mark all rows from the last mark to the cursor."""
        begin = next((n for n, row in enumerate(self.rows) if row.id == self._anchor), self._at)
        low, high = sorted((begin, self._at))
        self.marks |= {row.id for row in self.rows[low : high + 1] if row.kind is not Kind.GAP}
        self.repaint_changed()

    def unmark(self) -> None:
        self.marks = frozenset()
        self.repaint_changed()

    # Painting

    def render_line(self, y: int) -> Strip:
        shown = self._content(y)
        self._painted[y] = shown
        line, cursor, mark, focused, veil = shown
        dress = dress_of(self)
        first = Span(" ")
        if cursor:
            first = Span(dress.glyphs.cursor, Role.ACCENT if focused else Role.MUTED)
        if mark:
            first = Span(dress.glyphs.mark, Role.ACCENT)
        ground = Ground.SELECTION if cursor else Ground.BACKGROUND
        assert isinstance(line, tuple)
        return paint((first, *line), dress, self.size.width, ground, Veil(veil))

    def _content(self, y: int) -> tuple[Line, bool, bool, bool, int]:
        """All that a line of the screen depends on."""
        layout = grid(self.size.width)
        veil = veil_of(self)
        if y < CAPTIONS:
            return (captions(layout, self.sort), False, False, False, veil)
        index = self._top + y - CAPTIONS
        if index >= len(self.rows):
            return ((), False, False, False, veil)
        row = self.rows[index]
        moment = Moment(self.now, self.samples, self.frozen)
        line = row_line(row, layout, dress_of(self).glyphs, moment)
        at = index == self._at
        return (line, at, row.id in self.marks, self.has_focus and at, veil)

    def repaint_changed(self) -> None:
        """Repaint the lines whose content is another than what stands there."""
        if not self.is_attached or not self.size:
            return
        width = self.size.width
        lines = [
            Region(0, y, width, 1)
            for y in range(self.size.height)
            if y not in self._painted or self._painted[y] != self._content(y)
        ]
        if lines:
            self.refresh(*lines)

    def on_resize(self) -> None:
        self._top = max(0, min(self._top, len(self.rows) - self.height))
        self._into_view()

    def on_focus(self) -> None:
        self.repaint_changed()

    def on_blur(self) -> None:
        self.repaint_changed()

    # The mouse

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll(-3)

    def _scroll(self, rows: int) -> None:
        self._top = max(0, min(self._top + rows, len(self.rows) - self.height))
        self.repaint_changed()

    def on_click(self, event: events.Click) -> None:
        index = self._top + event.y - CAPTIONS
        if event.y < CAPTIONS or index >= len(self.rows) or self.rows[index].kind is Kind.GAP:
            return
        self.go(index)
        if event.chain == 2 and (row := self.cursor) is not None:
            self.post_message(self.Opened(row))
