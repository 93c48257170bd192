"""Closing costs what the living need; the dead cost nothing."""

from __future__ import annotations

import os
import signal
import time

from tests.fakes.worlds import World, fine

from quarterdeck.engine.control import Verb
from quarterdeck.engine.model import Phase, PodKey
from quarterdeck.engine.spec.topology import GatewaySpec, Restart

ROUNDS = 3


async def closing(world: World, restart: Restart, dead: tuple[str, ...], phase: Phase) -> float:
    """Seconds that closing four pods and a gateway takes when some of the pods have been killed."""
    await world.up(fine(replicas=4, restart=restart), gateway=GatewaySpec())
    fleet = await world.ready()
    for pod in fleet.pods:
        if pod.name in dead and pod.pid is not None:
            os.kill(pod.pid, signal.SIGKILL)
    if dead:
        await world.phase(phase, *dead)
    begin = time.perf_counter()
    await world.control.down(["top"])
    return time.perf_counter() - begin


async def test_dead_pods_cost_no_time(world: World) -> None:
    """In backoff, failed for good, and all of them at once: none takes longer than where all are alive."""
    all_four = tuple(f"a/rep-{number}" for number in range(4))
    alive = [await closing(world, Restart.NO, (), Phase.READY) for _ in range(ROUNDS)]
    some = [await closing(world, Restart.NO, all_four[:2], Phase.FAILED) for _ in range(ROUNDS)]
    every = [await closing(world, Restart.NO, all_four, Phase.FAILED) for _ in range(ROUNDS)]
    waiting = [await closing(world, Restart.ALWAYS, all_four, Phase.BACKOFF) for _ in range(ROUNDS)]
    took = {"some": min(some), "every": min(every), "waiting": min(waiting)}
    assert {case: seconds for case, seconds in took.items() if seconds > max(alive)} == {}, (alive, took)


async def test_a_pod_that_dies_while_it_closes_is_not_waited_for(world: World) -> None:
    await world.up(fine(grace=30.0), gateway=GatewaySpec())
    pid = (await world.ready()).by_key[(await world.pod("a/rep-0")).key].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # it would use all of its grace
    begin = time.monotonic()
    await world.control.act(Verb.STOP, [PodKey("top", "a/rep-0")])
    await world.phase(Phase.STOPPING, "a/rep-0")
    os.kill(pid, signal.SIGKILL)
    await world.control.down(["top"])
    assert time.monotonic() - begin < 15.0


async def test_pods_that_do_not_end_are_closed_side_by_side(world: World) -> None:
    """One after the other they would take ten times their grace."""
    await world.up(fine(replicas=10, grace=1.0))
    pods = (await world.ready()).pods
    for pod in pods:
        assert pod.pid is not None
        os.kill(pod.pid, signal.SIGSTOP)
    begin = time.monotonic()
    await world.control.down(["top"])
    assert time.monotonic() - begin < 5.0
