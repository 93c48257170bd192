"""Where a view stands on lines that change under it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.widgets.logline import LogLine
from quarterdeck.widgets.logpaint import LogLook
from quarterdeck.widgets.scroller import Scroller

FLAT = LogLook(40, times=False)
WRAPPED = LogLook(10, times=False, wrap=True)


def lines(*texts: str, start: int = 0) -> list[LogLine]:
    return [LogLine(0, 1, start + n, 1, text, full=text) for n, text in enumerate(texts)]


def shown(scroller: Scroller, look: LogLook = FLAT, height: int = 4) -> list[str]:
    return [scroller.lines[index].text for index, _ in scroller.visible(look, height)]


def test_new_lines_never_move_what_is_read() -> None:
    scroller = Scroller()
    there = lines(*"abcdefgh", start=10)
    scroller.take(there)
    scroller.top = 2
    before = shown(scroller)
    scroller.take([*lines("x", "y"), *there, *lines("z", start=30)])
    assert shown(scroller) == before
    assert scroller.top == 4


def test_lines_that_come_again_are_known_by_their_place() -> None:
    scroller = Scroller()
    scroller.take(lines(*"abcdefgh"))
    scroller.top = 5
    scroller.take(lines(*"abcdefgh"))
    assert scroller.top == 5


def test_a_filter_keeps_the_nearest_line() -> None:
    scroller = Scroller()
    there = lines(*"abcdefgh")
    scroller.take(there)
    scroller.top = 3
    scroller.take([there[0], there[5], there[6]])
    assert scroller.top == 1
    scroller.take([there[0]])
    assert scroller.top == 0


def test_the_end_and_back() -> None:
    scroller = Scroller()
    scroller.take(lines(*"abcdefgh"))
    scroller.to_end(FLAT, 4)
    assert shown(scroller) == list("efgh")
    assert scroller.below(FLAT, 4) == 0
    assert scroller.up(2, FLAT)
    assert shown(scroller) == list("cdef")
    assert scroller.below(FLAT, 4) == 2
    assert scroller.down(1, FLAT, 4)
    assert not scroller.down(1, FLAT, 4)
    assert shown(scroller) == list("efgh")


def test_wrapped_lines_scroll_by_rows() -> None:
    scroller = Scroller()
    scroller.take(lines("a", "b" * 25, "c"))
    scroller.to_end(WRAPPED, 3)
    assert scroller.visible(WRAPPED, 3) == [(1, 1), (1, 2), (2, 0)]
    scroller.up(1, WRAPPED)
    assert scroller.visible(WRAPPED, 3) == [(1, 0), (1, 1), (1, 2)]


def test_searching() -> None:
    scroller = Scroller()
    scroller.take(lines("cat", "dog", "cat", "dog", "dog", "dog"))
    scroller.to_end(FLAT, 2)
    cat = re.compile("cat")
    assert scroller.find(cat, -1, None, FLAT, 2) == 2
    assert scroller.find(cat, -1, scroller.lines[2], FLAT, 2) == 0
    assert scroller.find(cat, 1, scroller.lines[2], FLAT, 2) is None
    assert scroller.reveal(2, FLAT, 2)
    assert "cat" in shown(scroller, height=2)
    assert not scroller.reveal(2, FLAT, 2)


@given(
    st.lists(st.integers(0, 45), min_size=1, max_size=30),
    st.lists(st.integers(-12, 12), max_size=20),
    st.integers(1, 8),
)
def test_it_stays_between_start_and_end(sizes: list[int], moves: list[int], height: int) -> None:
    scroller = Scroller()
    scroller.take(lines(*("x" * size for size in sizes)))
    total = sum(WRAPPED.rows(line) for line in scroller.lines)
    for move in moves:
        if move < 0:
            scroller.up(-move, WRAPPED)
        else:
            scroller.down(move, WRAPPED, height)
        assert len(scroller.visible(WRAPPED, height)) == min(height, total)
