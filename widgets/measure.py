"""How numbers are written: few characters, one unit, and steady while they barely change."""

from __future__ import annotations

import time
from functools import lru_cache

UNITS = ("B", "K", "M", "G", "T", "P")


def memory(size: int | None) -> str:
    """Bytes in at most five characters: `309M`, `14.1G`; `-` when not measured."""
    if size is None:
        return "-"
    value = float(size)
    for unit in UNITS:
        if value < 999.5 or unit == UNITS[-1]:
            break
        value /= 1024
    if unit in "BKM":
        return f"{value:.0f}{unit}"
    return f"{value:.1f}{unit}" if value < 99.95 else f"{value:.0f}{unit}"


def memory_pair(used: int | None, total: int | None) -> str:
    """`61/256G`."""
    if used is None or total is None:
        return "-"
    both = memory(total)
    unit = 1024 ** UNITS.index(both[-1])
    whole = total / unit
    share = used / unit
    return f"{share:.0f}/{whole:.0f}{both[-1]}" if whole >= 10 else f"{share:.1f}/{whole:.1f}{both[-1]}"


def percent(value: float | None) -> str:
    """Percent of one core: `412%`; `-` when not measured."""
    return "-" if value is None else f"{value:.0f}%"


def span(seconds: float) -> str:
    """A duration in one unit and at most three characters: `14s`, `52m`, `6h`, `3d`, `20w`."""
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{int(seconds)}s"
    if seconds < 3600:
        return f"{int(seconds // 60)}m"
    if seconds < 86400:
        return f"{int(seconds // 3600)}h"
    days = int(seconds // 86400)
    return f"{days}d" if days < 100 else f"{min(99, days // 7)}w"


def countdown(seconds: float) -> str:
    """Time left, rounded up so that it ends at `1s`."""
    return span(-(-seconds // 1)) if seconds > 0 else "0s"


def clock(when: float) -> str:
    """Time of day: `14:02:08`."""
    return _clock(int(when))


@lru_cache(1024)
def _clock(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))


def moved(shown: float | None, new: float | None, step: float, share: float) -> float | None:
    """The value to show: the old one until the new differs by `step` and by `share` of it (a dead band)."""
    if shown is None or new is None:
        return new
    return new if abs(new - shown) >= max(step, abs(shown) * share) else shown


def several(count: int, noun: str) -> str:
    """`1 pod`, `7 pods`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
