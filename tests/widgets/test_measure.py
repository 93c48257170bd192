"""How numbers are written."""

from __future__ import annotations

import pytest

from quarterdeck.widgets import measure

K, M, G = 1024, 1024**2, 1024**3


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "-"), (0, "0B"), (999, "999B"), (1000, "1K"), (309 * M, "309M"), (999 * M, "999M"),
        (1001 * M, "1.0G"), (int(14.1 * G), "14.1G"), (256 * G, "256G"), (3 * 1024 * G, "3.0T"),
    ],
)  # fmt: skip
def test_memory(size: int | None, text: str) -> None:
    assert measure.memory(size) == text
    assert len(text) <= 5


def test_memory_of_a_host() -> None:
    assert measure.memory_pair(61 * G, 256 * G) == "61/256G"
    assert measure.memory_pair(3 * G // 2, 4 * G) == "1.5/4.0G"
    assert measure.memory_pair(None, 4 * G) == "-"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (14.9, "14s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (86400 * 3, "3d"),
        (86400 * 140, "20w"),
    ],
)
def test_spans_have_one_unit(seconds: float, text: str) -> None:
    assert measure.span(seconds) == text
    assert len(text) <= 3


def test_a_countdown_ends_at_one() -> None:
    assert [measure.countdown(left) for left in (8.0, 7.2, 0.1, 0.0, -1.0)] == ["8s", "8s", "1s", "0s", "0s"]


@pytest.mark.parametrize(
    ("shown", "new", "then"),
    [
        (None, 5.0, 5.0),
        (5.0, None, None),
        (30.0, 31.0, 30.0),
        (30.0, 34.0, 34.0),
        (300.0, 310.0, 300.0),
        (0.4, 1.0, 0.4),
    ],
)
def test_the_dead_band(shown: float | None, new: float | None, then: float | None) -> None:
    assert measure.moved(shown, new, 2.0, 0.1) == then
