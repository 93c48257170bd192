"""Plain tables for the command line: aligned columns, colour only on a terminal that wants it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from quarterdeck.engine.model import Phase

COLOURS = {
    Phase.READY: "32",
    Phase.PENDING: "33",
    Phase.STARTING: "33",
    Phase.UNREADY: "33",
    Phase.STOPPING: "33",
    Phase.BACKOFF: "31",
    Phase.FAILED: "31",
    Phase.STOPPED: "2",
}


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Columns two blanks apart; those in `right` are aligned to the right, the last is never padded."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join(line(row) for row in (head, *rows))


def coloured(phase: Phase, text: str) -> str:
    """The word in its phase's colour where standard output takes colour."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{COLOURS[phase]}m{text}\x1b[0m"


def megabytes(count: int | None) -> str:
    """Bytes in the tree's form: `309M`, `14.1G`; `-` where it is not known."""
    if count is None:
        return "-"
    if count >= 10 * 1024**3:
        return f"{count / 1024**3:.1f}G"
    return f"{count / 1024**2:.0f}M"


def count(number: int, noun: str) -> str:
    """`1 pod`, `2 pods`, `2 topologies`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun.removesuffix('y')}ies" if noun.endswith("gy") else f"{number} {noun}s"


def age(seconds: float | None) -> str:
    """One unit: `5s`, `3m`, `2h`, `4d`; `-` where it is not known."""
    if seconds is None:
        return "-"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"
