"""`LogView`: a log under the cursor, of one pod or merged of a branch.

Draws only what is on screen; reads bytes by offset; never moves what is being read. Follows while at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from quarterdeck.engine.model import PodKey

from .dress import Role, Veil
from .filter import Filter
from .ink import BLANK, Line, Span, dress_of, paint, veil_of
from .logline import LogLine
from .logpaint import LogLook, log_line
from .logreader import LogReader, Standing
from .logsource import LogSource
from .logstate import LogState
from .measure import clock as clock_of
from .merge import Reel
from .scroller import Scroller
from .sieve import Sieve

NARROW = 56
"""Under this width times are off until asked for."""


Frame = tuple[LogLook, list[tuple[int, int]], Veil]
"""How lines look, which rows are on screen, and what lies over them."""


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
        self.pattern: re.Pattern[str] | None = None
        self.wrap = False
        self.times: bool | None = None
        """None: by the width."""
        self.x = 0
        self._source = source
        self._clock = clock
        self._pods: tuple[PodKey, ...] = ()
        self._tags: tuple[str, ...] = ()
        self._reader: LogReader | None = None
        self._scroll = Scroller()
        self._hit: LogLine | None = None
        self._sieve = Sieve()
        self._painted: dict[int, tuple[Line, Veil]] = {}
        self._run: int | None = None

    # What it shows

    @property
    def pods(self) -> tuple[PodKey, ...]:
        return self._pods

    @property
    def wanted(self) -> Filter:
        """What lines are filtered by."""
        return self._sieve.wanted

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
        self._sieve.forget()
        self.x = 0
        self._start(None)

    def _start(self, run: int | None) -> None:
        self._run = run
        self._scroll = Scroller()
        self._state(replace(LogState(), following=run is None))
        self._repaint()
        self._reader = None
        if self._pods:
            reel = Reel(self._source, self._pods, self._clock)
            self._reader = LogReader(reel, self, self._clock, run)
            self.run_worker(self._reader.run, exclusive=True, group="log")

    def wake(self) -> None:
        """The pods have changed: look at their logs soon."""
        if self._reader is not None:
            self._reader.wake()

    def resume(self) -> None:
        """The engine is there again: go on where it stopped."""
        self._state(replace(self.state, trouble=""))
        self.wake()

    # What the reader asks and tells

    def standing(self) -> Standing:
        """Where the view stands."""
        height = self.size.height
        lines = self._scroll.lines
        return Standing(
            self.state.following, self._scroll.top, len(lines) < height, self._scroll.near_end(height)
        )

    def take(self) -> None:
        """Show what has been read by now; the line that stands at the top stays there."""
        if self._reader is not None:
            self._scroll.take(self._sieve.sift(self._reader.reel.lines))
            self._settle()

    def sought(self, step: int, more: bool) -> bool:
        """A search has read on, or can't."""
        if more:
            self._follow(False)
        if self._find(step):
            self._state(replace(self.state, busy=""))
            return True
        if not more:
            self._state(replace(self.state, busy=""))
            self.post_message(self.Said("no match above" if step < 0 else "no match below"))
        return not more

    def troubled(self, text: str) -> None:
        """The log can't be read now."""
        self._state(replace(self.state, trouble=text, busy=""))

    def _nudge(self) -> None:
        if self._reader is not None:
            self._reader.nudge()

    def _settle(self) -> None:
        """Keep the end in view when following, tell what is below, and paint."""
        look, height = self.look, self.size.height
        if self.state.following:
            self._scroll.to_end(look, height)
        if self._reader is not None:
            reel = self._reader.reel
            below = 0 if self.state.following else self._scroll.below(look, height) + reel.below
            run = reel.tapes[0].run if len(reel.tapes) == 1 else 0
            counting = reel.full and below > 0
            self._state(replace(self.state, below=below, run=run, counting=counting, opened=True))
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
        elif not self._scroll.down(rows, self.look, self.size.height) and not self._hidden:
            self._follow(True)
        self._settle()
        self._nudge()

    @property
    def _hidden(self) -> int:
        """Lines below the window that has been read."""
        return 0 if self._reader is None else self._reader.reel.below

    def page(self, pages: float) -> None:
        self.move(int(pages * self.size.height))

    def home(self) -> None:
        """The first line that has been read; more is read from there."""
        self._follow(False)
        self._scroll.to_start()
        self._settle()
        self._nudge()

    def end(self) -> None:
        """The end, followed; an earlier run is left for the newest."""
        if self._run is not None or self._hidden:
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
        if len(self._pods) != 1:
            return
        top = self._scroll.top_line
        run = (top.run if top else self.state.run) - 1
        if run < 1:
            self.post_message(self.Said("this is the first run"))
            return
        self._start(run)

    # Marks, filter, search

    def mark(self) -> None:
        """A line of ours below what is there now."""
        self._sieve.mark(self._scroll.lines, f"mark {clock_of(self._clock())}")
        self.take()

    def clear(self) -> None:
        """Hide what is there; the file keeps it."""
        if self._reader is not None:
            self._sieve.clear(self._reader.reel.lines)
            self.take()

    def keep_only(self, wanted: Filter) -> None:
        """Show only the lines that pass."""
        self._sieve.wanted = wanted
        self.take()
        self._nudge()

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
        if not self._find(step) and self._reader is not None:
            self._state(replace(self.state, busy="searching"))
            self._reader.seek(step)

    def stop_seeking(self) -> bool:
        """End a search that is going on; False when there is none."""
        going = self._reader is not None and self._reader.seeking != 0
        if self._reader is not None:
            self._reader.seeking = 0
        self._state(replace(self.state, busy=""))
        return going

    def _find(self, step: int) -> bool:
        if self.pattern is None:
            return False
        height = self.size.height
        index = self._scroll.find(self.pattern, step, self._hit, self.look, height)
        if index is None:
            return False
        self._hit = self._scroll.lines[index]
        if self._scroll.reveal(index, self.look, height):
            self._follow(False)
        self._settle()
        return True

    # Painting

    def render_line(self, y: int) -> Strip:
        line, veil = self._content(y, self._frame())
        self._painted[y] = (line, veil)
        strip = paint((Span(" "), *line), dress_of(self), self.size.width, veil=veil)
        return strip.apply_offsets(0, y)

    def _frame(self) -> Frame:
        look = self.look
        return look, self._scroll.visible(look, self.size.height), veil_of(self)

    def _content(self, y: int, frame: Frame) -> tuple[Line, Veil]:
        look, rows, veil = frame
        if y == 0 and not rows and self.state.opened:
            return (
                (Span("nothing in it passes the filter" if self.wanted else "no output yet", Role.MUTED),),
                veil,
            )
        if y >= len(rows):
            return (BLANK, veil)
        index, row = rows[y]
        lines = self._scroll.lines
        line = lines[index]
        above = next((lines[n].clock for n in range(index - 1, -1, -1) if lines[n].clock), "")
        clock = line.clock if y == 0 or line.clock != above else ""
        drawn = log_line(line, look, dress_of(self).glyphs, clock, row, hit=line is self._hit)
        return (drawn, veil)

    def _repaint(self) -> None:
        if not self.is_attached or not self.size:
            return
        frame = self._frame()
        width = self.size.width
        lines = [
            Region(0, y, width, 1)
            for y in range(self.size.height)
            if self._painted.get(y) != self._content(y, frame)
        ]
        if lines:
            self.refresh(*lines)

    def visible_text(self) -> str:
        """The lines on screen as the program wrote them."""
        indices = dict.fromkeys(index for index, _ in self._frame()[1])
        return "\n".join(self._scroll.lines[n].full or self._scroll.lines[n].text for n in indices)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        frame = self._frame()
        rows = ("".join(span.text for span in self._content(y, frame)[0]) for y in range(len(frame[1])))
        return selection.extract("\n".join(" " + row for row in rows)), "\n"

    def on_resize(self) -> None:
        self._painted.clear()
        self._settle()
        self._nudge()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move(-3)
