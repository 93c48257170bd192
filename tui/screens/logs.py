"""The logs tab: the log of the pod under the cursor, or of a branch merged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.widget import Widget

from quarterdeck.engine.errors import QuarterdeckError
from quarterdeck.engine.model import Fleet, PodStatus
from quarterdeck.widgets.cells import Moment, pod_word
from quarterdeck.widgets.dress import PHASE_ROLES, Role
from quarterdeck.widgets.ink import BLANK, Line, Span, dress_of
from quarterdeck.widgets.logview import LogView
from quarterdeck.widgets.measure import several
from quarterdeck.widgets.rows import Row

from ..session import Session
from ..situation import Where
from ..sources import ControlLogs
from .tab import Scrolls, Tab

SETTLE = 0.08
"""Seconds that the cursor rests on a row before its log is read."""


class LogsTab(Tab):
    """Logs. A pod's own when the cursor is on one, else all of the branch's."""

    TITLE: ClassVar[str] = "logs"
    WHERE: ClassVar[Where] = Where.LOG

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.log_view = LogView(ControlLogs(session), session.clock, id="log")
        self._heard: dict[str, tuple[object, ...]] = {}

    def compose(self) -> ComposeResult:
        yield self.log_view

    @property
    def view(self) -> Widget:
        return self.log_view

    @property
    def scrolls(self) -> Scrolls:
        return self.log_view

    def about(self, row: Row | None) -> None:
        super().about(row)
        if self.active:
            self.set_timer(SETTLE, self._show)

    def activate(self, on: bool) -> None:
        super().activate(on)
        if on:
            self._show()

    def _show(self) -> None:
        row = self.row
        if row is not None and self.active:
            self.log_view.show(row.keys, tuple(_tags(row)))
        self.post_message(self.Retitled())

    def take_fleet(self, fleet: Fleet) -> None:
        # A run that began or ended is worth a look at the logs at once.
        heard = {str(key): _state(fleet.by_key.get(key)) for key in self.log_view.pods}
        if heard != self._heard:
            self._heard = heard
            self.log_view.wake()

    def found(self) -> None:
        self.log_view.resume()

    def on_log_view_changed(self, message: LogView.Changed) -> None:
        message.stop()
        self.post_message(self.Retitled())

    def on_log_view_said(self, message: LogView.Said) -> None:
        message.stop()
        self.notify(message.text, markup=False)

    def subject(self) -> tuple[Line, Line]:
        row = self.row
        if row is None:
            return BLANK, BLANK
        state = self.log_view.state
        pod = row.pod
        left: list[Span] = []
        if pod is None:
            left.append(Span(f"  {several(len(row.pods), 'pod')} merged", Role.MUTED))
        else:
            moment = Moment(self.session.clock(), frozen=self.session.control is None)
            left += [Span("  "), *state_of(pod, dress_of(self).glyphs.phases[pod.phase], moment)]
            if state.run and state.run != pod.run:
                left.append(Span(f"  run {state.run} of {pod.run}", Role.ACCENT))
        view = self.log_view
        if view.wanted:
            left.append(Span(f"  & {view.wanted.typed}", Role.ACCENT))
        if view.pattern is not None:
            left.append(Span(f"  / {view.pattern.pattern}", Role.ACCENT))
        if state.busy:
            return tuple(left), (Span(f"{state.busy}, esc ends it", Role.ACCENT),)
        if state.trouble and self.session.control is not None:
            return tuple(left), (Span(state.trouble, Role.WAIT),)
        if state.following:
            return tuple(left), (Span("following", Role.MUTED),)
        below = f"{state.below}{'+' if state.counting else ''} below"
        return tuple(left), (Span(f"paused, {below}" if state.below else "paused", Role.ACCENT),)

    def text(self) -> str:
        return self.log_view.visible_text()

    def facts(self) -> frozenset[str]:
        found = {"single"} if len(self.log_view.pods) == 1 else set()
        return frozenset(found | ({"search"} if self.log_view.pattern is not None else set()))

    async def save(self, folder: Path) -> tuple[Path, int]:
        """Write the log to a file of `folder`: all of a pod's run, or what is merged now. Returns path and bytes.

        Raises QuarterdeckError, OSError.
        """
        row = self.row
        if row is None:
            raise QuarterdeckError("nothing to save", "put the cursor on a pod")
        pod = row.pod
        name = re.sub(r"[^\w.-]+", "-", row.id)
        if pod is None:
            path = _free(folder / f"{name}.log")
            tags = dict(enumerate(_tags(row)))
            lines = (f"{tags[line.source]} {line.full or line.text}\n" for line in self.log_view.lines)
            data = "".join(lines).encode()
            path.write_bytes(data)
            return path, len(data)
        run = self.log_view.state.run
        path = _free(folder / f"{name}-run{run}.log")
        size = 0
        with path.open("wb") as file:
            while chunk := (await self.session.engine().read_log(pod.key, run, size)).data:
                file.write(chunk)
                size += len(chunk)
        return path, size


def state_of(pod: PodStatus, shape: str, moment: Moment) -> Line:
    """Shape and word of a pod's state."""
    role = PHASE_ROLES[pod.phase]
    return (
        Span(f"{shape} ", role),
        Span(pod_word(pod, moment), Role.MUTED if pod.ready else role, not pod.ready),
    )


def _tags(row: Row) -> Iterator[str]:
    """Names of a branch's pods, relative to it."""
    inside = row.id.partition("/")[2]
    return (pod.name.removeprefix(f"{inside}/") if inside else pod.name for pod in row.pods)


def _state(pod: PodStatus | None) -> tuple[object, ...]:
    return () if pod is None else (pod.run, pod.phase)


def _free(path: Path) -> Path:
    """The path, or one beside it that is not taken."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
