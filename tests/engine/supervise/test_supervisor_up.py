"""Topologies on a supervisor in this process: up, down, failing starts, ports."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.homes import ours
from tests.fakes.worlds import World, fine, topology, uses

from quarterdeck.engine.control import Caller, UpOutcome, Verb
from quarterdeck.engine.errors import Conflict, PortTaken, SpecError, TargetError
from quarterdeck.engine.home import Home
from quarterdeck.engine.model import Level, Phase, PodKey, Role
from quarterdeck.engine.spec import document
from quarterdeck.engine.spec.topology import GatewaySpec
from quarterdeck.engine.supervise.supervisor import Supervisor

BROKEN = "from quarterdeck import Executor, requests\nimport no_such_module_at_all\n"
WORKS = """\
from quarterdeck import Executor, requests

class Mine(Executor):
    @requests
    def work(self, tensors):
        return {"word": ["edited"]}
"""


# -- up and down


async def test_up_brings_every_pod_up_and_down_ends_it(world: World, home: Home) -> None:
    result = await world.up(fine(replicas=2), gateway=GatewaySpec())
    assert (result.outcome, result.topology) == (UpOutcome.STARTED, "top")
    fleet = await world.ready()
    assert [(pod.name, pod.role) for pod in fleet.pods] == [
        ("gateway", Role.GATEWAY), ("a/rep-0", Role.WORKER), ("a/rep-1", Role.WORKER),
    ]  # fmt: skip
    assert len({pod.port for pod in fleet.pods}) == len({pod.pid for pod in fleet.pods}) == 3
    assert [pod.pid for pod in fleet.pods if not os.path.exists(f"/proc/{pod.pid}")] == []
    assert all(pod.started_at and pod.ready_at and pod.run == 1 and not pod.restarts for pod in fleet.pods)
    assert (await world.ask(fleet.pods[0]))["word"] == ["hello"]
    await world.control.down(["top"])
    fleet = await world.now()
    assert (fleet.pods, fleet.deployments, fleet.topologies) == ((), (), ())
    keeper = (await world.control.info()).keeper_pid
    assert [process.pid for process in ours(home)] == [keeper]


async def test_the_same_again_changes_nothing_another_text_is_refused(world: World) -> None:
    await world.up(fine())
    before = await world.ready()
    assert (await world.up(fine(), source="elsewhere.yml")).outcome is UpOutcome.UNCHANGED
    assert (await world.up(fine(uses_with={"word": "other"}))).outcome is UpOutcome.CHANGED
    assert (await world.now()).same_as(before)


async def test_up_again_after_down_goes_on_with_the_numbers_of_runs(world: World) -> None:
    await world.up(fine())
    await world.ready()
    await world.control.down(["top"])
    await world.up(fine())
    pod = (await world.ready()).pods[0]
    assert (pod.run, pod.restarts) == (2, 0)


async def test_two_topologies_are_apart(world: World) -> None:
    await world.up(fine(uses_with={"word": "one"}), name="one")
    await world.up(fine(uses_with={"word": "two"}), name="two", gateway=GatewaySpec())
    await world.ready(topology="one")
    fleet = await world.ready(topology="two")
    assert (await world.ask(fleet.by_key[PodKey("one", "a/rep-0")]))["word"] == ["one"]
    assert (await world.ask(fleet.by_key[PodKey("two", "gateway")]))["word"] == ["two"]
    await world.control.down(["one"])
    left = await world.now()
    assert [pod.topology for pod in left.pods] == ["two", "two"]
    assert {pod.pid for pod in left.pods} == {pod.pid for pod in fleet.of("two")}


async def test_down_of_what_is_not_up(world: World) -> None:
    await world.up(fine(), name="one")
    with pytest.raises(TargetError, match="no topology two is up; up are: one"):
        await world.control.down(["one", "two"])
    assert (await world.ready(topology="one")).topologies[0].name == "one"


async def test_down_while_it_starts(world: World, home: Home) -> None:
    await world.up(fine(uses=uses("NeverReady")))
    await world.phase(Phase.STARTING)
    await asyncio.wait_for(world.control.down(["top"]), 5)
    assert len(ours(home)) == 1


async def test_down_at_once(world: World, home: Home) -> None:
    await world.up(fine(grace=10.0, replicas=4))
    begin = time.monotonic()
    await world.control.down(["top"])
    assert time.monotonic() - begin < 5, "SIGTERM must not get lost between the fork and the pod's own code"
    assert len(ours(home)) == 1


async def test_down_of_what_rests_already(world: World) -> None:
    """Nothing that anybody could see changes when such pods are told to go."""
    await world.up(fine(uses=uses("Fails")))
    await world.phase(Phase.FAILED)
    await asyncio.wait_for(world.control.down(["top"]), 5)
    assert (await world.now()).topologies == ()


async def test_down_twice_at_once(world: World) -> None:
    await world.up(fine())
    await world.ready()
    await asyncio.wait_for(asyncio.gather(world.control.down(["top"]), world.control.down(["top"])), 5)
    assert (await world.now()).topologies == ()


async def test_a_document_that_is_none_is_a_spec_error(world: World) -> None:
    with pytest.raises(SpecError):
        await world.control.up("{}", world.caller)
    with pytest.raises(SpecError, match="shards"):
        await world.control.up(document.dump(topology(fine(shards=0))), world.caller)


async def test_pods_live_in_the_callers_world(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "caller"
    folder.mkdir()
    caller = Caller({**os.environ, "HUE": "caller's"}, str(folder), 0o077)
    spec = fine(uses=uses("World"), env={"SHADE": "dark"})
    await world.control.up(document.dump(topology(spec)), caller)
    await world.ready()
    assert f"cwd={folder} umask=077 hue=caller's" in await world.log("a/rep-0")


# -- a start that fails


@pytest.mark.parametrize("executor", ["Fails", "NoSuchClass"])
async def test_a_failing_executor_closes_its_deployment_and_no_other(world: World, executor: str) -> None:
    await world.up(fine(), fine("bad", uses=uses(executor)), fine("worse", uses=uses("Fine")))
    fleet = await world.phase(Phase.FAILED, "bad/rep-0")
    reason = fleet.by_key[PodKey("top", "bad/rep-0")].reason
    assert ("no weights at /weights.bin" if executor == "Fails" else "NoSuchClass") in reason
    await world.ready("a/rep-0", "worse/rep-0")


async def test_siblings_are_closed_and_say_for_whom(world: World, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        WORKS.replace(
            "    @requests", "    def __init__(self):\n        assert self.replica != 1\n\n    @requests"
        )
    )
    await world.up(fine(uses=f"{file}:Mine", replicas=3))
    await world.phase(Phase.FAILED, "a/rep-1")
    fleet = await world.phase(Phase.STOPPED, "a/rep-0", "a/rep-2")
    assert {pod.reason for pod in fleet.pods if pod.phase is Phase.STOPPED} == {
        "closed: a/rep-1 did not start"
    }
    assert all(pod.pid is None for pod in fleet.pods)
    assert "mine.py" in fleet.by_key[PodKey("top", "a/rep-1")].reason


async def test_an_import_error_names_the_last_frame(world: World, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(BROKEN)
    await world.up(fine(uses=f"{tmp_path}/mine.py:Mine"))
    reason = (await world.phase(Phase.FAILED)).pods[0].reason
    assert "no_such_module_at_all" in reason
    assert "mine.py" in reason
    assert "\n" not in reason


async def test_restart_tries_a_failed_deployment_again_with_the_edited_file(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(BROKEN)
    await world.up(fine(uses=f"{file}:Mine", replicas=2))
    await world.until(lambda fleet: all(pod.phase in (Phase.FAILED, Phase.STOPPED) for pod in fleet.pods))
    await world.control.act(Verb.RESTART, [PodKey("top", "a/rep-0")])
    await world.until(lambda fleet: all(pod.run == 2 and not pod.phase.alive for pod in fleet.pods))
    file.write_text(WORKS)
    await world.control.act(Verb.RESTART, [PodKey("top", "a/rep-1")])
    fleet = await world.ready()
    assert (await world.ask(fleet.pods[0]))["word"] == ["edited"]


async def test_a_start_that_takes_too_long_fails_and_leaves_nothing(world: World, home: Home) -> None:
    await world.up(fine(uses=uses("NeverReady"), timeout_ready=0.3))
    pod = (await world.phase(Phase.FAILED)).pods[0]
    assert "not ready within 300ms" in pod.reason
    assert len(ours(home)) == 1


async def test_a_fork_that_crashes_serves_from_an_interpreter_of_its_own(world: World) -> None:
    await world.up(fine(uses=uses("AbortsOnce")))
    pod = (await world.ready()).pods[0]
    assert pod.run == 2
    assert any("interpreter of its own" in event.text for event in await world.events())


async def test_a_workspace_that_can_not_be_made_is_the_reason(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    await world.up(fine(workspace=str(tmp_path / "file" / "below")))
    reason = (await world.phase(Phase.FAILED)).pods[0].reason
    assert f"{tmp_path}/file/below" in reason


async def test_a_folder_that_has_gone_is_the_reason(world: World) -> None:
    await world.control.up(document.dump(topology(fine())), Caller(dict(os.environ), "/nowhere"))
    assert "No such file or directory: /nowhere" in (await world.phase(Phase.FAILED)).pods[0].reason


# -- ports


async def test_a_port_that_is_taken_names_its_holder(world: World) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            await world.up(fine(port=port))
        assert f"top/a/rep-0: port {port} is taken by pid {os.getpid()} (" in caught.value.message
        assert "python" in caught.value.message or "pytest" in caught.value.message
        assert (await world.now()).topologies == ()
    await world.up(fine(port=port))
    fleet = await world.ready()
    assert fleet.pods[0].port == fleet.deployments[0].port == port


async def test_two_topologies_want_one_port(world: World) -> None:
    await world.up(fine(), name="one")
    taken = (await world.ready(topology="one")).pods[0]
    with pytest.raises(PortTaken, match=f"pid {taken.pid} "):
        await world.up(fine(port=taken.port), name="two")


async def test_a_kept_port_that_a_stranger_took_is_replaced_and_told(world: World) -> None:
    await world.up(fine())
    pod = (await world.ready()).pods[0]
    await world.control.act(Verb.STOP, [pod.key])
    await world.phase(Phase.STOPPED)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", pod.port or 0))
        stranger.listen()
        await world.control.act(Verb.START, [pod.key])
        now = (await world.ready()).pods[0]
    assert now.port != pod.port
    told = [event for event in await world.events() if "was taken meanwhile" in event.text]
    assert [(event.level, event.pod) for event in told] == [(Level.WARN, "a/rep-0")]


# -- the engine itself


async def test_info(world: World, home: Home) -> None:
    info = await world.control.info()
    assert (info.pid, info.home, info.socket) == (os.getpid(), str(home.folder), str(home.socket))
    assert info.keeper_pid is not None
    assert info.gpus_source


async def test_what_is_ending_takes_nothing_new(home: Home, tmp_path: Path) -> None:
    supervisor = Supervisor(home, "1")
    await supervisor.open()
    world = World(supervisor, tmp_path)
    await world.up(fine(uses=uses("Stubborn"), grace=0.3))
    await world.ready()
    closing = asyncio.create_task(supervisor.close())
    await world.phase(Phase.STOPPING)
    with pytest.raises(Conflict, match="the engine is ending"):
        await world.up(fine(), name="late")
    await closing
    assert ours(home) == []


async def test_close_ends_all_and_all_streams_and_can_be_called_twice(home: Home, tmp_path: Path) -> None:
    supervisor = Supervisor(home, "1")
    await supervisor.open()
    world = World(supervisor, tmp_path)
    await world.up(fine(uses=uses("Parent")))
    await world.ready()

    async def drain(stream: AsyncIterator[object]) -> int:
        return len([item async for item in stream])

    streams: list[AsyncIterator[object]] = [supervisor.watch(), supervisor.events(), supervisor.samples()]
    readers = asyncio.gather(*map(drain, streams))
    await asyncio.sleep(0)
    await supervisor.close()
    assert all(await asyncio.wait_for(readers, 5))
    await supervisor.close()
    assert ours(home) == []
    assert not list(home.folder.glob("*.sock"))
    assert (home.logs / "top" / "a" / "rep-0" / "run-1.log").exists()
