"""`LogLine`: one line of a pod's output with what can be recognised in it: time, level, traceback."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from functools import lru_cache

from rich.style import Style

from quarterdeck.engine.model import Level

from .measure import clock
from .text import read


class Kind(Enum):
    """What a row of a log is."""

    TEXT = "text"
    ENDING = "ending"
    """A run ended here; what follows is the next one."""
    NOTE = "note"
    """Ours, not the program's: a mark, the start of the log."""


Place = tuple[int, int, int, bool]
"""Source, run, offset, and whether it is a note of ours below the line there."""


@dataclass(frozen=True, slots=True, eq=False)
class LogLine:
    """One row of a log. Compared by identity; `place` names it for good."""

    source: int
    """Index of the pod among those shown."""
    run: int
    offset: int
    """Of the line's first byte in the run's file."""
    size: int
    """Bytes, the line break included."""
    text: str
    spans: tuple[tuple[int, int, Style], ...] = ()
    kind: Kind = Kind.TEXT
    time: float | None = None
    """As recognised in the line."""
    clock: str = ""
    level: Level | None = None
    quiet: bool = False
    """A line of a traceback."""
    cut: int = 0
    seen: float = 0.0
    """When it was read as new; for what was there before, when its run began or the log was opened."""
    lead: int = 0
    """Characters of time and level at the start of `full` that `text` goes without."""
    full: str = ""

    @property
    def place(self) -> Place:
        return (self.source, self.run, self.offset, self.kind is Kind.NOTE)


_STAMP = re.compile(
    r"\[?(?:(?P<y>\d{4})[-/](?P<mo>\d\d)[-/](?P<d>\d\d)[T ])?(?P<h>[0-2]\d):(?P<m>[0-5]\d):(?P<s>[0-5]\d)"
    r"(?:[.,](?P<f>\d{1,9}))?(?P<z>Z| ?[+-]\d\d:?\d\d)?\]?(?=[\s|:\-]|$)\s*(?:[-|:]\s+)?"
)
_GLOG = re.compile(
    r"(?P<l>[IWEF])(?P<mo>\d\d)(?P<d>\d\d) (?P<h>[0-2]\d):(?P<m>[0-5]\d):(?P<s>[0-5]\d)\.(?P<f>\d{1,6})\s+"
)
_LEVEL = re.compile(
    r"(?:\[\s*(?P<b>trace|debug|info|notice|warn|warning|error|critical|fatal)\s*\]"
    r"|(?P<c>trace|debug|info|notice|warn|warning|error|critical|fatal)(?=:))[:\s]*(?:[-|]\s+)?"
    r"|(?-i:(?P<w>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL))\b(?:\s*[-|:]\s+|\s+|$)",
    re.IGNORECASE,
)
_INSIDE = re.compile(r"\b(WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
_EXCEPTION = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning)(?::|$)")
_FRAME = re.compile(r"Traceback \(most recent call last\)|\s+File \"[^\"]*\", line \d+|\s+\|?\s*[~^]+\s*$")
_CHAIN = re.compile(r"During handling of the above exception|The above exception was the direct cause")

_LEVELS = {
    "warn": Level.WARN, "warning": Level.WARN, "w": Level.WARN,
    "error": Level.ERROR, "critical": Level.ERROR, "fatal": Level.ERROR, "e": Level.ERROR, "f": Level.ERROR,
}  # fmt: skip


def parse_line(
    raw: bytes,
    *,
    source: int = 0,
    run: int = 0,
    offset: int = 0,
    whole: int | None = None,
    after_quiet: bool = False,
    now: float = 0.0,
    seen: float = 0.0,
) -> LogLine:
    """A line from its bytes. `after_quiet`: the line above is of a traceback; `now` dates a bare time of day."""
    styled = read(raw, whole)
    full = styled.text
    lead = 0
    when: float | None = None
    level: Level | None = None
    stamp = _STAMP.match(full) or _GLOG.match(full)
    if stamp is not None:
        when = _seconds(stamp, now)
        lead = stamp.end()
        level = _LEVELS.get((stamp.groupdict().get("l") or "").lower())
    word = _LEVEL.match(full, lead)
    if word is not None:
        level = _LEVELS.get((word["b"] or word["c"] or word["w"]).lower())
        lead = word.end()
    elif stamp is not None and level is None and (inside := _INSIDE.search(full, lead, lead + 60)):
        level = _LEVELS[inside[1].lower()]
    quiet = False
    if stamp is None and word is None:
        quiet = bool(_FRAME.match(full) or _CHAIN.match(full)) or (after_quiet and full[:1] in (" ", "\t"))
        if not quiet and _EXCEPTION.match(full):
            level = Level.ERROR
    spans = styled.spans
    if lead:
        spans = tuple((max(0, a - lead), b - lead, style) for a, b, style in spans if b > lead)
    return LogLine(
        source, run, offset, len(raw) if whole is None else whole, full[lead:], spans,
        time=when, clock="" if when is None else clock(when), level=level, quiet=quiet, cut=styled.cut,
        seen=seen, lead=lead, full=full,
    )  # fmt: skip


def _seconds(stamp: re.Match[str], now: float) -> float | None:
    part = stamp.groupdict()
    bare = part.get("d") is None
    # The day that a bare time is of; the hour is enough to tell, and keeps what is remembered few.
    day = int(now // 3600) if bare or part.get("y") is None else 0
    words = (part.get("y"), part.get("mo"), part.get("d"), part["h"], part["m"], part["s"], part.get("z"))
    base = _base(words, day)
    if base is None:
        return None
    micro = int((part["f"] or "0")[:6].ljust(6, "0"))
    # A bare time of day that lies ahead was yesterday's.
    base -= 86400 if bare and now and base > now + 3600 else 0
    return base + micro / 1_000_000


@lru_cache(1024)
def _base(words: tuple[str | None, ...], hour: int) -> float | None:
    """Seconds of year, month, day, hour, minute, second, zone; what is missing is of `hour` (since the epoch)."""
    year, month, day, hours, minutes, seconds, zone = words
    today = datetime.fromtimestamp(hour * 3600)
    try:
        when = datetime(
            int(year or today.year), int(month or today.month), int(day or today.day),
            int(hours or 0), int(minutes or 0), int(seconds or 0),
        )  # fmt: skip
        return (when.replace(tzinfo=_zone(zone)) if zone else when).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _zone(text: str) -> timezone:
    text = text.strip()
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
