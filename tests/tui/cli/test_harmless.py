"""Log text on its way to a terminal: nothing in it may drive the terminal but colours."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quarterdeck.engine.model import PodKey
from quarterdeck.tui.cli.following import Cursor
from quarterdeck.tui.cli.harmless import harmless
from quarterdeck.tui.cli.logs import tagged, tags

SGR = re.compile(rb"\x1b\[[0-9;:]*m")
PIECES = st.sampled_from(
    [b"\x1b", b"[", b"]", b"P", b"0;1m", b"m", b"2J", b"\x07", b"\\", b"\xc2", b"\x9b", b"\x9d", b"\r", b"\n", b"\t",
     b"text", b"\xff", b"\x00", b"\x7f", "é".encode(), "漢".encode(), b"?25l", b"\x1b[31m", b"\x1b]0;x", b" q"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        (b"plain\ttext\n", b"plain\ttext\n"),
        ("é漢\n".encode(), "é漢\n".encode()),
        (b"\x1b[31mred\x1b[0m", b"\x1b[31mred\x1b[0m"),
        (b"\x1b[38;2;1;2;3mx\x1b[m", b"\x1b[38;2;1;2;3mx\x1b[m"),
        (b"\x1b[38:5:200mx", b"\x1b[38:5:200mx"),
        (b"\x1b[2Jgone", b"gone"),
        (b"\x1b[?1049h\x1b[?25lx", b"x"),
        (b"\x1b[1;1Hx\x1b[6n", b"x"),
        (b"\x1b]0;title\x07x", b"x"),
        (b"\x1b]8;;http://x\x1b\\link", b"link"),
        (b"\x1b]52;c;aGk=\nnext", b"\nnext"),
        (b"\x1bPq#0\x1b\\x", b"x"),
        (b"\x1bcx", b"x"),
        (b"\x1b(0x", b"x"),
        (b"10%\r20%\r\n", b"10%20%\n"),
        (b"bell\x07 back\x08\x7f", b"bell\xef\xbf\xbd back\xef\xbf\xbd\xef\xbf\xbd"),
        (b"\xc2\x9b2Jx", "\N{REPLACEMENT CHARACTER}2Jx".encode()),
        (b"\xc2\x1b[2J\x9b2Jx", "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}2Jx".encode()),
    ],
)  # fmt: skip
def test_what_is_left(dirty: bytes, clean: bytes) -> None:
    assert harmless(dirty) == clean


@given(st.binary(max_size=60) | st.lists(PIECES, max_size=12).map(b"".join))
@example(b"\x1b\x1b[2J[2J")
@example(b"\x1b[\x1b[m2J")
@example(b"\xc2\xc2\x9b\x9b")
@example(b"\xc2\x1b[m\x80")
def test_nothing_that_is_left_drives_a_terminal(data: bytes) -> None:
    left = SGR.sub(b"", harmless(data))
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", left)
    assert not re.search("[\x80-\x9f]", left.decode("utf-8", "ignore"))


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"])))
def test_text_is_left_alone(text: str) -> None:
    assert harmless(text.encode()) == text.encode()


# -- lines behind their pods' names

A, B = PodKey("one", "a/rep-0"), PodKey("one", "long/rep-10")


def test_names_of_one_width_with_the_topology_where_it_matters() -> None:
    assert tags([A, B]) == {A: "a/rep-0    ", B: "long/rep-10"}
    other = PodKey("two", "a/rep-0")
    assert tags([A, other]) == {A: "one/a/rep-0", other: "two/a/rep-0"}


@given(st.binary(max_size=60))
def test_every_line_has_its_tag_and_every_byte_is_there(data: bytes) -> None:
    out = tagged("pod", data)
    lines = data.splitlines(keepends=True)
    assert out.count(b"pod  ") >= len(lines)
    assert b"".join(line.removeprefix(b"pod  ") for line in out.splitlines(keepends=True)).startswith(data)


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_whole_lines_come_out_in_order_and_nothing_is_lost(chunks: list[bytes]) -> None:
    cursor = Cursor(A)
    out = [cursor.lines(chunk) for chunk in chunks]
    assert b"".join(out) + cursor.rest == b"".join(chunks)
    assert all(not part or part.endswith(b"\n") for part in out)
    assert b"\n" not in cursor.rest
