"""The broadcast, the chronicle and the sampler: what whoever watches gets, and when."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator

from quarterdeck.engine.model import Event, Fleet, Level, PodKey
from quarterdeck.engine.observe.broadcast import Broadcast
from quarterdeck.engine.observe.chronicle import KEPT, Chronicle
from quarterdeck.engine.observe.samples import Sampler

KEY = PodKey("top", "a/rep-0")


# -- the broadcast


async def test_the_present_comes_first_and_a_slow_one_skips_to_the_newest() -> None:
    broadcast = Broadcast()
    broadcast.offer(Fleet(1))
    watcher = broadcast.watch()
    assert (await anext(watcher)).revision == 1
    for revision in (2, 3, 4):
        broadcast.offer(Fleet(revision))
    assert (await anext(watcher)).revision == 4
    waiting = asyncio.ensure_future(anext(watcher))
    await asyncio.sleep(0)
    assert not waiting.done()
    broadcast.offer(Fleet(5))
    assert (await waiting).revision == 5


async def test_nothing_falls_between_the_present_and_what_follows() -> None:
    broadcast = Broadcast()
    watcher = broadcast.watch()
    await anext(watcher)
    broadcast.offer(Fleet(1))  # before anybody waits
    assert (await asyncio.wait_for(anext(watcher), 1)).revision == 1


async def test_closing_ends_those_who_wait_and_those_who_come_later() -> None:
    broadcast = Broadcast()

    async def drain() -> list[int]:
        return [fleet.revision async for fleet in broadcast.watch()]

    early = asyncio.create_task(drain())
    await asyncio.sleep(0)
    assert broadcast.watchers == 1
    broadcast.close()
    assert set(await asyncio.wait_for(early, 1)) == {0}
    assert await asyncio.wait_for(drain(), 1) == [0]
    assert broadcast.watchers == 0


# -- the chronicle


def tell(chronicle: Chronicle, *texts: str, pod: str = "a/rep-0") -> None:
    for text in texts:
        chronicle.tell(5.0, Level.INFO, "top", pod, text)


async def events(stream: AsyncIterator[Event]) -> list[tuple[int, str]]:
    return [(event.seq, event.text) async for event in stream]


async def test_events_are_numbered_from_one_without_gaps() -> None:
    chronicle = Chronicle()
    tell(chronicle, "a", "b", "c")
    assert await events(chronicle.follow(0, False)) == [(1, "a"), (2, "b"), (3, "c")]
    assert await events(chronicle.follow(2, False)) == [(3, "c")]
    assert await events(chronicle.follow(9, False)) == []


async def test_following_goes_on_with_what_happens() -> None:
    chronicle = Chronicle()
    tell(chronicle, "a")
    follower = chronicle.follow(0, True)
    assert (await anext(follower)).text == "a"
    waiting = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0)
    tell(chronicle, "b", "c")
    assert [(await waiting).text, (await anext(follower)).text] == ["b", "c"]
    tell(chronicle, "d")  # before anybody waits
    assert (await asyncio.wait_for(anext(follower), 1)).text == "d"
    chronicle.close()
    assert await asyncio.wait_for(events(follower), 1) == []


async def test_the_last_few_thousand_are_kept() -> None:
    chronicle = Chronicle()
    tell(chronicle, *map(str, range(KEPT + 10)))
    kept = await events(chronicle.follow(0, False))
    assert (len(kept), kept[0][0], kept[-1][0]) == (KEPT, 11, KEPT + 10)


def test_the_story_of_one_pod() -> None:
    chronicle = Chronicle()
    tell(chronicle, "a", "b")
    tell(chronicle, "another's", pod="b/rep-0")
    tell(chronicle, "c")
    assert [event.text for event in chronicle.of(KEY, 2)] == ["b", "c"]


# -- samples


async def test_a_watcher_gets_a_fresh_round_at_once() -> None:
    sampler = Sampler(lambda: {KEY: os.getpid()})
    samples = await anext(sampler.watch())
    assert (samples.pods[KEY].memory_bytes or 0) > 1 << 20
    assert (samples.host.memory_used or 0) < (samples.host.memory_total or 0)
    await sampler.close()


def test_cpu_is_percent_of_one_core_between_two_rounds() -> None:
    sampler = Sampler(lambda: {KEY: os.getpid()})
    begin = time.monotonic()
    sampler.sample()
    assert sampler.newest.pods[KEY].cpu_percent is None
    enough = time.process_time() + 0.25
    while time.process_time() < enough:
        pass
    sampler.sample()
    took = time.monotonic() - begin
    percent = sampler.newest.pods[KEY].cpu_percent
    assert percent is not None
    tick = 1 / os.sysconf("SC_CLK_TCK")
    assert (0.25 - 2 * tick) / took <= percent / 100 < 64
    asyncio.run(sampler.close())


def test_a_round_right_after_another_keeps_the_share_of_the_cpu_and_takes_in_who_is_new() -> None:
    pids = {KEY: os.getpid()}
    sampler = Sampler(lambda: pids)
    sampler.sample()
    pids[PodKey("top", "a/rep-1")] = os.getpid()
    sampler.sample()
    assert [sample.cpu_percent for sample in sampler.newest.pods.values()] == [None, None]
    assert all((sample.memory_bytes or 0) > 1 << 20 for sample in sampler.newest.pods.values())
    asyncio.run(sampler.close())


def test_who_has_gone_is_sampled_no_more() -> None:
    child = subprocess.Popen(["sleep", "600"])
    pids = {KEY: child.pid, PodKey("top", "gone"): 1 << 22}
    sampler = Sampler(lambda: pids)
    sampler.sample()
    assert list(sampler.newest.pods) == [KEY]
    child.kill()
    child.wait()
    sampler.sample()
    assert sampler.newest.pods == {}
    asyncio.run(sampler.close())


async def test_closing_ends_the_stream() -> None:
    sampler = Sampler(dict)
    sampler.open()

    async def drain() -> int:
        return len([samples async for samples in sampler.watch()])

    reader = asyncio.create_task(drain())
    await asyncio.sleep(0)
    await sampler.close()
    assert await asyncio.wait_for(reader, 5) >= 1
    assert await asyncio.wait_for(drain(), 5) == 0
