"""Deployments whose pods are threads of one process, on a whole supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.homes import eventually, ours
from tests.fakes.worlds import World, fine

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import UsageError
from quarterdeck.engine.home import Home
from quarterdeck.engine.model import Fleet, Phase, PodKey, Runtime
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec
from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.tensors import from_json, to_json

CODE = """\
import os, time
from quarterdeck import Executor, requests

class Mine(Executor):
    def __init__(self, fails=-1):
        if self.replica == fails:
            raise RuntimeError("no weights")

    @requests
    def work(self):
        return {"word": ["WORD"], "pid": [os.getpid()]}

    @requests(on="/hang")
    def hang(self):
        print("hangs")
        time.sleep(600)
"""
FIRST, SECOND = PodKey("top", "a/rep-0"), PodKey("top", "a/rep-1")


class Code:
    """An executor's file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "mine.py"
        self.write("one")

    def write(self, word: str) -> None:
        self.file.write_text(CODE.replace("WORD", word))

    def threads(self, **more: Any) -> DeploymentSpec:
        return fine(**{"uses": f"{self.file}:Mine", "runtime": Runtime.THREAD, "replicas": 2, **more})


@pytest.fixture
def code(tmp_path: Path) -> Code:
    return Code(tmp_path)


def pids(fleet: Fleet, deployment: str = "a") -> set[int | None]:
    return {pod.pid for pod in fleet.pods if pod.deployment == deployment}


async def words(world: World) -> list[str]:
    return [(await world.ask(pod))["word"][0] for pod in (await world.now()).pods if pod.deployment == "a"]


async def test_behind_a_gateway_all_answer_and_one_stops_alone(world: World, code: Code, home: Home) -> None:
    await world.up(code.threads(replicas=3), gateway=GatewaySpec())
    fleet = await world.ready()
    (pid,) = pids(fleet)
    assert len(ours(home)) == 3  # keeper, gateway and one process of three
    await world.control.act(Verb.STOP, [FIRST])
    await world.phase(Phase.STOPPED, "a/rep-0")
    gateway = await world.pod("gateway")
    assert gateway.address is not None
    async with InferenceClient(gateway.address) as client:
        answers = [to_json(await client.infer("/a", from_json({"x": [1]}), timeout=10)) for _ in range(10)]
    assert answers == [{"word": ["one"], "pid": [pid]}] * 10
    await world.control.act(Verb.START, [FIRST])
    assert pids(await world.ready()) == {pid}
    await world.control.down(["top"])
    assert len(ours(home)) == 1


async def test_kill_9_of_the_process_restarts_all_in_another_on_their_ports(world: World, code: Code) -> None:
    await world.up(code.threads())
    before = await world.ready()
    (pid,) = pids(before)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    after = await world.ready(run=2)
    (other,) = pids(after)
    assert other != pid
    assert [pod.port for pod in after.pods] == [pod.port for pod in before.pods]
    assert [pod.restarts for pod in after.pods] == [1, 1]
    assert [pod.exit_code for pod in after.pods] == [-9, -9]


async def test_restarted_together_they_serve_edited_code(world: World, code: Code) -> None:
    await world.up(code.threads())
    await world.ready()
    code.write("three")
    await world.control.act(Verb.RESTART, [FIRST])
    await world.ready("a/rep-0", run=2)
    assert await words(world) == ["one", "one"]
    await world.control.act(Verb.RESTART, [FIRST, SECOND])
    await world.until(lambda fleet: all(pod.ready for pod in fleet.pods) and fleet.pods[1].run == 2)
    await world.ready("a/rep-0", run=3)
    assert await words(world) == ["three", "three"]


async def test_code_that_changes_is_reloaded_by_all_of_them(world: World, code: Code) -> None:
    await world.up(code.threads(reload=True))
    await world.ready()
    code.write("two and more")
    await world.ready(run=2)
    assert await words(world) == ["two and more"] * 2


async def test_replicas_come_and_go_in_the_same_process(world: World, code: Code) -> None:
    await world.up(code.threads())
    before = await world.ready()
    await world.control.scale("top", {"a": 4})
    grown = await world.until(lambda fleet: len(fleet.pods) == 4 and all(pod.ready for pod in fleet.pods))
    assert pids(grown) == pids(before)
    await world.control.scale("top", {"a": 1})
    await world.until(lambda fleet: len(fleet.pods) == 1)
    assert await words(world) == ["one"]


async def test_one_that_can_not_start_closes_its_deployment(world: World, code: Code, home: Home) -> None:
    await world.up(code.threads(uses_with={"fails": 1}), fine("b"))
    fleet = await world.until(
        lambda fleet: [pod.phase for pod in fleet.pods] == [Phase.STOPPED, Phase.FAILED, Phase.READY]
    )
    assert fleet.pods[0].reason == "closed: a/rep-1 did not start"
    assert "RuntimeError: no weights" in fleet.pods[1].reason
    eventually(lambda: len(ours(home)) == 2, "the end of the process of threads")


async def test_one_that_hangs_beyond_its_grace_is_ended_with_the_process_and_the_others_come_back(
    world: World, code: Code
) -> None:
    await world.up(code.threads(grace=0.3))
    pod = (await world.ready()).by_key[SECOND]
    assert pod.address is not None
    async with InferenceClient(pod.address) as client:
        asked = asyncio.create_task(client.infer("/hang", from_json({}), timeout=5))
        log = Path((await world.control.details(SECOND)).log_path)
        await asyncio.to_thread(eventually, lambda: "hangs" in log.read_text(), "the request")
        await world.control.act(Verb.STOP, [SECOND])
        await world.phase(Phase.STOPPED, "a/rep-1")
        await world.ready("a/rep-0", run=2)
        await asyncio.gather(asked, return_exceptions=True)
    told = [event.text for event in await world.events() if event.pod == "a/rep-0"]
    assert any("its process was ended: a/rep-1, a thread of it, did not stop" in text for text in told)
    assert (await world.pod("a/rep-1")).phase is Phase.STOPPED


async def test_what_can_not_be_done_to_a_thread_is_refused_with_its_reason(world: World, code: Code) -> None:
    await world.up(code.threads())
    await world.ready()
    with pytest.raises(
        UsageError, match="can't kill top/a/rep-0: threads of one process can't be killed alone"
    ):
        await world.control.act(Verb.KILL, [FIRST], signal.SIGKILL)
    details = await world.control.details(FIRST)
    assert dict(details.cannot)["kill"] == "threads of one process can't be killed alone"
    assert (await world.now()).ready == 2
