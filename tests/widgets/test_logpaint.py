"""How a row of a log is drawn."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from quarterdeck.widgets.dress import ASCII, UNICODE, Ground, Role
from quarterdeck.widgets.ink import Line, width_of
from quarterdeck.widgets.logline import Kind, LogLine, parse_line
from quarterdeck.widgets.logpaint import LogLook, log_line, pieces

MERGED = LogLook(67, tags=("head", "shard-1/rep-1", "deployment/shard-10/rep-10"))


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def line(raw: str, source: int = 0) -> LogLine:
    return parse_line(raw.encode(), source=source)


def test_time_tag_text() -> None:
    drawn = log_line(line("search ALL  2 shards"), MERGED, UNICODE, "14:02:16")
    assert text(drawn) == "14:02:16 head          search ALL  2 shards"
    assert [span.role for span in drawn] == [Role.MUTED, Role.TAG0, Role.SOFT]
    assert text(log_line(line("x", 1), MERGED, UNICODE, "")) == "         shard-1/rep-1 x"
    assert text(log_line(line("x", 2), MERGED, UNICODE, "")) == "         …rd-10/rep-10 x"


def test_only_warn_and_error_have_a_word() -> None:
    drawn = log_line(line("WARNING: low"), MERGED, UNICODE, "")
    assert text(drawn).endswith("warn  low")
    assert (drawn[2].role, drawn[2].bold) == (Role.WAIT, True)
    assert "info" not in text(log_line(line("INFO: fine"), MERGED, UNICODE, ""))


def test_what_does_not_fit_is_marked() -> None:
    drawn = log_line(line("x" * 100), MERGED, UNICODE, "")
    assert width_of(drawn) == 67
    assert text(drawn).endswith("x…")
    assert text(log_line(line("x" * 100), MERGED, ASCII, "")).endswith("x~")


def test_scrolled_sideways() -> None:
    look = replace(MERGED, tags=(), times=False, x=10, width=20)
    assert text(log_line(line("0123456789abcdef"), look, UNICODE, "")) == "abcdef"


def test_wide_characters_are_cut_between() -> None:
    look = replace(MERGED, tags=(), times=False, width=11)
    drawn = text(log_line(line("日本語日本語日本語"), look, UNICODE, ""))
    assert drawn == "日本語日本…"
    assert cell_len(drawn) == 11


def test_matches_are_seen_and_the_one_that_was_gone_to_stands_out() -> None:
    look = replace(MERGED, tags=(), times=False, pattern=re.compile("cat"))
    drawn = log_line(line("a cat, a cat"), look, UNICODE, "")
    assert [span.text for span in drawn if span.role is Role.ACCENT] == ["cat", "cat"]
    gone_to = log_line(line("a cat"), look, UNICODE, "", hit=True)
    assert [(span.text, span.ground) for span in gone_to if span.ground] == [("cat", Ground.ACCENT)]


def test_an_end_drops_its_last_clauses() -> None:
    ending = LogLine(1, 5, 0, 0, "exit 1 after 3s, attempt 5, next in 16s", kind=Kind.ENDING)
    wide = text(log_line(ending, MERGED, UNICODE, ""))
    assert wide.startswith("─── shard-1/rep-1 exit 1 after 3s, attempt 5, next in 16s ─")
    narrow = text(log_line(ending, replace(MERGED, width=49), UNICODE, ""))
    assert narrow.startswith("─── shard-1/rep-1 exit 1 after 3s, attempt 5 ─")
    assert width_of(log_line(ending, replace(MERGED, width=49), UNICODE, "")) == 49


def test_an_end_as_asked_is_calm() -> None:
    calm = LogLine(0, 1, 0, 0, "stopped (exit 0 after 1m)", kind=Kind.ENDING)
    assert log_line(calm, MERGED, UNICODE, "")[1].role is Role.MUTED
    loud = replace(calm, text="killed by SIGKILL after 1m")
    assert log_line(loud, MERGED, UNICODE, "")[1].role is Role.FAIL


def test_a_huge_line_says_how_much_is_missing() -> None:
    drawn = log_line(parse_line(b"x", whole=10_485_761), MERGED, UNICODE, "")
    assert text(drawn).endswith("10M more of this line in the file")


@given(st.text(st.characters(exclude_categories=["C", "M"]), max_size=60), st.integers(2, 20))
def test_wrapping_loses_nothing(value: str, width: int) -> None:
    ranges = pieces(value, width)
    assert "".join(value[start:end] for start, end in ranges) == value
    assert all(cell_len(value[start:end]) <= width for start, end in ranges)
    assert all(end > start for start, end in ranges) or not value
