"""The first line of the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fakes.control import INFO
from tests.fakes.fleets import DAY, NOW, search_fleet

from quarterdeck.engine.model import EngineInfo, Fleet, HostSample
from quarterdeck.tui.link import Link, LinkState
from quarterdeck.tui.totals import totals
from quarterdeck.widgets.dress import UNICODE
from quarterdeck.widgets.measure import clock

HOST = HostSample(31.0, 61 * 1024**3, 256 * 1024**3)
WHO: EngineInfo = replace(INFO, started_at=NOW - 3 * DAY, gpus=8)
UP = Link(LinkState.UP, WHO)


def shown(link: Link, width: int, fleet: Fleet | None = None) -> tuple[str, str]:
    fleet = search_fleet() if fleet is None else fleet
    left, right = totals(link, fleet, HOST, "here", "/run/qd.sock", UNICODE, NOW, width)
    return "".join(span.text for span in left), "".join(span.text for span in right)


STATE = "gpubox-3  12/14 ready  ▲ 1 backoff  ○ 1 starting"


@pytest.mark.parametrize(
    ("width", "left", "right"),
    [
        (160, f"{STATE}   cpu 31%   mem 61/256G   gpu 7/8", "engine 3d  /run/qd.sock"),
        (100, f"{STATE}   cpu 31%   mem 61/256G   gpu 7/8", "engine 3d"),
        (80, STATE, "gpu 7/8  engine 3d"),
        (65, STATE, "engine 3d"),
        (40, STATE, ""),
    ],
)
def test_it_gives_way_from_the_right(width: int, left: str, right: str) -> None:
    assert shown(UP, width) == (left, right)


def test_lost() -> None:
    link = Link(LinkState.LOST, WHO, lost_at=NOW - 12, attempt=3, retry_at=NOW + 3)
    assert shown(link, 120) == (
        f"gpubox-3  ◊ lost the engine 12s ago   picture from {clock(NOW - 12)}",
        "try 4 in 3s",
    )


def test_no_engine() -> None:
    assert shown(Link(LinkState.NONE), 120) == ("here  □ no engine", "/run/qd.sock")


def test_no_pods() -> None:
    assert shown(UP, 160, Fleet())[0].startswith("gpubox-3  no pods")
