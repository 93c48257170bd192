"""Another text, or another number of replicas, for what runs on a supervisor in this process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.supervise.changing import change, changed, code, key, runs, told
from tests.fakes.homes import ours
from tests.fakes.worlds import World, fine, topology, uses

from quarterdeck.engine.control import UpOutcome, Verb
from quarterdeck.engine.errors import PortTaken, SpecError, TargetError
from quarterdeck.engine.home import Home
from quarterdeck.engine.model import Level, Phase
from quarterdeck.engine.spec import document
from quarterdeck.engine.spec.topology import GatewaySpec, Restart

# -- another text


async def test_another_text_replaces_what_differs_and_nothing_else(world: World) -> None:
    await world.up(fine(replicas=2), fine("b"), fine("c"), gateway=GatewaySpec())
    before = await world.ready()
    new = (fine(replicas=2, uses_with={"word": "new"}), fine("b", timeout_send=3.0), fine("d"))
    assert await change(world, *new, gateway=GatewaySpec()) is UpOutcome.REPLACED
    assert (await world.now()).topologies[0].digest != before.topologies[0].digest
    fleet = await changed(world, before, "a/rep-0", "a/rep-1", gone=1)
    assert [pod.name for pod in fleet.pods] == ["gateway", "a/rep-0", "a/rep-1", "b/rep-0", "d/rep-0"]
    for name in ("gateway", "b/rep-0"):
        assert fleet.by_key[key(name)] == before.by_key[key(name)]
    for name in ("a/rep-0", "a/rep-1"):
        pod = fleet.by_key[key(name)]
        assert pod.port == before.by_key[key(name)].port
        assert (await world.ask(pod))["word"] == ["new"]
    assert [one.name for one in fleet.deployments] == ["a", "b", "d"]
    assert await change(world, *new, gateway=GatewaySpec()) is UpOutcome.UNCHANGED


async def test_the_difference_alone_changes_nothing(world: World) -> None:
    await world.up(fine(replicas=2))
    before = await world.ready()
    text = document.dump(topology(fine(replicas=1, env={"HUE": "red"})))
    found = await world.control.diff(text, world.caller)
    assert (found.removed, found.replaced) == (("a/rep-1",), ("a/rep-0",))
    assert (await world.now()).same_as(before)
    with pytest.raises(TargetError, match="no topology other is up; up are: top"):
        await world.control.diff(document.dump(topology(fine(), name="other")), world.caller)


async def test_one_replica_is_replaced_after_the_other(world: World) -> None:
    await world.up(fine(replicas=3))
    before = await world.ready()
    least = len(before.pods)
    await change(world, fine(replicas=3, env={"A": "b"}))
    async with asyncio.timeout(20):
        async for fleet in world.control.watch():
            least = min(least, fleet.ready)
            if fleet.ready == 3 and all(pod.run == 2 for pod in fleet.pods):
                break
    assert least == 2


async def test_a_policy_reaches_pods_that_run(world: World) -> None:
    await world.up(fine())
    before = await world.ready()
    await change(world, fine(restart=Restart.NO))
    assert (await world.now()).pods == before.pods
    os.kill(before.pods[0].pid or 0, signal.SIGKILL)
    await world.phase(Phase.FAILED)


async def test_what_does_not_start_ends_the_change_and_the_next_text_ends_what_it_left(
    world: World, tmp_path: Path
) -> None:
    await world.up(fine(uses=code(tmp_path / "one.py", "one"), replicas=2))
    before = await world.ready()
    bad = code(tmp_path / "two.py", "two", "raise RuntimeError('no weights')")
    await change(world, fine(uses=bad, replicas=2))
    fleet = await world.phase(Phase.BACKOFF, "a/rep-0", run=2)
    assert "no weights" in fleet.by_key[key("a/rep-0")].reason
    await told(world, "the change ends here: top/a/rep-0 failed: ", Level.ERROR)
    left = (await world.now()).by_key[key("a/rep-1")]
    assert (left.pid, (await world.ask(left))["word"]) == (before.pods[1].pid, ["one"])
    # The same text again goes on where it ended: the pod that is left is not what the text says.
    code(tmp_path / "two.py", "two")
    found = await world.control.diff(document.dump(topology(fine(uses=bad, replicas=2))), world.caller)
    assert "a/rep-1" in found.replaced
    assert await change(world, fine(uses=bad, replicas=2)) is UpOutcome.REPLACED
    fleet = await changed(world, before, "a/rep-0", "a/rep-1")
    assert [(await world.ask(pod))["word"] for pod in fleet.pods] == [["two"], ["two"]]
    assert await change(world, fine(uses=bad, replicas=2)) is UpOutcome.UNCHANGED


async def test_a_pod_that_dies_before_its_turn_comes_back_as_the_new_text_says(
    world: World, tmp_path: Path
) -> None:
    await world.up(fine(uses=code(tmp_path / "one.py", "one"), replicas=2))
    before = await world.ready()
    await change(world, fine(uses=code(tmp_path / "two.py", "two", "raise OSError"), replicas=2))
    await told(world, "the change ends here", Level.ERROR)
    code(tmp_path / "two.py", "two")
    os.kill(before.pods[1].pid or 0, signal.SIGKILL)
    fleet = await changed(world, before, "a/rep-1")
    assert (await world.ask(fleet.by_key[key("a/rep-1")]))["word"] == ["two"]


async def test_a_deployment_that_failed_is_tried_again_when_its_text_changes(
    world: World, tmp_path: Path
) -> None:
    await world.up(fine(uses=code(tmp_path / "bad.py", "bad", "raise OSError"), replicas=2), fine("b"))
    await world.until(lambda fleet: all(not pod.phase.alive for pod in fleet.pods[:2]))
    await world.ready("b/rep-0")
    await change(world, fine(uses=code(tmp_path / "good.py", "good"), replicas=3), fine("b"))
    fleet = await world.ready()
    assert [(await world.ask(pod))["word"] for pod in fleet.pods[:3]] == [["good"]] * 3
    assert fleet.pods[3].run == 1


async def test_a_pod_that_was_stopped_stays_stopped_and_is_the_new_one_once_started(world: World) -> None:
    await world.up(fine())
    await world.ready()
    await world.control.act(Verb.STOP, [key("a/rep-0")])
    await world.phase(Phase.STOPPED)
    await change(world, fine(uses_with={"word": "new"}))
    await told(world, "changed", Level.INFO)
    assert (await world.now()).pods[0].phase is Phase.STOPPED
    await world.control.act(Verb.START, [key("a/rep-0")])
    assert (await world.ask((await world.ready()).pods[0]))["word"] == ["new"]


async def test_a_port_that_is_taken_refuses_the_change_before_anything_is_touched(world: World) -> None:
    await world.up(fine())
    before = await world.ready()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        for specs in ((fine(port=port),), (fine(), fine("b", port=port))):
            with pytest.raises(PortTaken, match=f"port {port} is taken by pid {os.getpid()}"):
                await change(world, *specs)
        assert (await world.now()).same_as(before)
    await change(world, fine(port=port))
    assert (await changed(world, before, "a/rep-0")).pods[0].port == port


async def test_a_port_goes_from_a_pod_that_leaves_to_one_that_comes(world: World) -> None:
    await world.up(fine(), fine("b"))
    port = (await world.ready()).by_key[key("b/rep-0")].port
    await change(world, fine(), fine("c", port=port))
    fleet = await world.until(
        lambda fleet: [pod.name for pod in fleet.pods if pod.ready] == ["a/rep-0", "c/rep-0"]
    )
    assert fleet.pods[1].port == port


async def test_a_mistake_changes_nothing(world: World) -> None:
    await world.up(fine())
    before = await world.ready()
    with pytest.raises(SpecError, match="shards"):
        await change(world, fine(shards=0))
    assert (await world.now()).same_as(before)


async def test_heads_and_shards_come_and_go(world: World, home: Home) -> None:
    await world.up(fine(shards=2, replicas=2, uses_before=uses("Fine")), gateway=GatewaySpec())
    before = await world.ready()
    await change(world, fine(replicas=1), gateway=GatewaySpec())
    fleet = await world.until(lambda fleet: [pod.name for pod in fleet.pods] == ["gateway", "a/rep-0"])
    fleet = await world.ready()
    assert runs(fleet)["gateway"] == runs(before)["gateway"]
    assert (await world.ask(fleet.pods[0]))["word"] == ["hello"]
    assert len(ours(home)) == 3


async def test_kept_pods_stay_in_the_world_of_who_brought_them_up(world: World, tmp_path: Path) -> None:
    await world.up(fine(uses=uses("World")), fine("b", uses=uses("World")))
    before = await world.ready()
    mine = world.caller
    world.caller = replace(mine, env=mine.env | {"HUE": "second"}, umask=0o077)
    await change(world, fine(uses=uses("World"), env={"A": "b"}), fine("b", uses=uses("World")))
    fleet = await changed(world, before, "a/rep-0")
    assert "umask=077 hue=second" in await world.log("a/rep-0")
    os.kill(fleet.by_key[key("b/rep-0")].pid or 0, signal.SIGKILL)
    await changed(world, fleet, "b/rep-0")
    assert "umask=022 hue=None" in await world.log("b/rep-0")


async def test_depends_on_orders_what_is_new(world: World) -> None:
    await world.up(fine())
    await world.ready()
    await change(world, fine(), fine("b", uses=uses("NeverReady")), fine("c", depends_on=("b",)))
    fleet = await world.phase(Phase.STARTING, "b/rep-0")
    waiting = fleet.by_key[key("c/rep-0")]
    assert (waiting.phase, waiting.reason) == (Phase.PENDING, "waits for b")


# -- another number of replicas


async def test_scale_up_and_down(world: World, home: Home) -> None:
    await world.up(fine(replicas=2), fine("b"), gateway=GatewaySpec())
    before = await world.ready()
    found = await world.control.scale("top", {"a": 4})
    assert (found.added, found.why) == (("a/rep-2", "a/rep-3"), ("a: replicas 2 -> 4",))
    fleet = await world.until(lambda fleet: fleet.ready == 6)
    assert fleet.deployments[0].replicas == 4
    found = await world.control.scale("top", {"a": 1})
    assert found.removed == ("a/rep-1", "a/rep-2", "a/rep-3")
    fleet = await world.until(lambda fleet: len(fleet.pods) == 3)
    assert [pod.name for pod in fleet.pods] == ["gateway", "a/rep-0", "b/rep-0"]
    assert all(pod == before.by_key[pod.key] for pod in fleet.pods)
    assert len(ours(home)) == 4


async def test_scale_of_what_can_not_be_scaled(world: World) -> None:
    await world.up(fine())
    before = await world.ready()
    with pytest.raises(TargetError, match="top has no deployment b; it has: a"):
        await world.control.scale("top", {"b": 2})
    with pytest.raises(TargetError, match="no topology none is up"):
        await world.control.scale("none", {"a": 2})
    with pytest.raises(SpecError, match="replicas"):
        await world.control.scale("top", {"a": 0})
    assert (await world.now()).same_as(before)


async def test_what_is_added_and_does_not_start_leaves_the_others_alone(world: World, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    await world.up(fine(uses=code(file, "one", "assert self.replica < 1")))
    before = await world.ready()
    await world.control.scale("top", {"a": 2})
    await world.phase(Phase.BACKOFF, "a/rep-1")
    assert (await world.now()).pods[0] == before.pods[0]
    await world.control.scale("top", {"a": 1})
    assert (await world.until(lambda fleet: len(fleet.pods) == 1)).pods == before.pods
