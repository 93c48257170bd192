"""No request is lost when a worker ends under load; none is sent again where that is not allowed."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable

import pytest
from tests.engine.pods.house import DEADLINE, House, LivePod, node

from quarterdeck.engine.errors import RequestError
from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.tensors import to_json

REQUESTS, IN_FLIGHT = 2000, 32
BUSY = {"seconds": 0.005}
"""How long a worker holds each request: a quarter of those in flight are at the victim when it ends."""


async def load(client: InferenceClient, halfway: Callable[[], None]) -> Counter[str]:
    """Send unique payloads, see that each comes back once with its own id; gives the answers by pod."""
    numbers = iter(range(REQUESTS))
    answered: Counter[int] = Counter()
    pods: Counter[str] = Counter()

    async def one_after_another() -> None:
        for number in numbers:
            if number == REQUESTS // 2:
                halfway()
            payload = f"payload {number}"
            answer = await client.infer("/", {"x": [payload]}, BUSY, DEADLINE, id=f"id {number}")
            content = to_json(answer)
            assert (answer.id, content["x"]) == (f"id {number}", [payload])
            answered[number] += 1
            pods[content["pod"][0]] += 1

    await asyncio.gather(*(one_after_another() for _ in range(IN_FLIGHT)))
    assert answered == Counter(range(REQUESTS))
    return pods


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("told", [False, True], ids=["table as it was", "table without it"])
async def test_no_request_is_lost_when_a_worker_ends(
    house: House, number: signal.Signals, told: bool
) -> None:
    head, workers = house.start("echo/head", role="head"), house.workers("echo", "Echo", shards=2, replicas=2)
    await house.route(head, node("echo", workers))
    victim = workers[0][1]
    jobs: list[asyncio.Task[None]] = []

    def end() -> None:
        victim.signal(number)
        if told:
            left = [[workers[0][0]], workers[1]]
            jobs.append(asyncio.ensure_future(house.route(head, node("echo", left))))

    async with head.client() as client:
        pods = await load(client, end)
        await asyncio.gather(*jobs)
    victim.wait()
    assert set(pods) == {pod.job.name for shard in workers for pod in shard}
    assert 0 < pods[victim.job.name] < REQUESTS / 4 + 100


async def test_a_new_run_is_used_as_soon_as_the_table_names_it(house: House) -> None:
    head, first = house.start("echo/head", role="head"), house.start("echo/rep-0", "Echo")
    await house.route(head, node("echo", [[first]]))
    async with head.client() as client:
        await client.infer("/", {"x": [1]})
        first.signal(signal.SIGKILL)
        first.wait()
        waiting = asyncio.ensure_future(client.infer("/", {"x": [2]}, timeout=DEADLINE))
        second = house.start("echo/rep-0", "Echo", run=2, port=first.port)
        assert second.port == first.port
        await house.route(head, node("echo", [[second]]))
        assert to_json(await waiting)["x"] == [2]


async def test_a_pod_that_is_back_is_used_without_a_new_table(house: House) -> None:
    head, first = house.start("echo/head", role="head"), house.start("echo/rep-0", "Echo")
    await house.route(head, node("echo", [[first]]))
    async with head.client() as client:
        await client.infer("/", {"x": [1]})
        first.signal(signal.SIGKILL)
        first.wait()
        waiting = asyncio.ensure_future(client.infer("/", {"x": [2]}, timeout=DEADLINE))
        house.start("echo/rep-0", "Echo", port=first.port).word()
        assert to_json(await waiting)["x"] == [2]


async def test_what_is_not_idempotent_is_not_sent_again(house: House) -> None:
    slow, gate = house.gated("slow/rep-0")
    other = house.start("slow/rep-1", "Echo")
    head = house.start("slow/head", role="head")
    await house.route(head, node("slow", [[slow]], idempotent=False))
    async with head.client() as client:
        call = asyncio.ensure_future(client.infer("/async", {}))
        await gate.noted("in")
        await house.route(head, node("slow", [[slow, other]], idempotent=False))
        slow.signal(signal.SIGKILL)
        with pytest.raises(RequestError, match="slow/rep-0 ended with the request; slow is not idempotent"):
            await call
        # What never reached the dead pod may go to the other one.
        for number in range(4):
            assert to_json(await client.infer("/", {"x": [number]}))["pod"] == ["slow/rep-1"]


async def test_a_request_that_ends_every_pod_is_not_sent_for_ever(house: House) -> None:
    head = house.start("slow/head", role="head")
    pods = [house.gated(f"slow/rep-{number}") for number in range(4)]
    await house.route(head, node("slow", [[pod for pod, _ in pods]]))
    async with head.client() as client:
        call = asyncio.ensure_future(client.infer("/async", {}))
        ended: list[LivePod] = []
        for pod, gate in pods[:3]:
            await gate.noted("in")
            pod.signal(signal.SIGKILL)
            ended.append(pod)
        with pytest.raises(RequestError, match=r"slow/rep-2 ended with the request; .* not sent again"):
            await call
