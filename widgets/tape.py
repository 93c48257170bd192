"""`Tape`: a window of decoded lines on one pod's log, over its runs; it grows at either end by reading bytes.

Memory is bounded by whoever trims it. Opening lands at the end, whatever the size of the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from quarterdeck.engine.model import LogChunk, LogRun, PodKey

from .logline import Kind, LogLine, parse_line
from .logscan import match_in
from .logsource import LogSource
from .text import LIMIT

PAGE = 65_536
"""Bytes asked for when paging back."""
PULL = 262_144
"""Bytes asked for at most in one call."""
LEAP = 32_768
"""Bytes that may have come between two looks at a log that is followed; beyond, only its end is shown."""
REACH = 256
"""Reads made at most to find the start of one line; a longer one is shown in pieces."""


class Tape:
    """Lines `[top, end)` of a pod's log. All coroutines raise `LogUnavailable`; calls must not overlap."""

    def __init__(
        self, source: LogSource, pod: PodKey, index: int, clock: Callable[[], float], page: int = PAGE
    ) -> None:
        self.pod = pod
        self.index = index
        self.lines: list[LogLine] = []
        self.at_start = False
        """Nothing lies above the window."""
        self.below = 0
        """Lines known to lie below the window."""
        self.lag = 0
        """Bytes that lay below the window when it was last read."""
        self._page = page
        self._seen = 0.0
        self._source = source
        self._clock = clock
        self._top = (0, 0)
        self._end = (0, 0)
        self._rest = b""
        """Start of a line whose end has not come yet; at most LIMIT bytes of it are kept."""
        self._rest_size = 0
        self._counted = (0, 0)
        self._ended: set[int] = set()
        """Runs whose end has been shown."""

    @property
    def run(self) -> int:
        """The run that the window ends in; 0 when there is none."""
        return self._end[0]

    async def open(self, run: int | None = None) -> None:
        """Forget the window and land at the end of `run`, or of the newest."""
        runs = await self._source.runs(self.pod)
        self._ended = set()
        if not runs:
            self.lines, self.at_start = [], True
            self.below = self.lag = 0
            self._rest, self._rest_size = b"", 0
            self._top = self._end = self._counted = (0, 0)
            return
        chosen = next((item for item in runs if item.run == run), runs[-1])
        await self._land(chosen.run, self._page, chosen.started_at)

    async def _land(self, number: int, page: int, began: float) -> None:
        """A window of about `page` bytes at the end of a run that began at `began`."""
        chunk = await self._source.read(self.pod, number, -page, page)
        self.lines, self.at_start = [], False
        self.below = self.lag = 0
        # What was there before us came at a time that only its run's start can tell, if anything.
        self._seen = began if chunk.offset == 0 and began else self._clock()
        head, found, rest = chunk.data.rpartition(b"\n")
        start = chunk.offset + len(head) + len(found)
        if not found and start > 0:  # the last line has not ended and is longer than a page
            rest, start = await self._page_above(number, start + len(rest), PULL, ended=False)
            _, found, rest = rest.rpartition(b"\n")
            start = chunk.offset + len(chunk.data) - len(rest)
            head, found = b"", b""
        self._top = self._end = self._counted = (number, start)
        self._rest, self._rest_size = rest[:LIMIT], len(rest)
        if b"\n" in head or (head and chunk.offset == 0):
            self._prepend(head + found, chunk.offset, number)
        else:
            await self.more_above(page)
        self._show_rest()

    # Above

    async def more_above(self, limit: int = PAGE) -> bool:
        """Read one page towards the beginning; False when nothing is above."""
        if self.at_start:
            return False
        number, start = self._top
        if start == 0:
            return await self._run_above(number)
        data, start = await self._page_above(number, start, limit)
        self._prepend(data, start, number)
        return True

    async def _page_above(self, number: int, stop: int, limit: int, ended: bool = True) -> tuple[bytes, int]:
        """Bytes that end at `stop`, and where they begin: one whole line at least, or REACH reads of a huge one.

        `ended`: the last line's own break is among them.
        """
        data, start = b"", stop
        for _ in range(REACH):
            size = min(limit, start)
            chunk = await self._source.read(self.pod, number, start - size, size)
            if not chunk.data or chunk.offset + len(chunk.data) != start:
                self.at_start = True  # what lies above has been given up by the engine
                return data, start
            data, start = chunk.data + data, chunk.offset
            if start == 0 or data.find(b"\n", 0, len(data) - ended) >= 0:
                break
            limit = PULL
        return data, start

    async def _run_above(self, number: int) -> bool:
        last = await self._other_run(number, -1)
        if last is None:
            self.at_start = True
            return False
        self.lines.insert(0, self._ending(last))
        self._ended.add(last.run)
        self._top = (last.run, last.size)
        return True

    def _prepend(self, data: bytes, start: int, number: int) -> None:
        """Put the whole lines of `data`, which begins at `start`, above the window."""
        if start > 0 and not self.at_start:
            skip = data.find(b"\n", 0, len(data) - 1) + 1
            if skip:
                data, start = data[skip:], start + skip
        self.lines[:0] = self._decode(data, start, number, quiet=False)
        self._top = (number, start)
        if start == 0 and number <= 1:
            self.at_start = True

    # Below

    async def more_below(self, keep: bool = True, leap: bool = False) -> bool:
        """Read on at the end; True when something came.

        With `keep` off lines are only counted; with `leap` a window that is behind lands at the end anew: nobody
        reads lines that rush by, and scrolling up reads them again.
        """
        if self._end == (0, 0):
            before = len(self.lines)
            await self.open()
            return len(self.lines) > before
        if not keep:
            return await self._count()
        number, offset = self._end
        limit = LEAP if leap else PULL
        chunk = await self._source.read(self.pod, number, offset + self._rest_size, limit)
        if chunk.size < offset:  # the file was begun again
            await self.open()
            return True
        if leap and chunk.size - chunk.offset > limit:
            await self._land(number, LEAP // 2, 0.0)
            return True
        if chunk.data:
            self._append(chunk)
            return True
        return await self._run_below(number) if chunk.ended else False

    def _append(self, chunk: LogChunk) -> None:
        number, offset = self._end
        head, found, rest = chunk.data.rpartition(b"\n")
        self._hide_rest()
        self._seen = self._clock()
        if found:
            quiet = bool(self.lines) and self.lines[-1].quiet
            if self._rest_size > len(self._rest):  # the end of a line that was too long to keep
                tail, _, head = (head + found).partition(b"\n")
                whole = self._rest_size + len(tail) + 1
                self.lines.append(self._line(self._rest, offset, number, quiet, whole))
                offset += whole
                self.lines += self._decode(head, offset, number, quiet=False)
                size = len(head)
            else:
                data = self._rest + head + found
                self.lines += self._decode(data, offset, number, quiet)
                size = len(data)
            offset += size
            self._rest, self._rest_size = rest[:LIMIT], len(rest)
        else:
            self._rest = (self._rest + rest)[:LIMIT]
            self._rest_size += len(rest)
        self._end = (number, offset)
        self.lag = max(0, chunk.size - chunk.offset - len(chunk.data))
        self.below = max(1, self.below - chunk.data.count(b"\n")) if self.lag else 0
        self._counted = max(self._counted, self._end)
        self._show_rest()

    async def _run_below(self, number: int) -> bool:
        runs = await self._source.runs(self.pod)
        this = next((run for run in runs if run.run == number), None)
        came = False
        if this is not None and this.ending and number not in self._ended:
            self._rest, self._rest_size, self._end = b"", 0, (number, self._end[1] + self._rest_size)
            self.lines.append(self._ending(this))
            self._ended.add(number)
            came = True
        later = next((run for run in runs if run.run > number), None)
        if later is not None:
            self._end = self._counted = (later.run, 0)
            return True
        return came

    async def _count(self) -> bool:
        number, offset = max(self._counted, (self._end[0], self._end[1] + self._rest_size))
        chunk = await self._source.read(self.pod, number, offset, PULL)
        self.below += chunk.data.count(b"\n")
        self._counted = (number, offset + len(chunk.data))
        return bool(chunk.data)

    # Beyond the window

    async def seek(
        self, pattern: re.Pattern[str], step: int, going: Callable[[], bool]
    ) -> tuple[int, int] | None:
        """Run and offset of the nearest line above (-1) or below (1) the window that matches.

        Changes nothing; None when there is none, or once `going` says no.
        """
        number, at = self._top if step < 0 else self._end
        while going():
            if step < 0 and at > 0:
                data, at = await self._page_above(number, at, PULL)
                skip = data.find(b"\n") + 1 if at > 0 else 0
                found = match_in(pattern, data[skip:], at + skip, step, self._bare)
                at += skip
            elif step > 0 and (data := await self._page_below(number, at)):
                found = match_in(pattern, data, at, step, self._bare)
                at += len(data)
            else:
                other = await self._other_run(number, step)
                if other is None:
                    return None
                number, at = other.run, other.size if step < 0 else 0
                continue
            if found is not None:
                return number, found
        return None

    async def _page_below(self, number: int, start: int) -> bytes:
        """Whole lines from `start` on, or one piece of a huge one; empty at the end."""
        chunk = await self._source.read(self.pod, number, start, PULL)
        whole = chunk.data.rfind(b"\n") + 1
        return chunk.data[: whole or len(chunk.data)]

    async def _other_run(self, number: int, step: int) -> LogRun | None:
        runs = await self._source.runs(self.pod)
        if step < 0:
            return next((run for run in reversed(runs) if run.run < number), None)
        return next((run for run in runs if run.run > number), None)

    def _bare(self, raw: bytes, offset: int) -> LogLine:
        return parse_line(raw, offset=offset)

    async def go(self, number: int, offset: int) -> None:
        """A window around a line that begins at `offset`."""
        self.lines, self.at_start = [], False
        self.below = self.lag = 0
        self._rest, self._rest_size = b"", 0
        self._ended = set()
        self._top = self._end = self._counted = (number, offset)
        chunk = await self._source.read(self.pod, number, offset, PAGE)
        self._append(chunk)
        await self.more_above(self._page)

    # The window

    def trim_above(self, count: int) -> None:
        """Let go of `count` lines at the top."""
        if 0 < count < len(self.lines):
            del self.lines[:count]
            first = self.lines[0]
            self._top = (first.run, first.offset)
            self.at_start = False

    def trim_below(self, count: int) -> None:
        """Let go of `count` lines at the end."""
        if not 0 < count < len(self.lines):
            return
        self._hide_rest()
        gone = self.lines[-count:]
        del self.lines[-count:]
        first = next((line for line in gone if line.kind is Kind.TEXT), None)
        self._ended.difference_update(line.run for line in gone if line.kind is Kind.ENDING)
        if first is not None:
            self._counted = max(self._counted, self._end)
            self._end = (first.run, first.offset)
            self._rest, self._rest_size = b"", 0
        self.below += len(gone)

    def _show_rest(self) -> None:
        if self._rest:
            number, offset = self._end
            quiet = bool(self.lines) and self.lines[-1].quiet
            self.lines.append(self._line(self._rest, offset, number, quiet, self._rest_size))

    def _hide_rest(self) -> None:
        if self._rest and self.lines and self.lines[-1].offset == self._end[1]:
            self.lines.pop()

    def _decode(self, data: bytes, start: int, number: int, quiet: bool) -> list[LogLine]:
        lines: list[LogLine] = []
        for raw in _split(data):
            line = self._line(raw, start, number, quiet, len(raw))
            lines.append(line)
            quiet = line.quiet
            start += len(raw)
        return lines

    def _line(self, raw: bytes, offset: int, number: int, quiet: bool, whole: int) -> LogLine:
        return parse_line(
            raw, source=self.index, run=number, offset=offset, whole=whole, after_quiet=quiet,
            now=self._clock(), seen=self._seen,
        )  # fmt: skip

    def _ending(self, run: LogRun) -> LogLine:
        text = run.ending or "ended"
        if run.run > 1:
            text += f", attempt {run.run}"
        return LogLine(self.index, run.run, run.size, 0, text, kind=Kind.ENDING, time=run.ended_at)


def _split(data: bytes) -> Sequence[bytes]:
    """Lines with their line breaks; only `\\n` ends one."""
    parts = data.split(b"\n")
    last = parts.pop()
    lines = [part + b"\n" for part in parts]
    if last:
        lines.append(last)
    return lines
