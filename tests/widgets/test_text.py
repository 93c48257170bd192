"""A program's output made harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from quarterdeck.widgets.text import LIMIT, apply_sgr, clean, read, sgr_style


def harmless(text: str) -> bool:
    """Whether text has no character that a terminal would act on."""
    return all(unicodedata.category(character) not in ("Cc", "Zl", "Zp") for character in text)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain\n", "plain"),
        (b"[bold]markup[/bold] [0]\n", "[bold]markup[/bold] [0]"),
        (b"\x1b[31mred\x1b[0m on\n", "red on"),
        (b"\x1b[2J\x1b[1;1Hcleared\n", "cleared"),
        (b"\x1b]0;a title\x07text\n", "text"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", "link"),
        (b"\x1bPq#0;2;0;0;0\x1b\\sixel\n", "sixel"),
        (b"\x1b(B\x1b=\x1b>\x1bcreset\n", "reset"),
        (b"\x1b[?1049h\x1b[?25lhidden\n", "hidden"),
        (b"ends in \x1b[", "ends in "),
        (b"ends in \x1b", "ends in "),
        (b"a\x1b]52;c;ZXZpbA==", "a"),
        (b"bell\x07\n", "bell\u2407"),
        (b"nul\x00\x7f\n", "nul\u2400\u2421"),
        ("csi as one character \x9b31mred\n".encode(), "csi as one character red"),
        (b"bad \xff\xfe utf\n", "bad \ufffd\ufffd utf"),
        (b"a\tb\n", "a       b"),
        (b"12345678\tb\n", "12345678        b"),
        (b"windows\r\n", "windows"),
        (b" 10%\r 50%\r100%\n", "100%"),
        (b" 10%\r 50%\r", " 50%"),
        (b"spin |\b/\b-\n", "spin -"),
        ("日本語\n".encode(), "日本語"),
        ("zero\u200bwidth\ufeff\n".encode(), "zerowidth"),
        ("right\u202eto left\n".encode(), "right\ufffdto left"),
        ("line\u2028separator\n".encode(), "line separator"),
    ],
)
def test_lines(raw: bytes, text: str) -> None:
    assert read(raw).text == text


def test_colours_are_kept_where_they_were() -> None:
    found = read(b"a \x1b[1;31mred\x1b[22m thin\x1b[0m end\n")
    assert found.text == "a red thin end"
    assert [(start, end) for start, end, _ in found.spans] == [(2, 5), (5, 10)]
    assert found.spans[0][2].bold
    assert not found.spans[1][2].bold
    assert str(found.spans[0][2].color) == str(found.spans[1][2].color)


@pytest.mark.parametrize(
    ("parameters", "state"),
    [
        ("", ()),
        ("0", ()),
        ("1", ("bold",)),
        ("31", ("fg color(1)",)),
        ("97", ("fg color(15)",)),
        ("44", ("bg color(4)",)),
        ("38;5;208", ("fg color(208)",)),
        ("48;2;1;2;3", ("bg #010203",)),
        ("38:5:208", ("fg color(208)",)),
        ("38;5", ()),
        ("38;2;999;0;0", ()),
        ("5;8;99999999999", ()),
        ("31;39", ()),
        ("4;24", ()),
    ],
)
def test_sgr(parameters: str, state: tuple[str, ...]) -> None:
    assert apply_sgr((), parameters) == state


def test_blinking_is_not_passed_on() -> None:
    assert not sgr_style(apply_sgr((), "5;6;8;1")).blink


def test_a_long_line_is_cut_and_says_by_how_much() -> None:
    found = read(b"x" * 100_000)
    assert len(found.text) == LIMIT
    assert found.cut == 100_000 - LIMIT
    assert read(b"x" * 10, whole=5_000_000).cut == 5_000_000 - 10


def test_a_cut_never_splits_a_character() -> None:
    assert "\ufffd" not in read("é".encode() * LIMIT).text


PIECES = (b"\x1b[", b"\x1b]", b"\x1b", b"m", b"31;1", b"\x07", b"\r", b"\b", b"\t", b"\x9b", b"\\", b"\xc2")
outputs = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(str.encode),
    st.lists(
        st.one_of(
            st.sampled_from(PIECES),
            st.text(max_size=5).map(str.encode),
        ),
        max_size=30,
    ).map(b"".join),
)  # fmt: skip


@given(outputs)
@settings(max_examples=500)
def test_nothing_that_a_terminal_acts_on_comes_out(raw: bytes) -> None:
    found = read(raw)
    assert harmless(found.text)
    assert all(unicodedata.category(character) != "Cf" for character in found.text)
    at = 0
    for start, end, _ in found.spans:
        assert at <= start < end <= len(found.text)
        at = end


@given(st.text(max_size=100))
def test_any_text_is_cleaned_to_one_line(text: str) -> None:
    assert harmless(clean(text))


@given(st.binary(max_size=300))
def test_width_is_that_of_its_characters(raw: bytes) -> None:
    assert cell_len(read(raw).text) <= 8 * max(1, len(raw))
