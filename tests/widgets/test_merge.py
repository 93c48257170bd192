"""Several logs as one, in the order of their times."""

from __future__ import annotations

import asyncio

from quarterdeck.engine.model import PodKey
from quarterdeck.widgets.logline import Kind
from quarterdeck.widgets.merge import FAST, SLOW, WINDOW, Reel

from .logs import MemoryLogs, Run

HEAD, LEFT, RIGHT = (PodKey("search", f"index/{name}") for name in ("head", "rep-0", "rep-1"))


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.now = 1_772_640_000.0

    def __call__(self) -> float:
        return self.now


def stamped(seconds: int, text: str) -> bytes:
    return f"2026-03-04 14:{seconds // 60:02d}:{seconds % 60:02d} {text}\n".encode()


def reel_of(source: MemoryLogs, *keys: PodKey) -> Reel:
    return Reel(source, keys, Clock())


def texts(reel: Reel) -> list[str]:
    return [line.text for line in reel.lines]


async def test_lines_are_in_the_order_of_their_times() -> None:
    source = MemoryLogs({
        HEAD: [Run(stamped(1, "a") + stamped(4, "d"))],
        LEFT: [Run(stamped(2, "b") + b"  more of b\n" + stamped(5, "e"))],
        RIGHT: [Run(stamped(3, "c"))],
    })  # fmt: skip
    reel = reel_of(source, HEAD, LEFT, RIGHT)
    await reel.open()
    assert texts(reel) == ["a", "b", "  more of b", "c", "d", "e"]
    assert [line.source for line in reel.lines] == [0, 1, 1, 2, 0, 1]


async def test_a_late_line_goes_where_its_time_says() -> None:
    source = MemoryLogs({HEAD: [Run(stamped(1, "a") + stamped(9, "z"))], LEFT: [Run(stamped(2, "b"))]})
    reel = reel_of(source, HEAD, LEFT)
    await reel.open()
    source[LEFT].data += stamped(5, "late")
    assert await reel.pull(True, 1.0)
    assert texts(reel) == ["a", "b", "late", "z"]


async def test_logs_without_times_go_by_arrival() -> None:
    source = MemoryLogs({HEAD: [Run(b"one\n")], LEFT: [Run(b"uno\n", started_at=1_001.0)]})
    clock = Clock()
    reel = Reel(source, (HEAD, LEFT), clock)
    await reel.open()
    assert texts(reel) == ["one", "uno"]
    source[LEFT].data += b"due\n"
    await reel.pull(True, 1.0)
    clock.now += 1
    reel.wake()
    source[HEAD].data += b"two\n"
    await reel.pull(True, 3.0)
    assert texts(reel) == ["one", "uno", "due", "two"]


async def test_older_lines_wait_until_every_log_has_been_read_that_far() -> None:
    """A log that says much reaches less far back: above its first line nothing is shown yet."""
    busy = b"".join(stamped(600 + n // 50, f"busy {n}") for n in range(10_000))
    calm = b"".join(stamped(n, f"calm {n}") for n in range(0, 1_200, 100))
    source = MemoryLogs({HEAD: [Run(busy)], LEFT: [Run(calm)]})
    reel = reel_of(source, HEAD, LEFT)
    await reel.open()
    first = reel.lines[0]
    assert first.source == 0
    times = [line.time or 0.0 for line in reel.lines]
    assert times == sorted(times)
    before = len(reel.lines)
    assert await reel.above()
    assert len(reel.lines) > before
    assert reel.lines[0].time is not None
    assert first.time is not None
    assert reel.lines[0].time < first.time


async def test_the_window_is_bounded_while_following() -> None:
    source = MemoryLogs({HEAD: [Run(b"start\n")]})
    reel = reel_of(source, HEAD)
    await reel.open()
    for n in range(20):
        source[HEAD].data += b"".join(b"%d line %d\n" % (n, m) for m in range(1_000))
        await reel.pull(True, float(n))
    assert len(reel.lines) == WINDOW
    assert reel.lines[-1].text == "19 line 999"


async def test_paused_and_full_it_counts_and_keeps_what_is_being_read() -> None:
    source = MemoryLogs({HEAD: [Run(b"x\n" * WINDOW)]})
    reel = reel_of(source, HEAD)
    await reel.open()
    first = reel.lines[0]
    source[HEAD].data += b"y\n" * 300
    await reel.pull(False, 1.0)
    assert reel.lines[0] is first
    assert reel.below == 300
    assert await reel.forward()
    assert reel.below == 0
    assert reel.lines[-1].text == "y"


async def test_a_quiet_log_is_asked_less_and_less() -> None:
    source = MemoryLogs({HEAD: [Run(b"x\n")]})
    reel = reel_of(source, HEAD)
    await reel.open()
    now = 0.0
    for _ in range(30):
        await reel.pull(True, now)
        now += reel.rest(now)
    assert reel.rest(now - SLOW) >= SLOW
    reel.wake()
    assert reel.rest(now) <= FAST


async def test_an_end_stands_where_it_happened() -> None:
    source = MemoryLogs({
        HEAD: [Run(stamped(1, "a") + stamped(50, "z"))],
        LEFT: [Run(stamped(2, "b"), "exit 1 after 3s", ended_at=None), Run(b"again\n")],
    })  # fmt: skip
    reel = reel_of(source, HEAD, LEFT)
    await reel.open()
    while await reel.above():
        pass
    kinds = [line.kind for line in reel.lines if line.source == 1]
    assert kinds == [Kind.TEXT, Kind.ENDING, Kind.TEXT]


async def test_opening_many_pods_reads_little_of_each() -> None:
    keys = [PodKey("big", f"a/rep-{n}") for n in range(100)]
    source = MemoryLogs({key: [Run(b"some line of a log\n" * 50_000)] for key in keys})
    reel = Reel(source, keys, Clock())
    await asyncio.wait_for(reel.open(), 10)
    assert source.bytes_read < 2 * 1024 * 1024
