"""`LogState`: what the line above a log says."""

from __future__ import annotations

from dataclasses import dataclass


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
    """Of the last line on the screen; 0 for a merged log."""
    opened: bool = False
    """The first bytes have been asked for and have come, or there are none."""
