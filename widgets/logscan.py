"""Looking through a log for a pattern without keeping what is read: how a search goes on beyond the window."""

from __future__ import annotations

import re
from collections.abc import Callable

from .logline import LogLine

# What makes a pattern look at where a line begins or ends, or around itself: it must see each line by itself.
_ANCHORED = re.compile(r"[\\^$]|\(\?")
# What is not on the screen as it is in the file.
_CHANGED = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f-\xff]")


def may_match(pattern: re.Pattern[str], data: bytes) -> bool:
    """Whether some line of `data` may match; False is certain. Costs little: no line is taken apart."""
    if _ANCHORED.search(pattern.pattern) or _CHANGED.search(data):
        return True
    return pattern.search(data.decode("ascii")) is not None


def match_in(
    pattern: re.Pattern[str],
    data: bytes,
    start: int,
    step: int,
    decode: Callable[[bytes, int], LogLine],
) -> int | None:
    """Offset of the nearest line that matches, from the end (-1) or the beginning (1) of whole lines at `start`."""
    if not may_match(pattern, data):
        return None
    lines: list[tuple[int, bytes]] = []
    for raw in re.findall(rb"[^\n]*\n|[^\n]+$", data):
        lines.append((start, raw))
        start += len(raw)
    for offset, raw in lines if step > 0 else reversed(lines):
        if pattern.search(decode(raw, offset).text):
            return offset
    return None
