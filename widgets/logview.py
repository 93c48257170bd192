"""`LogView`: a log under the cursor, of one pod or merged of a branch.

Draws only what is on screen; reads bytes by offset; never moves what is being read. Follows while at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from textual import events, work
from textual.message import Message

from quarterdeck.engine.model import PodKey

from .filter import Filter
from .logcanvas import NARROW, LogCanvas
from .logline import LogLine
from .logreader import LogReader, Standing
from .logsource import LogSource
from .logstate import LogState
from .measure import clock as clock_of
from .merge import Reel
from .scroller import Scroller
from .sieve import Sieve


class LogView(LogCanvas):
    """The view. `show` names the pods; `wake` when something was heard of them; `resume` after a loss."""

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
        self._source = source
        self._clock = clock
        self._pods: tuple[PodKey, ...] = ()
        self._reader: LogReader | None = None
        self.scroller = Scroller()
        self._sieve = Sieve()
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
        return self.scroller.lines

    def show(self, pods: Sequence[PodKey], tags: Sequence[str] = ()) -> None:
        """Show the log of one pod, or of several merged with a tag each; lands at the end."""
        if tuple(pods) == self._pods:
            return
        self._pods = tuple(pods)
        self.tags = tuple(tags) if len(pods) > 1 else ()
        self.hit = None
        self._sieve.forget()
        self.x = 0
        self._start(None)

    def _start(self, run: int | None) -> None:
        self._run = run
        self.scroller = Scroller()
        self._state(replace(LogState(), following=run is None))
        self.repaint_changed()
        self._open(run)

    def _open(self, run: int | None) -> None:
        self._reader = None
        if self._pods:
            reel = Reel(self._source, self._pods, self._clock)
            self._reader = LogReader(reel, self, run)
            self._read(self._reader)

    @work(exclusive=True, group="log")
    async def _read(self, reader: LogReader) -> None:
        await reader.run()

    def wake(self) -> None:
        """The pods have changed: look at their logs soon."""
        if self._reader is not None:
            self._reader.wake()

    def resume(self) -> None:
        """The engine is there again: go on where it stopped."""
        self._state(replace(self.state, trouble=""))
        if self.state.following and self._reader is not None:
            self._open(None)  # another engine may have other runs; the old lines stand until new ones come
        else:
            self.wake()

    # What the reader asks and tells

    def standing(self) -> Standing:
        """Where the view stands."""
        height = self.size.height
        lines = self.scroller.lines
        return Standing(
            self.state.following, self.scroller.top, len(lines) < height, self.scroller.near_end(height)
        )

    def take(self) -> None:
        """Show what has been read by now; the line that stands at the top stays there."""
        first, opened = not self.state.opened, replace(self.state, opened=True)
        self._state(opened)
        self._sift()
        if first:  # an earlier run is opened at its end too
            self.scroller.to_end(self.look, self.size.height)
            self._settle()

    def _sift(self) -> None:
        if self._reader is not None:
            self.scroller.take(self._sieve.sift(self._reader.reel.lines))
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
            self.scroller.to_end(look, height)
        else:
            self.scroller.clamp(look, height)
        if self._reader is not None:
            reel = self._reader.reel
            below = 0 if self.state.following else self.scroller.below(look, height) + reel.below
            last = self.scroller.last_visible(look, height)
            run = self.scroller.lines[last].run if last >= 0 else reel.tapes[0].run
            run = run if len(reel.tapes) == 1 else 0
            counting = reel.full and below > 0
            self._state(replace(self.state, below=below, run=run, counting=counting))
        self.repaint_changed()

    def _state(self, state: LogState) -> None:
        if state != self.state:
            self.state = state
            self.post_message(self.Changed(state))

    # Moving

    def move(self, rows: int) -> None:
        """Scroll by rows. Upwards ends following, the end begins it again."""
        if rows < 0:
            if self.scroller.up(-rows, self.look):
                self._follow(False)
        elif not self.scroller.down(rows, self.look, self.size.height) and not self._hidden:
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
        self.scroller.to_start()
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
        self.repaint_changed()

    def toggle_wrap(self) -> None:
        self.wrap = not self.wrap
        self.x = 0
        self.scroller.sub = 0
        self._settle()

    def toggle_times(self) -> None:
        shown = self.size.width >= NARROW if self.times is None else self.times
        self.times = not shown
        self._settle()

    def previous_run(self) -> None:
        """The end of the run before the one that is read."""
        if len(self._pods) == 1 and self.state.run > 1:
            self._start(self.state.run - 1)
        else:
            self.post_message(self.Said("this is the first run"))

    # Marks, filter, search

    def mark(self) -> None:
        """A line of ours below what is there now."""
        self._sieve.mark(self.scroller.lines, f"mark {clock_of(self._clock())}")
        self._sift()

    def clear(self) -> None:
        """Hide what is there; the file keeps it."""
        if self._reader is not None:
            self._sieve.clear(self._reader.reel.lines)
            self._sift()

    def keep_only(self, wanted: Filter) -> None:
        """Show only the lines that pass."""
        self._sieve.wanted = wanted
        self._sift()
        self._nudge()

    def search(self, pattern: re.Pattern[str] | None) -> None:
        """Highlight a pattern and go to its nearest match above the end of the screen."""
        self.pattern = pattern
        self.hit = None
        if pattern is not None:
            self.find(-1)
        self.repaint_changed()

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
        index = self.scroller.find(self.pattern, step, self.hit, self.look, height)
        if index is None:
            return False
        self.hit = self.scroller.lines[index]
        if self.scroller.reveal(index, self.look, height):
            self._follow(False)
        self._settle()
        return True

    def emptiness(self) -> str:
        if not self.state.opened:
            return ""
        return "nothing in it passes the filter" if self.wanted else "no output yet"

    def on_resize(self) -> None:
        self._settle()
        self._nudge()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move(-3)
