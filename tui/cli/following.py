"""Logs as a stream: pulls pods' files by offset, run after run, and hands out whole lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quarterdeck.engine.model import PodKey

if TYPE_CHECKING:
    from quarterdeck.engine.control import Control

EVERY = 1 / 30
"""Seconds between questions while a log is followed and quiet."""
CHUNK = 262_144
LONGEST_LINE = 1 << 20
"""Bytes after which a line that has not ended is handed out all the same."""


@dataclass(slots=True)
class Cursor:
    """Where one pod's log is being read."""

    pod: PodKey
    run: int = 0
    offset: int = 0
    rest: bytes = b""

    async def pull(self, control: Control) -> tuple[bytes, bool]:
        """What is there after the cursor, up to a chunk; and whether the run is over and read to its end."""
        chunk = await control.read_log(self.pod, self.run, self.offset, CHUNK)
        self.run, self.offset = chunk.run, chunk.offset + len(chunk.data)
        return chunk.data, chunk.ended and not chunk.data

    def lines(self, data: bytes) -> bytes:
        """Whole lines of what has come so far; the rest waits for its end."""
        whole = self.rest + data
        cut = whole.rfind(b"\n") + 1
        if not cut and len(whole) > LONGEST_LINE:
            cut = len(whole)
        self.rest = whole[cut:]
        return whole[:cut]

    async def next_run(self, control: Control) -> bool:
        """Go on to the run after this one, if there is one."""
        later = [run.run for run in await control.log_runs(self.pod) if run.run > self.run]
        if later:
            self.run, self.offset = min(later), 0
        return bool(later)


async def tail_offset(control: Control, pod: PodKey, run: int, lines: int) -> int:
    """Offset of the last `lines` lines of a run's log, looking back a chunk at a time."""
    if lines <= 0:
        return (await control.read_log(pod, run, -1, 1)).size
    chunk = await control.read_log(pod, run, -CHUNK, CHUNK)
    end, data = chunk.size, chunk.data
    start = chunk.offset
    while data.removesuffix(b"\n").count(b"\n") < lines and start > 0:
        size = min(CHUNK, start)
        start -= size
        data = (await control.read_log(pod, run, start, size)).data + data
    at = len(data.removesuffix(b"\n"))
    for _ in range(lines):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            return start
    return min(end, start + at + 1)


async def follow(
    control: Control, cursors: list[Cursor], forever: bool
) -> AsyncIterator[tuple[Cursor, bytes]]:
    """Bytes of whole lines from each cursor in turn; with `forever` it waits for more, over restarts."""
    pending = list(cursors)
    while pending:
        quiet = True
        for cursor in list(pending):
            data, over = await cursor.pull(control)
            lines = cursor.lines(data)
            if lines:
                quiet = False
                yield cursor, lines
            elif not data and (over or not forever):
                if cursor.rest:
                    # In a stream of runs the next one begins on a line of its own.
                    yield cursor, cursor.rest + (b"\n" if forever else b"")
                    cursor.rest = b""
                if forever and await cursor.next_run(control):
                    quiet = False
                elif not forever:
                    pending.remove(cursor)
        if quiet and pending:
            await asyncio.sleep(EVERY)
