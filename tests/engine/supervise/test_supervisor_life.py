"""Pods that run on a supervisor in this process: restart, stop, kill, routers, the keeper's end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest
from tests.fakes.homes import ours
from tests.fakes.worlds import World, fine, uses

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import TargetError, UsageError
from quarterdeck.engine.home import Home
from quarterdeck.engine.model import Fleet, Phase, PodKey
from quarterdeck.engine.spec.topology import GatewaySpec, Restart
from quarterdeck.engine.supervise.supervisor import Supervisor

KEY = PodKey("top", "a/rep-0")
CODE = """\
from quarterdeck import Executor, requests

class Mine(Executor):
    @requests
    def work(self, tensors):
        return {"word": ["%s"]}
"""


async def test_restart_serves_edited_code_on_the_same_port_from_a_new_process(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(CODE % "first")
    await world.up(fine(uses=f"{file}:Mine"))
    before = (await world.ready()).pods[0]
    assert (await world.ask(before))["word"] == ["first"]
    file.write_text(CODE % "second")
    await world.control.act(Verb.RESTART, [KEY])
    after = (await world.ready(run=2)).pods[0]
    assert (after.port, after.restarts) == (before.port, 1)
    assert after.pid != before.pid
    assert (await world.ask(after))["word"] == ["second"]


async def test_stop_and_start(world: World, home: Home) -> None:
    await world.up(fine(replicas=2))
    before = await world.ready()
    await world.control.act(Verb.STOP, [KEY])
    stopped = await world.phase(Phase.STOPPED, "a/rep-0")
    assert [pod.phase for pod in stopped.pods] == [Phase.STOPPED, Phase.READY]
    assert (stopped.pods[0].pid, stopped.pods[0].exit_code, stopped.pods[0].reason) == (None, 0, "")
    assert not os.path.exists(f"/proc/{before.pods[0].pid}")
    await world.control.act(Verb.START, [KEY])
    after = await world.ready()
    assert [pod.port for pod in after.pods] == [pod.port for pod in before.pods]
    assert [pod.run for pod in after.pods] == [2, 1]


async def test_kill_9_is_followed_by_backoff_and_a_run_on_the_same_port_within_two_seconds(
    world: World,
) -> None:
    await world.up(fine())
    before = (await world.ready()).pods[0]
    assert before.pid is not None
    begin = time.monotonic()
    os.kill(before.pid, signal.SIGKILL)
    waiting = (await world.phase(Phase.BACKOFF)).pods[0]
    assert waiting.reason.startswith("killed by SIGKILL after ")
    assert waiting.next_try_at is not None
    after = (await world.ready(run=2)).pods[0]
    assert time.monotonic() - begin < 2.0 * 5
    assert (after.port, after.restarts, after.exit_code) == (before.port, 1, -9)
    assert (await world.ask(after))["pid"] == [after.pid]


async def test_kill_verb_sends_the_signal_named(world: World) -> None:
    await world.up(fine(restart=Restart.NO))
    await world.ready()
    await world.control.act(Verb.KILL, [KEY], signal.SIGUSR1)
    pod = (await world.phase(Phase.FAILED)).pods[0]
    assert (pod.exit_code, pod.reason) == (-signal.SIGUSR1, pod.reason)
    assert pod.reason.startswith("killed by SIGUSR1")


async def test_a_signal_that_is_none_is_refused_and_harms_nothing(world: World) -> None:
    await world.up(fine())
    await world.ready()
    with pytest.raises(UsageError, match="999"):
        await world.control.act(Verb.KILL, [KEY], 999)
    await world.control.act(Verb.STOP, [KEY])
    await world.phase(Phase.STOPPED)


async def test_acting_on_nobody_touches_nobody(world: World) -> None:
    await world.up(fine())
    before = await world.ready()
    with pytest.raises(TargetError, match="no pod top/b/rep-0 is there"):
        await world.control.act(Verb.STOP, [KEY, PodKey("top", "b/rep-0")])
    assert (await world.now()).same_as(before)


async def test_what_ignores_sigterm_is_gone_after_its_grace(world: World, home: Home) -> None:
    await world.up(fine(uses=uses("Stubborn"), grace=0.3))
    await world.ready()
    begin = time.monotonic()
    await world.control.act(Verb.STOP, [KEY])
    pod = (await world.phase(Phase.STOPPED)).pods[0]
    assert 0.3 <= time.monotonic() - begin < 0.3 + 1.0 * 5
    assert pod.exit_code == -9
    assert len(ours(home)) == 1


async def test_nothing_that_a_pod_started_outlives_it(world: World, home: Home) -> None:
    await world.up(fine(uses=uses("Parent")))
    await world.ready()
    await world.control.act(Verb.STOP, [KEY])
    await world.phase(Phase.STOPPED)
    assert [process.pid for process in ours(home)] == [(await world.control.info()).keeper_pid]


async def test_restart_of_one_that_never_gets_ready(world: World) -> None:
    await world.up(fine(uses=uses("NeverReady")))
    await world.phase(Phase.STARTING)
    await world.control.act(Verb.RESTART, [KEY])
    await world.until(lambda fleet: fleet.pods[0].run == 2)


async def test_start_of_one_that_runs_changes_nothing(world: World) -> None:
    await world.up(fine())
    before = await world.ready()
    await world.control.act(Verb.START, [KEY])
    await world.control.act(Verb.STOP, [])
    assert (await world.now()).same_as(before)


async def test_a_worker_is_withdrawn_before_it_is_told_to_end(world: World, supervisor: Supervisor) -> None:
    """The gateway has taken a table without the worker by the time that SIGTERM is sent."""
    order: list[str] = []
    await world.up(fine(replicas=2), gateway=GatewaySpec())
    await world.ready()
    runtime, gateway = supervisor._runtime, PodKey("top", "gateway")
    signalled = runtime.signal

    def watched(pod: str, number: int) -> None:
        order.append("serves" if supervisor._routers._activation.sends_to(gateway, "a/rep-0") else "withdrawn")
        signalled(pod, number)

    runtime.signal = watched  # type: ignore[method-assign]
    await world.control.act(Verb.STOP, [KEY])
    await world.phase(Phase.STOPPED, "a/rep-0")
    assert order == ["withdrawn"]
    answers = [await world.ask((await world.now()).by_key[gateway]) for _ in range(4)]
    assert {answer["pid"][0] for answer in answers} == {(await world.pod("a/rep-1")).pid}


async def test_a_router_that_restarts_gets_its_table_again(world: World) -> None:
    await world.up(fine(), gateway=GatewaySpec())
    await world.ready()
    gateway = PodKey("top", "gateway")
    await world.control.act(Verb.RESTART, [gateway])
    fleet = await world.ready("gateway", run=2)
    assert (await world.ask(fleet.by_key[gateway]))["word"] == ["hello"]


async def test_shards_behind_a_head(world: World) -> None:
    await world.up(fine(shards=2, replicas=2))
    fleet = await world.ready()
    assert [pod.name for pod in fleet.pods] == [
        "a/head", "a/shard-0/rep-0", "a/shard-0/rep-1", "a/shard-1/rep-0", "a/shard-1/rep-1",
    ]  # fmt: skip
    assert fleet.deployments[0].port == fleet.pods[0].port
    assert (await world.ask(fleet.pods[0]))["word"] == ["hello"]


async def test_the_keepers_end_is_told_and_its_pods_come_back(world: World) -> None:
    await world.up(fine(replicas=2))
    before = await world.ready()
    keeper = (await world.control.info()).keeper_pid
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    after = await world.ready(run=2)
    assert [pod.port for pod in after.pods] == [pod.port for pod in before.pods]
    assert (await world.control.info()).keeper_pid not in (None, keeper)
    assert any("the keeper ended" in event.text for event in await world.events())


async def test_a_watcher_sees_the_present_first_and_then_only_what_is_newer(world: World) -> None:
    seen: list[Fleet] = []
    await world.up(fine())
    await world.ready()

    async def watch() -> None:
        async for fleet in world.control.watch():
            seen.append(fleet)
            if len(seen) > 1 and fleet.pods[0].run == 2 and fleet.ready == 1:
                return

    watcher = asyncio.create_task(watch())
    await world.now()
    await world.control.act(Verb.RESTART, [KEY])
    await asyncio.wait_for(watcher, 20)
    assert seen[0].ready == 1
    revisions = [fleet.revision for fleet in seen]
    assert revisions == sorted(set(revisions))
    assert all(not a.same_as(b) for a, b in pairwise(seen))


async def test_a_slow_watcher_skips_to_the_newest(world: World) -> None:
    await world.up(fine())
    slow = world.control.watch()
    first = await anext(slow)
    newest = await world.ready()
    assert first.ready == 0
    assert await anext(slow) == newest
