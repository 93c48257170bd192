"""The probe that waits for a line in the log: each byte is looked at once, and what was found stays found."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from ...model import LogChunk
from ..health import Health

CHUNK = 131_072
MOST = 8 * 1024 * 1024
"""Bytes that one question looks at; what a flood leaves is for the next."""
LONGEST_LINE = 65_536
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Scan:
    """The log of one run, searched for one pattern."""

    def __init__(self, pattern: str, read: Callable[[int, int], LogChunk]) -> None:
        """`read(offset, limit)` gives bytes of the log."""
        self._shown = pattern
        self._read = read
        self._offset = 0
        self._rest = b""
        """What came after the last line's end."""
        self._found = False
        self._wrong = ""
        try:
            self._pattern = re.compile(pattern)
        except re.error as error:
            self._wrong = f"the pattern {pattern!r} is no regular expression: {error}"

    async def look(self) -> Health:
        """Whether a line has matched by now. A line without its end counts once nothing more comes."""
        if self._wrong:
            return Health(False, self._wrong)
        read = 0
        while not self._found and read < MOST:
            chunk = self._read(self._offset, CHUNK)
            if chunk.size < self._offset:  # it was begun anew
                self._offset, self._rest = 0, b""
                continue
            if not chunk.data:
                self._found = read == 0 and self._matches(self._rest)
                break
            read += len(chunk.data)
            self._offset += len(chunk.data)
            *lines, self._rest = (self._rest + chunk.data).split(b"\n")
            self._rest = self._rest[-LONGEST_LINE:]
            self._found = any(map(self._matches, lines))
            await asyncio.sleep(0)
        if self._found:
            return Health(True)
        return Health(False, f"no line of its log matches {self._shown!r} yet")

    def _matches(self, line: bytes) -> bool:
        if not line:
            return False
        text = COLOURS.sub("", line[:LONGEST_LINE].decode("utf-8", "replace")).rstrip("\r")
        return self._pattern.search(text) is not None
