"""The details tab: everything about the row under the cursor, why it is not ready first."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.widget import Widget

from quarterdeck.engine.errors import QuarterdeckError
from quarterdeck.engine.model import Fleet, PodDetails
from quarterdeck.widgets.cells import Moment
from quarterdeck.widgets.details import branch_lines, pod_lines
from quarterdeck.widgets.ink import BLANK, Line, Span, dress_of, text_of
from quarterdeck.widgets.page import Page
from quarterdeck.widgets.rows import Row

from ..session import Session
from ..situation import Where
from .logs import state_of
from .tab import Scrolls, Tab

SETTLE = 0.08
"""Seconds that the cursor rests on a pod before the engine is asked about it."""


class DetailsTab(Tab):
    """Details. Drawn at once from what the fleet tells; the rest comes from the engine."""

    TITLE: ClassVar[str] = "details"
    WHERE: ClassVar[Where] = Where.PAGE

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.page_view = Page(id="details")
        self._details: PodDetails | None = None

    def compose(self) -> ComposeResult:
        yield self.page_view

    @property
    def view(self) -> Widget:
        return self.page_view

    @property
    def scrolls(self) -> Scrolls:
        return self.page_view

    def about(self, row: Row | None) -> None:
        before = self.row
        super().about(row)
        if row is None or row.pod is None or self._details is None or self._details.key != row.pod.key:
            self._details = None
        if before is None or row is None or before.id != row.id:
            self.page_view.home()
        if self.active:
            self._draw()
            self.set_timer(SETTLE, self._ask)

    def activate(self, on: bool) -> None:
        super().activate(on)
        if on:
            self._draw()
            self._ask()

    def take_fleet(self, fleet: Fleet) -> None:
        if self.active:
            self._draw()

    def tick(self, now: float) -> None:
        if self.active:
            self._draw()
            self.post_message(self.Retitled())

    def found(self) -> None:
        if self.active:
            self._ask()

    def _ask(self) -> None:
        if (
            self.active
            and self.row is not None
            and self.row.pod is not None
            and self.session.control is not None
        ):
            self._fetch(self.row)

    @work(exclusive=True, group="details")
    async def _fetch(self, row: Row) -> None:
        assert row.pod is not None
        try:
            self._details = await self.session.engine().details(row.pod.key)
        except QuarterdeckError:
            self._details = None  # gone meanwhile; the tree says so
        self._draw()

    def _draw(self) -> None:
        row = self.row
        width = max(20, self.size.width - 2)
        moment = Moment(self.session.clock(), frozen=self.session.control is None)
        glyphs = dress_of(self).glyphs
        if row is None:
            self.page_view.show(())
        elif row.pod is not None:
            self.page_view.show(pod_lines(row.pod, self._details, glyphs, moment, width))
        else:
            self.page_view.show(branch_lines(row, glyphs, moment, width))

    def on_resize(self) -> None:
        self._draw()

    def show_env(self) -> None:
        """Scroll to the environment."""
        for index, line in enumerate(self.page_view.lines):
            if len(line) == 1 and line[0].text == "env":
                self.page_view.show_line(index)

    def subject(self) -> tuple[Line, Line]:
        if self.row is None or self.row.pod is None:
            return BLANK, BLANK
        pod = self.row.pod
        moment = Moment(self.session.clock(), frozen=self.session.control is None)
        return (Span("  "), *state_of(pod, dress_of(self).glyphs.phases[pod.phase], moment)), BLANK

    def text(self) -> str:
        return "\n".join(text_of(line).rstrip() for line in self.page_view.lines)
