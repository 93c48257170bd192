"""A window on one pod's log: it opens at the end and grows at both."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.engine.model import PodKey
from quarterdeck.widgets.logline import Kind
from quarterdeck.widgets.tape import PAGE, PULL, Tape

from .logs import MemoryLogs, Run

KEY = PodKey("search", "index/head")


def tape_of(*runs: Run, page: int = PAGE) -> tuple[Tape, MemoryLogs]:
    source = MemoryLogs({KEY: list(runs)})
    return Tape(source, KEY, 0, lambda: 2_000.0, page), source


def texts(tape: Tape) -> list[str]:
    return [line.text for line in tape.lines]


async def test_it_lands_at_the_end_of_a_huge_log_at_once() -> None:
    data = b"".join(b"line %08d\n" % n for n in range(1_000_000))
    tape, source = tape_of(Run(data))
    await tape.open()
    assert tape.lines[-1].text == "line 00999999"
    assert source.bytes_read <= 2 * PAGE
    assert not tape.at_start


async def test_paging_back_reads_every_line_once() -> None:
    lines = [f"line {n:06d}" for n in range(30_000)]
    tape, _ = tape_of(Run("".join(f"{line}\n" for line in lines).encode()))
    await tape.open()
    while await tape.more_above():
        pass
    assert texts(tape) == lines
    assert tape.at_start


async def test_a_line_that_has_not_ended_is_shown_and_grows() -> None:
    tape, source = tape_of(Run(b"one\ntw"))
    await tape.open()
    assert texts(tape) == ["one", "tw"]
    source[KEY].data += b"o\nthree\n"
    assert await tape.more_below()
    assert texts(tape) == ["one", "two", "three"]
    assert not await tape.more_below()


async def test_a_progress_bar_is_one_line() -> None:
    tape, source = tape_of(Run(b"start\n"))
    await tape.open()
    for percent in (10, 50, 100):
        source[KEY].data += b"\r%d%%" % percent
        await tape.more_below()
    assert texts(tape) == ["start", "100%"]


async def test_a_pod_that_has_not_begun_is_waited_for() -> None:
    tape, source = tape_of()
    await tape.open()
    assert texts(tape) == []
    source.logs[KEY] = [Run(b"hello\n")]
    assert await tape.more_below()
    assert texts(tape) == ["hello"]


async def test_an_end_is_a_line_and_the_next_run_follows() -> None:
    tape, source = tape_of(Run(b"one\nlast words"))
    await tape.open()
    source[KEY].ending, source[KEY].ended_at = "exit 1 after 3s", 1_050.0
    await tape.more_below()
    assert texts(tape) == ["one", "last words", "exit 1 after 3s"]
    assert tape.lines[-1].kind is Kind.ENDING
    assert not await tape.more_below()
    source.logs[KEY].append(Run(b"again\n"))
    assert await tape.more_below()
    assert await tape.more_below()
    assert texts(tape) == ["one", "last words", "exit 1 after 3s", "again"]
    assert tape.run == 2


async def test_runs_before_are_above() -> None:
    tape, _ = tape_of(Run(b"a\nb\n", "exit 1 after 3s"), Run(b"", "exit 2 after 1s"), Run(b"c\n"))
    await tape.open()
    while await tape.more_above():
        pass
    assert texts(tape) == ["a", "b", "exit 1 after 3s", "exit 2 after 1s, attempt 2", "c"]


async def test_another_run_is_opened_at_its_end_and_leads_into_the_next() -> None:
    tape, _ = tape_of(Run(b"a\nb\n", "exit 1 after 3s"), Run(b"c\n"))
    await tape.open(1)
    assert texts(tape) == ["a", "b"]
    while await tape.more_below():
        pass
    assert texts(tape) == ["a", "b", "exit 1 after 3s", "c"]


async def test_a_line_of_ten_megabytes_is_one_cut_line() -> None:
    huge = b"x" * 10_485_760
    tape, source = tape_of(Run(b"before\n" + huge + b"\nafter\n"))
    await tape.open()
    while await tape.more_above():
        pass
    assert [line.text[:6] for line in tape.lines] == ["before", "xxxxxx", "after"]
    assert tape.lines[1].size == len(huge) + 1
    assert tape.lines[1].cut > 10_000_000
    assert source.largest <= PULL


async def test_a_long_line_that_comes_in_pieces_is_one_cut_line() -> None:
    tape, source = tape_of(Run(b"before\n"))
    await tape.open()
    for _ in range(10):
        source[KEY].data += b"y" * 100_000
        while await tape.more_below():
            pass
    source[KEY].data += b"\nafter\n"
    while await tape.more_below():
        pass
    assert [line.text[:6] for line in tape.lines] == ["before", "yyyyyy", "after"]
    assert tape.lines[1].size == 1_000_001


async def test_a_flood_is_leapt_over_and_still_there_above() -> None:
    tape, source = tape_of(Run(b"first\n"))
    await tape.open()
    source[KEY].data += b"".join(b"flood %07d\n" % n for n in range(200_000))
    await tape.more_below(leap=True)
    assert tape.lines[-1].text == "flood 0199999"
    assert source.bytes_read < 2 * PULL
    while await tape.more_above():
        pass
    assert tape.lines[0].text == "first"
    assert len(tape.lines) == 200_001


async def test_counting_below_without_keeping() -> None:
    tape, source = tape_of(Run(b"a\n"))
    await tape.open()
    source[KEY].data += b"b\n" * 500
    assert await tape.more_below(keep=False)
    assert (len(tape.lines), tape.below) == (1, 500)
    await tape.more_below()
    assert (len(tape.lines), tape.below) == (501, 0)


async def test_a_file_that_was_begun_again_is_opened_again() -> None:
    tape, source = tape_of(Run(b"a\nb\nc\n"))
    await tape.open()
    source[KEY].data = b"new\n"
    assert await tape.more_below()
    assert texts(tape) == ["new"]


line = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), max_size=30)


@given(
    st.lists(line, max_size=60),
    st.booleans(),
    st.lists(
        st.tuples(
            st.sampled_from(["above", "below", "trim above", "trim below", "write"]), st.integers(0, 9)
        ),
        max_size=20,
    ),
    st.integers(4, 64),
)
@settings(max_examples=200, deadline=None)
async def test_the_window_is_always_a_stretch_of_the_file(
    lines: list[str], ended: bool, moves: list[tuple[str, int]], page: int
) -> None:
    data = "\n".join(lines).encode() + (b"\n" if ended and lines else b"")
    tape, source = tape_of(Run(data), page=page)
    await tape.open()
    for move, count in moves:
        match move:
            case "above":
                await tape.more_above(page)
            case "below":
                await tape.more_below()
            case "trim above":
                tape.trim_above(count)
            case "trim below":
                tape.trim_below(count)
            case _:
                source[KEY].data += b"w%d\n" % count
        at = None
        for each in tape.lines:
            assert at is None or each.offset == at
            at = each.offset + each.size
            assert source[KEY].data[each.offset : at].decode().rstrip("\n") == each.full
    while await tape.more_below():
        pass
    while await tape.more_above(page):
        pass
    expected = source[KEY].data.decode().split("\n")
    assert [each.full for each in tape.lines] == (expected if expected[-1] else expected[:-1])


@pytest.mark.parametrize("size", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
async def test_pages_that_end_at_a_line_break(size: int) -> None:
    tape, _ = tape_of(Run((b"x" * (size - 1) + b"\n") * 3))
    await tape.open()
    while await tape.more_above():
        pass
    assert [each.size for each in tape.lines] == [size] * 3
