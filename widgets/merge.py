"""`Reel`: the lines that a log view scrolls over, from one tape or from several in the order of their times.

A line without a time of its own goes where the line above it in the same log goes; a log without any time goes by
arrival.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from operator import itemgetter

from quarterdeck.engine.model import PodKey

from .logline import LogLine
from .logsource import LogSource
from .tape import PAGE, PULL, Tape

WINDOW = 6_000
"""Decoded lines that are kept."""
FAST = 0.066
"""Seconds between two reads of a log that grows."""
SLOW = 1.0
"""Seconds between two reads of a log that has long been quiet."""

Entry = tuple[float, float, int, int, LogLine]
"""Time, arrival, tape, order in the tape, line."""


class Reel:
    """A bounded window of lines. All coroutines raise `LogUnavailable`; calls must not overlap."""

    def __init__(self, source: LogSource, pods: Sequence[PodKey], clock: Callable[[], float]) -> None:
        page = min(PAGE, max(4096, 8 * PAGE // max(1, len(pods))))
        self.tapes = [Tape(source, pod, index, clock, page) for index, pod in enumerate(pods)]
        self.lines: list[LogLine] = []
        self._single = len(pods) == 1
        self._wait = [FAST] * len(pods)
        self._due = [0.0] * len(pods)

    @property
    def at_start(self) -> bool:
        return all(tape.at_start for tape in self.tapes)

    @property
    def below(self) -> int:
        """Lines known to lie below the window."""
        return sum(tape.below for tape in self.tapes)

    @property
    def full(self) -> bool:
        return sum(len(tape.lines) for tape in self.tapes) >= WINDOW

    async def open(self, run: int | None = None) -> None:
        """Land at the end; `run` names another than the newest (for a single pod)."""
        if self._single:
            await self.tapes[0].open(run)
        else:
            await asyncio.gather(*(tape.open() for tape in self.tapes))
        self.wake()
        self._join()

    async def above(self, limit: int = PAGE) -> bool:
        """One page towards the beginning; False when nothing is above. A full window lets go of its end."""
        if self._single:
            came = await self.tapes[0].more_above(limit)
            self.tapes[0].trim_below(len(self.tapes[0].lines) - WINDOW)
        else:
            tape = self._latest_begin()
            came = tape is not None and await tape.more_above(min(limit, PAGE))
        self._join()
        self._shed()
        return came

    def _shed(self) -> None:
        """Let go of the newest lines of a merged window that has grown too long at its top."""
        gone = [line.source for line in self.lines[WINDOW:]]
        if gone and not self._single:
            for tape in self.tapes:
                tape.trim_below(gone.count(tape.index))
            del self.lines[WINDOW:]

    async def forward(self) -> bool:
        """One page towards the end of a window that was full, letting go of lines at its top."""
        came = False
        for tape in self.tapes:
            came |= await tape.more_below()
            tape.trim_above(len(tape.lines) - WINDOW // len(self.tapes))
        self._join()
        return came

    async def seek(self, pattern: re.Pattern[str], step: int, going: Callable[[], bool]) -> bool:
        """Put the window around the nearest match beyond it; False when there is none, or `going` said no.

        Merged logs are looked through page by page, so that their order is kept.
        """
        if not self._single:
            return await self.above(PULL) if step < 0 else self.below > 0 and await self.forward()
        found = await self.tapes[0].seek(pattern, step, going)
        if found is not None:
            await self.tapes[0].go(*found)
            self._join()
        return found is not None

    async def pull(self, following: bool, now: float) -> bool:
        """What has come at the end of logs that are due. Following, the newest is shown even by a leap."""
        came = False
        for index, tape in enumerate(self.tapes):
            if self._due[index] > now:
                continue
            if await self._pull(tape, following):
                came = True
                self._wait[index] = FAST
            else:
                self._wait[index] = min(SLOW, self._wait[index] * 1.5)
            self._due[index] = now + self._wait[index]
        if came:
            self._join()
        return came

    def rest(self, now: float) -> float:
        """Seconds until a log is due."""
        return max(FAST, min(self._due, default=now + SLOW) - now)

    def wake(self) -> None:
        """Something was heard of the pods: read all of them soon."""
        self._wait = [FAST] * len(self.tapes)
        self._due = [0.0] * len(self.tapes)

    async def _pull(self, tape: Tape, following: bool) -> bool:
        if not following:
            return await tape.more_below(keep=not self.full)
        if tape.below:
            await tape.open()
            return True
        came = await tape.more_below(leap=True)
        tape.trim_above(len(tape.lines) - WINDOW // len(self.tapes))
        return came

    def _join(self) -> None:
        if self._single:
            self.lines = list(self.tapes[0].lines)
            return
        entries: list[Entry] = []
        floor = -1.0
        for tape in self.tapes:
            timed = _timed(tape)
            if timed and not tape.at_start:
                floor = max(floor, timed[0][0])
            entries += timed
        entries.sort(key=itemgetter(0, 1, 2, 3))
        # Above this time one of the logs has lines that have not been read yet.
        self.lines = [entry[4] for entry in entries if entry[0] >= floor]

    def _latest_begin(self) -> Tape | None:
        """The tape whose window begins latest: the one that hides older lines of all others."""
        unfinished = [tape for tape in self.tapes if not tape.at_start]

        def begin(tape: Tape) -> float:
            timed = _timed(tape)
            return timed[0][0] if timed else float("inf")

        return max(unfinished, key=begin, default=None)


def _timed(tape: Tape) -> list[Entry]:
    """A tape's lines with times that never go back; those before its first known time take that one."""
    known = next((line.time for line in tape.lines if line.time is not None), None)
    when = known if known is not None else 0.0
    entries: list[Entry] = []
    seen = 0.0
    for order, line in enumerate(tape.lines):
        seen = max(seen, line.seen)
        own = seen if known is None else line.time
        if own is not None and own > when:
            when = own
        entries.append((when, seen, tape.index, order, line))
    return entries
