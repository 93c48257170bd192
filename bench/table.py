"""`Table`: results as aligned plain text, one header line, ratios as `0.11x`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Table:
    """One benchmark's results; the first column is text, all others are figures."""

    title: str
    head: tuple[str, ...]
    text_columns: int = 1
    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        assert len(cells) == len(self.head), (self.head, cells)
        self.rows.append(cells)

    def __str__(self) -> str:
        lines = [self.title, *_aligned([self.head, *self.rows], self.text_columns)]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def _aligned(rows: Sequence[Sequence[str]], text_columns: int) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if number < text_columns else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def ratio(value: float, of: float) -> str:
    """`value` as a multiple of `of`."""
    return f"{value / of:.2f}x" if of else "-"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f}" if seconds < 1 else f"{seconds * 1000:.0f}"


def megabytes(count: float) -> str:
    """Bytes as MB of 2**20."""
    return f"{count / 2**20:.1f}"
