"""What stands in a row, letter by letter, as in the design's pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fakes.fleets import NOW, pod, search_fleet, search_samples

from quarterdeck.engine.model import Phase, PodStatus
from quarterdeck.widgets.cells import Moment, captions, gpu_set, row_line
from quarterdeck.widgets.columns import grid
from quarterdeck.widgets.dress import ASCII, UNICODE, Glyphs, Role
from quarterdeck.widgets.rows import Row, Sort, rows_of

MOMENT = Moment(NOW, search_samples(search_fleet()).pods)


def drawn(id: str, width: int, glyphs: Glyphs = UNICODE, moment: Moment = MOMENT) -> str:
    row = next(row for row in rows_of(search_fleet()) if row.id == id)
    return " " + "".join(span.text for span in row_line(row, grid(width), glyphs, moment))


def test_rows_at_160() -> None:
    lines = [
        drawn(id, 90) for id in ("search/index", "search/index/shard-0/rep-1", "search/index/shard-1/rep-1")
    ]
    assert lines == [
        " └ index                 ▲ 5/7 ready   52200  0-3  435%   3.6G       -       -    6   3d",
        "     └ rep-1             ○ starting    52206    1  loading index 62%              1  14s".replace(
            "     └", "   │ └"
        ),
        "     └ rep-1             ▲ backoff 8s  52208    3  CUDA out of memory             5   8s",
    ]


def test_rows_at_80() -> None:
    assert drawn("search/clean/rep-0", 80) == (
        " │ ├ rep-0           ● ready       52101        210M       -       -    0   3d"
    )
    assert drawn("search/index/shard-1/rep-1", 80) == (
        "     └ rep-1         ▲ backoff 8s  52208    3  CUDA out of memory       5   8s"
    )


def test_the_reason_covers_restarts_where_it_is_narrow() -> None:
    assert drawn("search/index/shard-1/rep-1", 68) == (
        "     └ rep-1         ▲ backoff 8s  52208    3  CUDA out of memory"
    )


def test_plain_characters() -> None:
    assert drawn("search/index/shard-1/rep-1", 90, ASCII).startswith("     `-rep-1             ! backoff 8s")


def test_a_lost_picture_has_no_countdown() -> None:
    assert "backoff     " in drawn("search/index/shard-1/rep-1", 90, moment=replace(MOMENT, frozen=True))


def test_captions() -> None:
    assert " " + "".join(span.text for span in captions(grid(90))) == (
        " name                      state        port  gpu   cpu    mem   req/s     p99  rst  age"
    )
    bold = [span.text for span in captions(grid(90), Sort.CPU) if span.bold]
    assert bold == [" cpu"]


def role_of(status: PodStatus, text: str) -> tuple[Role, bool]:
    row = Row(str(status.key), rows_of(search_fleet())[1].kind, "rep-0", 1, (False,), (status,), "search")
    line = row_line(row, grid(90), UNICODE, Moment(NOW))
    return next((span.role, span.bold) for span in line if span.text.strip() == text)


@pytest.mark.parametrize(
    ("phase", "role", "bold"),
    [
        (Phase.PENDING, Role.WAIT, True), (Phase.STARTING, Role.WAIT, True), (Phase.READY, Role.MUTED, False),
        (Phase.UNREADY, Role.WAIT, True), (Phase.BACKOFF, Role.FAIL, True), (Phase.FAILED, Role.FAIL, True),
        (Phase.STOPPING, Role.WAIT, True), (Phase.STOPPED, Role.MUTED, False),
    ],
)  # fmt: skip
def test_what_is_ready_is_quiet(phase: Phase, role: Role, bold: bool) -> None:
    assert role_of(pod("index/shard-0/rep-0", 1, phase=phase), phase.value) == (role, bold)


def test_a_stopped_pod_has_no_numbers() -> None:
    status = pod("index/shard-0/rep-0", 52205, phase=Phase.STOPPED, pid=None)
    row = Row(str(status.key), rows_of(search_fleet())[1].kind, "rep-0", 1, (False,), (status,), "search")
    assert "-" not in "".join(span.text for span in row_line(row, grid(90), UNICODE, Moment(NOW)))[30:]


@pytest.mark.parametrize(
    ("gpus", "shown"),
    [
        ((), ""), (("2",), "2"), (("1", "0"), "0,1"), (("0", "1", "2", "3"), "0-3"), (("0", "2", "5"), "3x"),
        (("10", "11"), "2x"), (("0,1", "2"), "0-2"), (("GPU-0aaa",), "aaa"),
    ],
)  # fmt: skip
def test_sets_of_devices(gpus: tuple[str, ...], shown: str) -> None:
    assert gpu_set([pod("a/rep-0", gpu=gpu) for gpu in gpus]) == shown
