"""Looking through a log beyond the window."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.engine.model import PodKey
from quarterdeck.widgets.logline import LogLine, parse_line
from quarterdeck.widgets.logscan import match_in, may_match
from quarterdeck.widgets.tape import PULL, Tape

from .logs import MemoryLogs, Run

KEY = PodKey("search", "index/head")


def decode(raw: bytes, offset: int) -> LogLine:
    return parse_line(raw, offset=offset)


@given(
    st.lists(st.text("abc \t\x1b[m", max_size=8), max_size=8),
    st.sampled_from(["a", "ab", "a.c", "^a", "c$", "[^a]", r"\bb", "a|b", "m"]),
    st.sampled_from([-1, 1]),
)
def test_it_finds_what_reading_every_line_would(lines: list[str], expression: str, step: int) -> None:
    pattern = re.compile(expression)
    data = "".join(f"{line}\n" for line in lines).encode()
    places = []
    at = 1_000
    for line in lines:
        raw = f"{line}\n".encode()
        if pattern.search(parse_line(raw).text):
            places.append(at)
        at += len(raw)
    assert match_in(pattern, data, 1_000, step, decode) == (
        places[step if step < 0 else 0] if places else None
    )


def test_most_of_a_log_is_passed_over_without_being_taken_apart() -> None:
    assert not may_match(re.compile("needle"), b"straw\n" * 1_000)
    assert may_match(re.compile("^needle"), b"straw\n")


def big(lines: int) -> bytes:
    return b"".join(b"line %07d\n" % n for n in range(lines))


@pytest.mark.parametrize("wanted", ["0000000", "0000001", "0123456", "0199998"])
async def test_far_above(wanted: str) -> None:
    source = MemoryLogs({KEY: [Run(big(200_000) + b"x\n" * 60_000)]})
    tape = Tape(source, KEY, 0, lambda: 2_000.0)
    await tape.open()
    before = list(tape.lines)
    found = await tape.seek(re.compile(wanted), -1, lambda: True)
    assert found == (1, int(wanted) * 13)
    assert tape.lines == before
    await tape.go(*found)
    assert any(line.text == f"line {wanted}" for line in tape.lines)
    assert source.largest <= PULL


async def test_in_a_run_before_and_back_in_the_next() -> None:
    source = MemoryLogs(
        {KEY: [Run(b"needle one\n" + big(30_000), "exit 1"), Run(big(30_000) + b"needle two\n")]}
    )
    tape = Tape(source, KEY, 0, lambda: 2_000.0)
    await tape.open()
    found = await tape.seek(re.compile("needle one"), -1, lambda: True)
    assert found == (1, 0)
    await tape.go(*found)
    assert tape.below > 0
    assert await tape.seek(re.compile("needle two"), 1, lambda: True) == (2, 30_000 * 13)
    assert await tape.seek(re.compile("nowhere"), 1, lambda: True) is None
    assert await tape.seek(re.compile("nowhere"), -1, lambda: True) is None


async def test_around_what_was_found_the_log_goes_on_in_both_directions() -> None:
    source = MemoryLogs({KEY: [Run(big(50_000))]})
    tape = Tape(source, KEY, 0, lambda: 2_000.0)
    await tape.open()
    await tape.go(1, 25_000 * 13)
    while await tape.more_above():
        pass
    while await tape.more_below():
        pass
    assert [line.text for line in tape.lines] == [f"line {n:07d}" for n in range(50_000)]


async def test_a_search_can_be_given_up() -> None:
    source = MemoryLogs({KEY: [Run(big(500_000))]})
    tape = Tape(source, KEY, 0, lambda: 2_000.0)
    await tape.open()
    assert await tape.seek(re.compile("nowhere"), -1, lambda: source.bytes_read < 1_000_000) is None
    assert source.bytes_read < 2_000_000
