"""What is recognised in a line: time, level, traceback."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from quarterdeck.engine.model import Level
from quarterdeck.widgets.logline import LogLine, parse_line

NOW = datetime(2026, 3, 4, 15, 0, 0).timestamp()


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("raw", "when", "level", "text"),
    [
        ("2026-03-04 14:02:08,123 INFO knn in 25ms", at("2026-03-04T14:02:08.123"), None, "knn in 25ms"),
        ("2026-03-04T14:02:08.5Z WARNING x", at("2026-03-04T14:02:08.5+00:00"), Level.WARN, "x"),
        ("[2026-03-04 14:02:08 +0200] [ERROR] x", at("2026-03-04T14:02:08+02:00"), Level.ERROR, "x"),
        ("14:02:08 ERROR: gone", at("2026-03-04T14:02:08"), Level.ERROR, "gone"),
        ("23:59:00 late yesterday", at("2026-03-03T23:59:00"), None, "late yesterday"),
        ("W0304 14:02:08.000001 1 a.cc:3] x", at("2026-03-04T14:02:08.000001"), Level.WARN, "1 a.cc:3] x"),
        ("INFO:     Started server", None, None, "Started server"),
        ("WARNING:root:careful", None, Level.WARN, "root:careful"),
        ("[error] no such file", None, Level.ERROR, "no such file"),
        (
            "2026-03-04 14:02:08 - app - WARNING - low",
            at("2026-03-04T14:02:08"),
            Level.WARN,
            "app - WARNING - low",
        ),
        (
            "torch.OutOfMemoryError: CUDA out of memory",
            None,
            Level.ERROR,
            "torch.OutOfMemoryError: CUDA out of memory",
        ),
        ("an error happened", None, None, "an error happened"),
        ("ratio 14:02:08", None, None, "ratio 14:02:08"),
        ("2026-13-44 14:02:08 no such day", None, None, "no such day"),
        ("", None, None, ""),
    ],
)
def test_recognising(raw: str, when: float | None, level: Level | None, text: str) -> None:
    found = parse_line(raw.encode(), now=NOW)
    assert (found.level, found.text, found.full) == (level, text, raw)
    assert found.time == (None if when is None else pytest.approx(when, abs=1e-5))
    if when is not None:
        assert found.clock == time.strftime("%H:%M:%S", time.localtime(when))


def read(*lines: str) -> list[LogLine]:
    found: list[LogLine] = []
    for line in lines:
        found.append(parse_line(line.encode(), after_quiet=bool(found) and found[-1].quiet))
    return found


def test_a_traceback_is_quiet_and_its_last_line_is_not() -> None:
    lines = read(
        "Traceback (most recent call last):",
        '  File "store.py", line 212, in _upload',
        "    self.mat = torch.empty(n)",
        "    ~~~~~^^^^",
        "torch.OutOfMemoryError: no",
        "  indented text after it",
    )
    assert [line.quiet for line in lines] == [True, True, True, True, False, False]
    assert lines[4].level is Level.ERROR


def test_colours_move_with_the_text() -> None:
    line = parse_line(b"14:02:08 INFO \x1b[31mred\x1b[0m tail", now=NOW)
    assert line.text == "red tail"
    assert [(start, end) for start, end, _ in line.spans] == [(0, 3)]
