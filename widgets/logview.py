"""`LogView`: a log under the cursor, of one pod or merged of a branch.

Draws only what is on screen; reads bytes by offset; never moves what is being read. Follows while at the end.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from quarterdeck.engine.model import PodKey

from .dress import Veil
from .filter import EVERYTHING, Filter
from .ink import BLANK, Line, Span, dress_of, paint, veil_of
from .logline import Kind, LogLine
from .logpaint import LogLook, log_line
from .logsource import LogSource, LogUnavailable
from .measure import clock as clock_of
from .merge import Reel
from .scroller import Scroller
from .tape import PULL

NARROW = 56
"""Under this width times are off until asked for."""
AHEAD = 100
"""Lines above the screen at which the next page is read."""


@dataclass(frozen=True, slots=True)
class LogState:
    """What the line above the log says."""

    following: bool = True
    below: int = 0
    counting: bool = False
    """More lie below than have been counted."""
    busy: str = ""
    """What it is at: `searching`."""
    trouble: str = ""
    run: int = 0


class LogView(Widget, can_focus=True):
    """The view. `show` names the pods; `wake` when something was heard of them; `resume` after a loss."""

    DEFAULT_CSS: ClassVar[str] = "LogView { background: $background; }"

    class Changed(Message):
        """The state has changed."""

        def __init__(self, state: LogState) -> None:
            super().__init__()
            self.state = state

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LogView.Changed)

    class Said(Message):
        """Something to tell once."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, source: LogSource, clock: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.state = LogState()
        self.wanted: Filter = EVERYTHING
        self.pattern: re.Pattern[str] | None = None
        self.wrap = False
        self.times: bool | None = None
        """None: by the width."""
        self.x = 0
        self._source = source
        self._clock = clock
        self._pods: tuple[PodKey, ...] = ()
        self._tags: tuple[str, ...] = ()
        self._reel: Reel | None = None
        self._scroll = Scroller()
        self._hit: LogLine | None = None
        self._marks: dict[tuple[int, int, int, str], LogLine] = {}
        self._floor: dict[int, tuple[int, int]] = {}
        self._painted: dict[int, tuple[Line, Veil]] = {}
        self._wake = asyncio.Event()
        self._run: int | None = None
        self._seeking = 0
        """-1: search upwards, 1: downwards, 0: no search is going on."""

    # What it shows

    @property
    def pods(self) -> tuple[PodKey, ...]:
        return self._pods

    @property
    def following(self) -> bool:
        return self.state.following

    @property
    def lines(self) -> Sequence[LogLine]:
        """The lines that can be scrolled to without reading more."""
        return self._scroll.lines

    @property
    def look(self) -> LogLook:
        width = max(1, self.size.width - 2)
        times = self.size.width >= NARROW if self.times is None else self.times
        timed = times and any(line.clock for line in self._scroll.lines[-200:])
        return LogLook(width, timed, self._tags, self.wrap, self.x, self.pattern)

    def show(self, pods: Sequence[PodKey], tags: Sequence[str] = ()) -> None:
        """Show the log of one pod, or of several merged with a tag each; lands at the end."""
        if tuple(pods) == self._pods:
            return
        self._pods = tuple(pods)
        self._tags = tuple(tags) if len(pods) > 1 else ()
        self._hit = None
        self._marks, self._floor = {}, {}
        self.x = 0
        self._start(None)

    def _start(self, run: int | None) -> None:
        self._run = run
        self._seeking = 0
        self._reel = Reel(self._source, self._pods, self._clock) if self._pods else None
        self._scroll = Scroller()
        self._state(replace(LogState(), following=run is None))
        self._repaint()
        self.run_worker(self._work(), exclusive=True, group="log", exit_on_error=True)

    def wake(self) -> None:
        """The pods have changed: look at their logs soon."""
        if self._reel is not None:
            self._reel.wake()
            self._wake.set()

    def resume(self) -> None:
        """The engine is there again: go on where it stopped."""
        self._state(replace(self.state, trouble=""))
        self.wake()

    # Reading; all of it in one task, so that calls never overlap

    async def _work(self) -> None:
        reel = self._reel
        opened = False
        while reel is not None:
            self._wake.clear()
            rest: float | None = None
            try:
                if not opened:
                    await reel.open(self._run)
                    opened = True
                    self._take()
                elif self._seeking:
                    await self._seek(reel)
                elif self._wants_above(reel):
                    if await reel.above():
                        self._take()
                elif self._wants_below(reel):
                    await reel.forward()
                    self._take()
                elif await reel.pull(self.state.following, self._clock()):
                    self._take()
                rest = 0.0 if self._hurry(reel) else reel.rest(self._clock())
            except LogUnavailable as error:
                self._seeking = 0
                self._state(replace(self.state, trouble=str(error), busy=""))
            # While lost there is nothing to wait for but to be woken.
            try:
                await asyncio.wait_for(self._wake.wait(), rest if rest is None else max(rest, 0.001))
            except TimeoutError:
                pass

    def _hurry(self, reel: Reel) -> bool:
        return bool(self._seeking) or self._wants_above(reel) or self._wants_below(reel)

    def _wants_above(self, reel: Reel) -> bool:
        if reel.at_start or (reel.full and len(self._pods) > 1):
            return False
        return self._scroll.top < AHEAD and (not self.state.following or len(self.lines) < self.size.height)

    def _wants_below(self, reel: Reel) -> bool:
        return not self.state.following and reel.below > 0 and self._scroll.near_end(self.size.height)

    def _take(self) -> None:
        """Show what the reel has now; the line that stands at the top stays there."""
        reel = self._reel
        if reel is None:
            return
        lines = [line for line in reel.lines if self._passes(line)]
        if self._marks:
            lines = [each for line in lines for each in (line, self._marks.get(line.place)) if each is not None]
        self._scroll.take(lines)
        self._settle()

    def _passes(self, line: LogLine) -> bool:
        if self._floor and (line.run, line.offset) < self._floor.get(line.source, (0, 0)):
            return False
        return not self.wanted or line.kind is not Kind.TEXT or self.wanted.passes(line.full)

    def _settle(self) -> None:
        """Keep the end in view when following, tell what is below, and paint."""
        if self.state.following:
            self._scroll.to_end(self.look, self.size.height)
        reel = self._reel
        if reel is not None:
            under = self._scroll.below(self.look, self.size.height)
            below = 0 if self.state.following else under + reel.below
            run = reel.tapes[0].run if len(reel.tapes) == 1 else 0
            self._state(replace(self.state, below=below, run=run, counting=reel.full and below > 0))
        self._repaint()

    def _state(self, state: LogState) -> None:
        if state != self.state:
            self.state = state
            self.post_message(self.Changed(state))

    # Moving

    def move(self, rows: int) -> None:
        """Scroll by rows. Upwards ends following, the end begins it again."""
        if rows < 0:
            if self._scroll.up(-rows, self.look):
                self._follow(False)
        elif not self._scroll.down(rows, self.look, self.size.height) and not (self._reel and self._reel.below):
            self._follow(True)
        self._settle()
        self._wake.set()

    def page(self, pages: float) -> None:
        self.move(int(pages * self.size.height))

    def home(self) -> None:
        """The first line that has been read; more is read from there."""
        self._follow(False)
        self._scroll.to_start()
        self._settle()
        self._wake.set()

    def end(self) -> None:
        """The end, followed; an earlier run is left for the newest."""
        if self._run is not None or (self._reel is not None and self._reel.below):
            self._start(None)
            return
        self._follow(True)
        self._settle()

    def _follow(self, on: bool) -> None:
        self._state(replace(self.state, following=on))
        if on:
            self.wake()

    def toggle_follow(self) -> None:
        if self.state.following:
            self._follow(False)
            self._settle()
        else:
            self.end()

    def sideways(self, cells: int) -> None:
        self.x = 0 if self.wrap else max(0, self.x + cells)
        self._repaint()

    def toggle_wrap(self) -> None:
        self.wrap = not self.wrap
        self.x = 0
        self._scroll.sub = 0
        self._settle()

    def toggle_times(self) -> None:
        shown = self.size.width >= NARROW if self.times is None else self.times
        self.times = not shown
        self._settle()

    def previous_run(self) -> None:
        """The end of the run before the one at the top of the screen."""
        if len(self._pods) != 1 or self._reel is None:
            return
        top = self._scroll.top_line
        run = (top.run if top else self._reel.tapes[0].run) - 1
        if run < 1:
            self.post_message(self.Said("this is the first run"))
            return
        self._start(run)

    # Marks, filter, search

    def mark(self) -> None:
        """A line of ours below what is there now."""
        text = [line for line in self._scroll.lines if line.kind is not Kind.NOTE]
        if text:
            last = text[-1]
            note = f"mark {clock_of(self._clock())}"
            self._marks[last.place] = LogLine(last.source, last.run, last.offset, 0, note, kind=Kind.NOTE)
            self._take()

    def clear(self) -> None:
        """Hide what is there; the file keeps it."""
        for line in self._reel.lines if self._reel else ():
            self._floor[line.source] = (line.run, line.offset + max(1, line.size))
        self._take()

    def keep_only(self, wanted: Filter) -> None:
        """Show only the lines that pass."""
        self.wanted = wanted
        self._take()
        self._wake.set()

    def search(self, pattern: re.Pattern[str] | None) -> None:
        """Highlight a pattern and go to its nearest match above the end of the screen."""
        self.pattern = pattern
        self._hit = None
        if pattern is not None:
            self.find(-1)
        self._repaint()

    def find(self, step: int) -> None:
        """Go to the next match, upwards (-1) or downwards (1), reading on where none is in the window."""
        if self.pattern is None:
            return
        if not self._find(step):
            self._seeking = step
            self._state(replace(self.state, busy="searching"))
            self._wake.set()

    def stop_seeking(self) -> bool:
        """End a search that is going on; False when there is none."""
        going = bool(self._seeking)
        self._seeking = 0
        self._state(replace(self.state, busy=""))
        return going

    def _find(self, step: int) -> bool:
        lines = self._scroll.lines
        at = self._scroll.index_of(self._hit)
        if at is None:
            at = self._scroll.last_visible(self.look, self.size.height) + 1 if step < 0 else self._scroll.top - 1
        pattern = self.pattern
        index = at + step
        while 0 <= index < len(lines):
            line = lines[index]
            if line.kind is Kind.TEXT and pattern is not None and pattern.search(line.text):
                self._hit = line
                if self._scroll.reveal(index, self.look, self.size.height):
                    self._follow(False)
                self._settle()
                return True
            index += step
        return False

    async def _seek(self, reel: Reel) -> None:
        step = self._seeking
        more = await reel.above(PULL) if step < 0 else bool(reel.below) and await reel.forward()
        if more:
            self._follow(False)
            self._take()
        if not self._seeking or self._find(step) or not more:
            found = more or not self._seeking
            self.stop_seeking()
            if not found:
                self.post_message(self.Said("no match above" if step < 0 else "no match below"))

    # Painting

    def render_line(self, y: int) -> Strip:
        self._painted[y] = line, veil = self._content(y, self._layout())
        strip = paint((Span(" "), *line), dress_of(self), self.size.width, veil=veil)
        return strip.apply_offsets(0, y)

    def _layout(self) -> list[tuple[int, int]]:
        return self._scroll.visible(self.look, self.size.height)

    def _content(self, y: int, layout: list[tuple[int, int]]) -> tuple[Line, Veil]:
        veil = veil_of(self)
        if y >= len(layout):
            return (BLANK, veil)
        index, row = layout[y]
        lines = self._scroll.lines
        line = lines[index]
        above = next((lines[n].clock for n in range(index - 1, -1, -1) if lines[n].clock), "")
        clock = line.clock if y == 0 or line.clock != above else ""
        drawn = log_line(line, self.look, dress_of(self).glyphs, clock, row, hit=line is self._hit)
        return (drawn, veil)

    def _repaint(self) -> None:
        if not self.is_attached or not self.size:
            return
        layout = self._layout()
        width = self.size.width
        lines = [
            Region(0, y, width, 1)
            for y in range(self.size.height)
            if self._painted.get(y) != self._content(y, layout)
        ]
        if lines:
            self.refresh(*lines)

    def visible_text(self) -> str:
        """The lines on screen as the program wrote them."""
        indices = dict.fromkeys(index for index, _ in self._layout())
        return "\n".join(self._scroll.lines[n].full or self._scroll.lines[n].text for n in indices)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        layout = self._layout()
        rows = ("".join(span.text for span in self._content(y, layout)[0]) for y in range(len(layout)))
        return selection.extract("\n".join(" " + row for row in rows)), "\n"

    def on_resize(self) -> None:
        self._painted.clear()
        self._settle()
        self._wake.set()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move(-3)
