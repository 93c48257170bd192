"""What whole screens look like, character by character, beside the design's pictures.

The expected screens lie in `looks/`. After a wanted change: `python -m tests.tui.console.test_looks` writes them anew;
read the difference before committing it.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.fakes.console import Console, console
from tests.fakes.control import INFO, FakeControl
from tests.fakes.fleets import DAY, NOW, failing_details, search_fleet, search_samples

from quarterdeck.engine.model import PodKey
from quarterdeck.widgets import logline, measure

LOOKS = Path(__file__).parent / "looks"
FAILING = PodKey("search", "index/shard-1/rep-1")


def engine() -> FakeControl:
    """The fleet of the pictures, with something in every log."""
    fleet = search_fleet()
    made = FakeControl(
        fleet=fleet,
        samples_now=search_samples(fleet),
        info_now=replace(INFO, started_at=NOW - 3 * DAY, gpus=8),
    )
    made.found[FAILING] = failing_details()
    begun = int(NOW) - 60
    for n, pod in enumerate(fleet.pods):
        for k in range(6):
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(begun + 3 * k + n // 3))
            made.write(pod.key, f"{at},{n:03d} INFO search ALL  2 shards  k=20  {41 + k}ms  id=7c{n:x}{k}\n")
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(int(NOW) - 30))
    made.write(
        FAILING,
        f"{at} WARNING expandable_segments is off, fragmentation is likely\n"
        "Traceback (most recent call last):\n"
        '  File "store.py", line 212, in _upload\n'
        "    self.mat = torch.empty(n, d, device=dev)\n"
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB\n",
    )
    made.end_run(FAILING, "exit 1 after 3s", again=False)
    made.logs[FAILING][-1].ended_at = NOW - 29
    return made


async def index(seen: Console) -> None:
    await seen.press(*["j"] * 5)
    await seen.until(lambda: "7 pods merged" in seen.text or seen.app.size.width < 118)
    if seen.app.size.width >= 118:
        await seen.until("exit 1 after 3s")


async def log(seen: Console) -> None:
    await index(seen)
    await seen.press("tab")
    await seen.until("exit 1 after 3s")
    await seen.press("k", "k")


async def why(seen: Console) -> None:
    await seen.press("G", *["k"] * 6, "d")
    await seen.until("blocked by")


async def confirm(seen: Console) -> None:
    await index(seen)
    await seen.press("x")
    await seen.until("stop index?")


async def lost(seen: Console) -> None:
    await index(seen)
    await seen.control.lose()
    await seen.until("lost the engine")


async def command(seen: Console) -> None:
    await index(seen)
    await seen.press("colon", "r", "e")
    await seen.until("end and start again")


async def marks(seen: Console) -> None:
    await index(seen)
    await seen.press("k", "k", "k", "minus", "G", "k", "k", "space", "space")
    await seen.until("2 marked")


async def keys(seen: Console) -> None:
    await index(seen)
    await seen.press("question_mark")
    await seen.until("quit the console")


@dataclass(frozen=True)
class Look:
    """One screen."""

    name: str
    size: tuple[int, int]
    act: Callable[[Console], Awaitable[None]]
    ascii: bool = False


SCREENS = [
    Look("main-160x45", (160, 45), index),
    Look("main-120x34", (120, 34), index),
    Look("main-160x45-ascii", (160, 45), index, ascii=True),
    Look("why-160x45", (160, 45), why),
    Look("tree-80x24", (80, 24), marks),
    Look("log-80x24", (80, 24), log),
    Look("confirm-120x34", (120, 34), confirm),
    Look("command-120x34", (120, 34), command),
    Look("help-120x34", (120, 34), keys),
    Look("lost-120x34", (120, 34), lost),
]


async def shown(look: Look) -> str:
    async with console(engine(), look.size, ascii=look.ascii) as seen:
        await look.act(seen)
        await seen.pilot.pause()
        # How often it has dialled by now is not a matter of looks.
        return re.sub(r"try \d in \ds", "try N in Ns", seen.text) + "\n"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day as in the expected screens."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        _forget_the_zone()
        yield
    _forget_the_zone()


def _forget_the_zone() -> None:
    time.tzset()
    measure._clock.cache_clear()
    logline._base.cache_clear()


@pytest.mark.parametrize("look", SCREENS, ids=lambda look: look.name)
async def test_looks(look: Look) -> None:
    expected = (LOOKS / f"{look.name}.txt").read_text()
    assert await shown(look) == expected


def main() -> None:
    """Write the expected screens anew."""
    os.environ.update(COLORTERM="truecolor", TERM="xterm-256color", TZ="UTC")
    os.environ.pop("NO_COLOR", None)
    time.tzset()
    for look in SCREENS:
        (LOOKS / f"{look.name}.txt").write_text(asyncio.run(shown(look)))


if __name__ == "__main__":
    main()
