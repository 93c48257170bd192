"""Which columns the tree has at a width, and where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.widgets.columns import GIVING_WAY, NAME_LEAST, Column, grid


@pytest.mark.parametrize(
    ("width", "name", "columns"),
    [
        (80, 19, "state port gpu mem req/s p99 rst age"),
        (68, 19, "state port gpu req/s p99 rst"),
        (90, 23, "state port gpu cpu mem req/s p99 rst age"),
        (104, 28, "state port gpu cpu mem req/s p99 rst age"),
        (40, 24, "state"),
    ],
)
def test_columns_by_width(width: int, name: int, columns: str) -> None:
    found = grid(width)
    assert found.name == name
    assert " ".join(found.columns) == columns


def test_edges_of_the_picture_at_160() -> None:
    """Where the columns of the design's first picture stand, in cells."""
    ends = {column: start + width for column, (start, width) in grid(90).columns.items()}
    assert grid(90).columns[Column.STATE] == (25, 12)
    assert ends == {
        Column.STATE: 37, Column.PORT: 44, Column.GPU: 49, Column.CPU: 55, Column.MEM: 62,
        Column.REQ: 70, Column.P99: 78, Column.RST: 83, Column.AGE: 88,
    }  # fmt: skip


@pytest.mark.parametrize(("width", "room", "over"), [(90, 27, False), (80, 21, False), (68, 19, True)])
def test_the_reason_stands_where_numbers_would(width: int, room: int, over: bool) -> None:
    found = grid(width)
    first = next(
        found.columns[column] for column in (Column.CPU, Column.MEM, Column.REQ) if column in found.columns
    )
    assert found.reason == (first[0], room)
    rst = found.columns[Column.RST][0]
    assert (sum(found.reason) > rst) is over


@given(st.integers(1, 300))
def test_nothing_overlaps_and_everything_fits(width: int) -> None:
    found = grid(width)
    at = 1 + found.name
    for start, size in found.columns.values():
        assert start > at
        at = start + size
    if found.name >= NAME_LEAST:
        assert at <= width


@given(st.integers(40, 300))
def test_columns_go_in_a_fixed_order(width: int) -> None:
    gone = [column for column in GIVING_WAY if column not in grid(width).columns]
    assert gone == list(GIVING_WAY[: len(gone)])
    assert Column.STATE in grid(width).columns
