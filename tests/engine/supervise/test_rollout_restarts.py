"""Rolling restarts on a supervisor in this process, what they refuse and what ends them; a pod's world."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.engine.supervise.changing import change, code, key, runs
from tests.fakes.homes import ours
from tests.fakes.worlds import World, fine, uses

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import Conflict, ReadyTimeout, StartError, TargetError
from quarterdeck.engine.home import ENGINE_MARK, Home
from quarterdeck.engine.keeper.processes import MARK, environment
from quarterdeck.engine.model import Fleet, Phase, PodKey
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec

# -- rolling restarts


async def test_roll_restarts_workers_one_at_a_time_and_serves_edited_code(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    await world.up(fine(uses=code(file, "one"), shards=2, replicas=2), fine("b"), gateway=GatewaySpec())
    before = await world.ready()
    code(file, "two or more")
    seen: list[Fleet] = []

    async def watch() -> None:
        async for fleet in world.control.watch():
            seen.append(fleet)

    watching = asyncio.create_task(watch())
    await asyncio.wait_for(world.control.roll("top", ["a"]), 30)
    watching.cancel()
    fleet = await world.now()
    assert {name: run for name, (run, _) in runs(fleet).items()} == {
        "gateway": 1, "a/head": 1, "b/rep-0": 1,
        "a/shard-0/rep-0": 2, "a/shard-0/rep-1": 2, "a/shard-1/rep-0": 2, "a/shard-1/rep-1": 2,
    }  # fmt: skip
    assert [pod.port for pod in fleet.pods] == [pod.port for pod in before.pods]
    assert min(fleet.ready for fleet in seen) == len(before.pods) - 1
    assert (await world.ask(fleet.by_key[key("a/shard-1/rep-1")]))["word"] == ["two or more"]


async def test_roll_stops_at_the_first_that_fails_and_says_why(world: World, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    await world.up(fine(uses=code(file, "one"), replicas=3))
    before = await world.ready()
    code(file, "two", "print('last words'); raise RuntimeError('no weights')")
    with pytest.raises(StartError, match=r"top/a/rep-0 failed: .*no weights") as caught:
        await asyncio.wait_for(world.control.roll("top", ["a"]), 20)
    assert "last words" in caught.value.hint
    assert (await world.now()).pods[1:] == before.pods[1:]


async def test_roll_stops_at_the_first_that_takes_too_long(world: World, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    await world.up(fine(uses=code(file, "one"), replicas=2, timeout_ready=5.0))
    before = await world.ready()
    await change(world, fine(uses=f"{file}:Mine", replicas=2, timeout_ready=0.5))
    code(file, "two", "time.sleep(600)")
    with pytest.raises(ReadyTimeout, match=r"top/a/rep-0 failed: .*not ready within 500ms"):
        await asyncio.wait_for(world.control.roll("top", ["a"]), 20)
    assert (await world.now()).pods[1] == before.pods[1]


async def test_roll_stops_at_a_pod_that_ends_well_and_is_not_to_come_back(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    await world.up(fine(uses=code(file, "one")))
    await world.ready()
    code(file, "two", "import os; os._exit(0)")
    with pytest.raises(StartError, match="top/a/rep-0"):
        await asyncio.wait_for(world.control.roll("top", ["a"]), 20)
    assert (await world.now()).pods[0].phase is Phase.STOPPED


async def test_one_change_at_a_time(world: World, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    await world.up(fine(uses=code(file, "one")))
    await world.ready()
    code(file, "two", "time.sleep(600)")
    rolling = asyncio.create_task(world.control.roll("top", ["a"]))
    await world.phase(Phase.STARTING, run=2)
    for again in (
        world.control.roll("top", ["a"]),
        world.control.scale("top", {"a": 2}),
        change(world, fine("b")),
    ):
        with pytest.raises(Conflict, match="a rolling restart is under way"):
            await again
    await world.control.down(["top"])
    with pytest.raises(Conflict, match="top went down meanwhile"):
        await asyncio.wait_for(rolling, 5)


async def test_a_stop_ends_a_roll(world: World, home: Home, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    await world.up(fine(uses=code(file, "one"), replicas=2))
    before = await world.ready()
    code(file, "two", "time.sleep(600)")
    rolling = asyncio.create_task(world.control.roll("top", ["a"]))
    await world.phase(Phase.STARTING, "a/rep-0", run=2)
    await world.control.act(Verb.STOP, [key("a/rep-0")])
    with pytest.raises(Conflict, match="top/a/rep-0 was stopped meanwhile"):
        await asyncio.wait_for(rolling, 10)
    fleet = await world.phase(Phase.STOPPED, "a/rep-0")
    assert fleet.pods[1] == before.pods[1]


async def test_roll_leaves_stopped_pods_alone(world: World) -> None:
    await world.up(fine(replicas=2))
    await world.ready()
    await world.control.act(Verb.STOP, [key("a/rep-0")])
    await world.phase(Phase.STOPPED, "a/rep-0")
    await asyncio.wait_for(world.control.roll("top", ["a"]), 20)
    assert [(pod.phase, pod.run) for pod in (await world.now()).pods] == [
        (Phase.STOPPED, 1),
        (Phase.READY, 2),
    ]


async def test_roll_of_what_is_not_there(world: World) -> None:
    await world.up(fine())
    with pytest.raises(TargetError, match="top has no deployment b; it has: a"):
        await world.control.roll("top", ["b"])
    with pytest.raises(TargetError, match="no topology none is up"):
        await world.control.roll("none", ["a"])


async def test_nothing_is_changed_of_what_goes_down(world: World) -> None:
    await world.up(fine(uses=uses("Stubborn"), grace=0.3))
    await world.ready()
    going = asyncio.create_task(world.control.down(["top"]))
    await world.phase(Phase.STOPPING)
    with pytest.raises(Conflict, match="top is going down"):
        await world.control.scale("top", {"a": 2})
    with pytest.raises(Conflict, match="top is going down"):
        await change(world, fine("b"))
    await going
    assert (await world.now()).pods == ()


async def test_down_amid_a_change_leaves_nothing(world: World, home: Home) -> None:
    await world.up(fine(replicas=2), fine("b", uses=uses("Stubborn"), grace=0.5))
    await world.ready()
    await change(world, fine(replicas=3, env={"A": "b"}))
    await world.phase(Phase.STOPPING, "b/rep-0")
    await asyncio.wait_for(world.control.down(["top"]), 10)
    assert (await world.now()).pods == ()
    assert len(ours(home)) == 1


# -- beside a pod


async def test_the_world_of_a_pod(world: World, home: Home) -> None:
    await world.up(fine(env={"HUE": "red", "API_TOKEN": "hunter2"}))
    pod = (await world.ready()).pods[0]
    found = await world.control.world(pod.key)
    assert (found.env["HUE"], found.env["API_TOKEN"]) == ("red", "hunter2")
    assert found.env[MARK] == environment(pod.pid or 0)[MARK]
    assert found.env[ENGINE_MARK] == home.mark
    assert (found.cwd, found.umask) == (str(world.folder), 0o022)
    assert found.workspace == str(home.workspaces / "top" / "a" / "rep-0")
    with pytest.raises(TargetError, match="no pod top/a/rep-1 is there"):
        await world.control.world(key("a/rep-1"))


async def test_what_somebody_else_runs_has_no_world_and_is_not_ours_to_change(world: World) -> None:
    await world.up(fine())
    port = (await world.ready()).pods[0].port or 0
    await world.up(DeploymentSpec("e", external=True, hosts=("127.0.0.1",), ports=(port,)), name="other")
    await world.ready(topology="other")
    with pytest.raises(TargetError, match="other/e/rep-0: "):
        await world.control.world(PodKey("other", "e/rep-0"))
    with pytest.raises(TargetError, match="other/e is external"):
        await world.control.roll("other", ["e"])
    with pytest.raises(TargetError, match="other/e is external"):
        await world.control.scale("other", {"e": 2})
