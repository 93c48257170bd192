"""`Frame`: the main screen's layout: totals, tree, divider, pane, keys. It owns what is seen, and no verb."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widget import Widget

from quarterdeck.engine.model import Event, Fleet, HostSample, PodStatus, Samples
from quarterdeck.widgets.bar import Bar, Divider
from quarterdeck.widgets.dress import Ground, Role
from quarterdeck.widgets.ink import Line, Span, dress_of
from quarterdeck.widgets.page import Page
from quarterdeck.widgets.rows import Kind, Row, Sort
from quarterdeck.widgets.tree import PodTree

from ..footer import footer
from ..keys import footer_keys
from ..link import Link, LinkState
from ..session import Session
from ..situation import Situation, Where, facts
from ..steady import steady_host, steady_pods
from ..totals import totals
from .empty import centred, empty_lines
from .pane import Pane
from .tab import Scrolls

SPLIT = 118
"""Columns from which tree and pane stand side by side."""
TREE_WIDTHS = ((200, 104), (160, 90), (SPLIT, 68))
HOST_EVERY = 5.0
"""Seconds between two changes of the host's totals."""


class Frame(Screen[None]):
    """Binds slices of what the engine tells to widgets."""

    def __init__(self, session: Session, host_name: str) -> None:
        super().__init__()
        self.session = session
        self.link = Link()
        self.fleet = Fleet()
        self._host_name = host_name
        self._host = HostSample()
        self._host_at = 0.0
        self._full = False
        self._in_pane = False
        self._target = session.target
        self._stale = False
        self.pods = PodTree(id="tree")
        self.pane = Pane(session, id="pane")
        self._divider = Divider()
        self._body = Horizontal(self.pods, self._divider, self.pane, id="body")
        self._totals = Bar(ground=Ground.SURFACE, id="totals")
        self._empty = Page(id="empty")
        self._keys = Bar(ground=Ground.SURFACE, id="keys")

    def compose(self) -> ComposeResult:
        yield self._totals
        yield self._body
        yield self._empty
        yield self._keys

    def on_mount(self) -> None:
        self.set_class(dress_of(self).glyphs.ascii, "-ascii")
        self._lay_out()
        self.pods.focus()
        self.set_interval(1.0, self.tick)
        self.tick()

    # What the engine tells

    def take_link(self, link: Link) -> None:
        """The line is another."""
        before, self.link = self.link, link
        if link.lost and not before.lost:
            self._grey(True)
        if link.up and not before.up:
            self.pane.found()
        self._lay_out()
        self.redraw()

    def take_fleet(self, fleet: Fleet) -> None:
        """The fleet is another; it is the present one, so colours come back."""
        self.fleet = fleet
        self._grey(False)
        self.pods.now = self.session.clock()
        self.pods.fleet = fleet
        self.pane.take_fleet(fleet)
        self._go_to_target()
        self._lay_out()
        self.redraw()

    def take_samples(self, samples: Samples) -> None:
        """A round of measurements."""
        self.pods.take_samples(steady_pods(self.pods.samples, samples.pods))
        now = self.session.clock()
        if now - self._host_at >= HOST_EVERY:
            self._host, self._host_at = steady_host(self._host, samples.host), now
            self._draw_totals()

    def take_events(self, events: Sequence[Event]) -> None:
        self.pane.take_events(events)

    def _grey(self, on: bool) -> None:
        if on != self._stale:
            self._stale = self.pods.frozen = on
            self._body.set_class(on, "-stale")
            for widget in self._body.query(Widget):
                widget.refresh()

    def _go_to_target(self) -> None:
        if self._target is None:
            return
        wanted = self._target.strip("/")
        for row in self.pods.rows:
            if row.kind is not Kind.GAP and wanted in (row.id, row.short):
                self.pods.select(row.id)
                self._target = None
                return

    # What is seen

    @property
    def scrolls(self) -> Scrolls:
        """What the keys for moving move."""
        return self.pane.tab.scrolls if self._in_pane else self.pods

    @property
    def in_pane(self) -> bool:
        return self._in_pane

    @property
    def is_full(self) -> bool:
        return self._full

    @property
    def wide(self) -> bool:
        return self.app.size.width >= SPLIT

    def enter(self, pane: bool) -> None:
        """Give the keys to the pane or to the tree."""
        self._in_pane = pane
        self._full = self._full and pane
        self._lay_out()
        (self.pane.view if pane else self.pods).focus()
        self.redraw()

    def toggle_region(self) -> None:
        self.enter(not self._in_pane)

    def full(self, on: bool | None = None) -> None:
        """Let the pane have the whole width, or no longer."""
        self._full = not self._full if on is None else on
        self._lay_out()
        self.redraw()

    def _lay_out(self) -> None:
        empty = not self.fleet.pods and not self.fleet.topologies
        self._body.display = not empty
        self._empty.display = empty
        tree = not self._full and (self.wide or not self._in_pane)
        pane = self._full or self.wide or self._in_pane
        self.pods.display = tree
        self.pane.display = pane
        self._divider.display = tree and pane
        width = next((size for least, size in TREE_WIDTHS if self.app.size.width >= least), None)
        self.pods.styles.width = "1fr" if width is None else width
        self.pane.focused(self._in_pane)

    def on_resize(self) -> None:
        self._lay_out()
        self.redraw()

    def tick(self) -> None:
        """A second has passed."""
        now = self.session.clock()
        if not self._stale:
            self.pods.tick(now)
            self.pane.tick(now)
        self._draw_totals()

    def redraw(self) -> None:
        """Totals, keys and the empty page; each repaints only what differs."""
        if not self.is_attached:
            return
        self._draw_totals()
        self.draw_keys()
        self.pane.title()
        size = self.app.size
        lines = empty_lines(self.link, self.session.socket, size.width)
        self._empty.show(centred(lines, size.width - 2, size.height - 2))

    def _draw_totals(self) -> None:
        dress = dress_of(self)
        left, right = totals(
            self.link, self.fleet, self._host, self._host_name, self.session.socket,
            dress.glyphs, self.session.clock(), self.app.size.width,
        )  # fmt: skip
        first = Span(dress.glyphs.cursor, Role.WAIT) if self.link.lost else Span(" ")
        self._totals.show(left, right, first)

    def draw_keys(self) -> None:
        """The footer."""
        right: list[Span] = []
        if self.session.read_only:
            right.append(Span("read only", Role.WAIT))
        if self.pods.wanted:
            right += [Span("  ")] if right else []
            right.append(Span(f"filter {self.pods.wanted.typed}", Role.ACCENT))
        if self.pods.sort is not Sort.NAME:
            right += [Span("  ")] if right else []
            right.append(Span(f"by {self.pods.sort}", Role.SOFT))
        if count := len(self.pods.marks):
            right += [Span("  ")] if right else []
            right.append(Span(f"{count} marked", Role.SOFT))
        marks: Line = tuple(right)
        self._keys.show(footer(footer_keys(self.situation()), self.app.size.width, marks), marks)

    # What the keys work on

    def chosen(self) -> tuple[str, tuple[PodStatus, ...]]:
        """Name and pods that a verb acts on: what is marked, else what the cursor is on."""
        marked = self.pods.marked
        if marked:
            keys = {key for row in marked for key in row.keys}
            pods = tuple(pod for pod in self.fleet.pods if pod.key in keys)
            return (marked[0].short if len(marked) == 1 else f"{len(marked)} marked"), pods
        row = self.row
        return (row.short, row.pods) if row is not None else ("", ())

    @property
    def row(self) -> Row | None:
        return self.pods.cursor

    def situation(self) -> Situation:
        """What is so right now, for the keys."""
        tab = self.pane.tab
        chosen, rows = self.chosen()[1], bool(self.fleet.pods)
        found = facts(self.row, chosen, marks=bool(self.pods.marks), wide=self.wide, rows=rows)
        return Situation(
            where=tab.WHERE if self._in_pane else Where.TREE,
            connected=self.link.up,
            lost=self.link.state in (LinkState.LOST, LinkState.NONE),
            read_only=self.session.read_only,
            has=found | tab.facts(),
        )
