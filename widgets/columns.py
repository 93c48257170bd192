"""`Grid`: which columns of the tree there are at a width, and where; it depends on the width alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Column(StrEnum):
    """Columns after the name; the words are their captions."""

    STATE = "state"
    PORT = "port"
    GPU = "gpu"
    CPU = "cpu"
    MEM = "mem"
    REQ = "req/s"
    P99 = "p99"
    RST = "rst"
    AGE = "age"


WIDTHS: dict[Column, int] = {
    Column.STATE: 12, Column.PORT: 5, Column.GPU: 3, Column.CPU: 4, Column.MEM: 5,
    Column.REQ: 6, Column.P99: 6, Column.RST: 3, Column.AGE: 3,
}  # fmt: skip
GIVING_WAY = (
    Column.CPU, Column.AGE, Column.MEM, Column.P99, Column.RST, Column.REQ, Column.GPU, Column.PORT,
)  # fmt: skip
"""First to go first; the name and the state never do."""
NAME_LEAST, NAME_MOST = 19, 28
REASON_LEAST = 20
MARGIN = 2
"""Blank cells at the right of the tree."""
NAME_X = 1
"""Column 0 is the cursor's and the mark's."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where everything stands, in cells from the left."""

    width: int
    name: int
    """Width of the name."""
    columns: dict[Column, tuple[int, int]]
    """Start and width of each column."""
    reason: tuple[int, int]
    """Start and width of the reason that stands in place of numbers."""


@lru_cache(64)
def grid(width: int) -> Grid:
    """The grid of a tree that is `width` cells wide."""
    shown = list(WIDTHS)
    for column in GIVING_WAY:
        if _name_room(width, shown) >= NAME_LEAST:
            break
        shown.remove(column)
    name = max(1, min(NAME_MOST, _name_room(width, shown)))
    columns: dict[Column, tuple[int, int]] = {}
    x = NAME_X + name + 1
    for column in shown:
        x += 0 if column is Column.STATE else 2
        columns[column] = (x, WIDTHS[column])
        x += WIDTHS[column]
    return Grid(width, name, columns, _reason(columns, x, width))


def _name_room(width: int, shown: list[Column]) -> int:
    gaps = 1 + 2 * (len(shown) - 1)
    return width - NAME_X - MARGIN - gaps - sum(WIDTHS[column] for column in shown)


def _reason(columns: dict[Column, tuple[int, int]], end: int, width: int) -> tuple[int, int]:
    """From the first number to before `rst`, over it where that is too narrow."""
    first = next((columns[c] for c in (Column.CPU, Column.MEM, Column.REQ, Column.P99) if c in columns), None)
    if first is None:
        return (end + 2, max(0, width - end - 2 - MARGIN))
    start = first[0]
    stops = [columns[c][0] - 2 for c in (Column.RST, Column.AGE) if c in columns] + [end]
    room = next((stop - start for stop in stops if stop - start >= REASON_LEAST), stops[-1] - start)
    return (start, room)
