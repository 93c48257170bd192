"""One suite for both sides of the corridor: the supervisor in this process, and a client of it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from dataclasses import replace

import pytest
from tests.fakes.worlds import World, fine, topology, uses

from quarterdeck import __version__
from quarterdeck.engine.control import Control, UpOutcome, Verb
from quarterdeck.engine.errors import PortTaken, SpecError, TargetError, UsageError
from quarterdeck.engine.model import Fleet, Level, LogChunk, Phase, PodKey
from quarterdeck.engine.spec import document
from quarterdeck.engine.spec.topology import GatewaySpec

KEY = PodKey("top", "a/rep-0")


async def test_who_answers(control: Control) -> None:
    info = await control.info()
    assert (info.version, info.pid, info.stays) == (__version__, os.getpid(), False)
    assert os.path.exists(f"/proc/{info.keeper_pid}")


async def test_up_unchanged_changed_down(world: World) -> None:
    assert (await world.up(fine())).outcome is UpOutcome.STARTED
    await world.ready()
    assert (await world.up(fine())).outcome is UpOutcome.UNCHANGED
    assert (await world.up(fine(replicas=2))).outcome is UpOutcome.CHANGED
    await world.control.down(["top"], grace=1.0)
    assert (await world.now()).pods == ()


async def test_the_owner_is_kept(world: World) -> None:
    await world.control.up(document.dump(topology(fine())), world.caller, "console of pid 5")
    assert (await world.ready()).topologies[0].owner == "console of pid 5"


async def test_what_is_wrong_arrives_as_it_was_raised(world: World) -> None:
    with pytest.raises(SpecError) as spec:
        await world.control.up("not a document", world.caller)
    assert len(spec.value.mistakes) == 1
    with pytest.raises(TargetError, match="no topology nope is up"):
        await world.control.down(["nope"])
    with pytest.raises(TargetError, match="no pod top/a/rep-0 is there") as target:
        await world.control.act(Verb.STOP, [KEY])
    assert (target.value.hint, target.value.exit_code) == ("see: qd ps", 2)
    with pytest.raises(TargetError):
        await world.control.details(KEY)
    with pytest.raises(TargetError):
        await world.control.read_log(KEY)
    with pytest.raises(UsageError):
        await world.control.act(Verb.KILL, [], 999)
    await world.up(fine())
    port = (await world.ready()).pods[0].port
    with pytest.raises(PortTaken, match=f"port {port} is taken by pid"):
        await world.up(fine(port=port), name="other")


async def test_a_great_many_mistakes_arrive(world: World) -> None:
    specs = [fine(f"a{number}", shards=0) for number in range(300)]
    with pytest.raises(SpecError) as caught:
        await world.control.up(document.dump(topology(*specs)), world.caller)
    assert len(caught.value.mistakes) >= 10
    assert "shards" in caught.value.message


async def test_acting(world: World) -> None:
    await world.up(fine(replicas=2))
    await world.ready()
    await world.control.act(Verb.STOP, [KEY])
    await world.phase(Phase.STOPPED, "a/rep-0")
    await world.control.act(Verb.START, [KEY])
    await world.ready("a/rep-0", run=2)
    await world.control.act(Verb.RESTART, [KEY, PodKey("top", "a/rep-1")])
    await world.until(lambda fleet: [pod.run for pod in fleet.pods] == [3, 2] and fleet.ready == 2)
    await world.control.act(Verb.KILL, [KEY], signal.SIGKILL)
    pod = (await world.until(lambda fleet: fleet.pods[0].run == 4 and fleet.ready == 2)).pods[0]
    assert (pod.exit_code, pod.restarts) == (-9, 2)  # a start after a stop is no restart


async def test_watching(world: World) -> None:
    stream = world.control.watch()
    assert await anext(stream) == Fleet()
    await world.up(fine(), gateway=GatewaySpec())
    fleet = Fleet()
    while fleet.ready < 2:
        newer = await asyncio.wait_for(anext(stream), 20)
        assert newer.revision > fleet.revision
        fleet = newer
    assert replace(fleet, revision=0) == replace(await world.now(), revision=0)
    assert (fleet.topologies[0].name, fleet.topologies[0].source, fleet.topologies[0].gateway) == (
        "top",
        "top.yml",
        True,
    )
    assert [deployment.port for deployment in fleet.deployments] == [fleet.pods[1].port]


async def test_the_story(world: World) -> None:
    await world.up(fine())
    await world.ready()
    story = await world.events()
    assert [event.seq for event in story] == list(range(1, len(story) + 1))
    assert (story[0].pod, story[0].text) == ("", "up from top.yml: 1 pods")
    assert (story[-1].pod, story[-1].level, story[-1].phase) == ("a/rep-0", Level.INFO, Phase.READY)
    assert re.fullmatch(r"ready after \d+m?s", story[-1].text)
    follower = world.control.events(after=len(story))
    await world.control.down(["top"])
    texts = [(await asyncio.wait_for(anext(follower), 10)).text for _ in range(3)]
    assert texts[0] == "going down"
    assert texts[1].startswith("stopped (exit 0 after ")
    assert texts[2] == "down"


async def test_logs(world: World) -> None:
    await world.up(fine(uses_with={"word": "Grüße"}))
    await world.ready()
    text = "Grüße from a/rep-0\n".encode()
    read = world.control.read_log
    assert await read(KEY) == LogChunk(1, 0, text, len(text), False)
    assert (await read(KEY, 1, 3, 4)).data == text[3:7]
    assert await read(KEY, 0, -5) == LogChunk(1, len(text) - 5, text[-5:], len(text), False)
    assert await read(KEY, 0, 10_000) == LogChunk(1, 10_000, b"", len(text), False)
    await world.control.act(Verb.RESTART, [KEY])
    await world.ready(run=2)
    assert [(chunk.run, chunk.ended) for chunk in (await read(KEY), await read(KEY, 1))] == [
        (2, False),
        (1, True),
    ]
    runs = await world.control.log_runs(KEY)
    assert [(run.run, run.size, run.ending.partition(" after ")[0]) for run in runs] == [
        (1, len(text), "exit 0"),
        (2, len(text), ""),
    ]
    assert all(os.path.getsize(run.path) == run.size for run in runs)
    with pytest.raises(TargetError, match="no log of run 9; runs with a log: 1, 2"):
        await read(KEY, 9)


async def test_logs_outlive_their_pods(world: World) -> None:
    await world.up(fine())
    await world.ready()
    await world.control.down(["top"])
    assert (await world.control.read_log(KEY)).data == b"hello from a/rep-0\n"


async def test_details_say_everything_but_secrets(world: World) -> None:
    world.caller.env["CALLER_API_KEY"] = "c4ller-s3cret"
    await world.up(
        fine(env={"HUE": "red", "DB_PASSWORD": "hunter22", "URL": "http://me:hunter22@db/x"}, grace=2.0),
    )
    await world.ready()
    details = await world.control.details(KEY)
    env = dict(details.env)
    assert (env["HUE"], env["DB_PASSWORD"], env["CALLER_API_KEY"]) == ("red", "***", "***")
    assert env["URL"] == "http://***@db/x"
    assert "hunter22" not in str(details)
    assert "c4ller-s3cret" not in str(details)
    assert not any(name.startswith("QUARTERDECK_") for name in env)
    assert [name for name, _ in details.env][:3] == ["DB_PASSWORD", "HUE", "URL"]
    assert details.log_end == ("hello from a/rep-0",)
    assert details.history[-1].text.startswith("ready after")
    assert (details.restart, details.limits) == ("on-failure, 0.5s to 30s", "ready within 10m, grace 2s")
    assert os.path.exists(details.log_path)
    assert os.path.isdir(details.workspace)
    assert details.blocked_by == ""


async def test_details_of_one_that_failed(world: World) -> None:
    await world.up(fine(uses=uses("Fails")))
    pod = (await world.phase(Phase.FAILED)).pods[0]
    details = await world.control.details(KEY)
    assert details.last_error == details.blocked_by == pod.reason
    assert "RuntimeError: no weights at /weights.bin" in details.log_end


async def test_samples(world: World) -> None:
    await world.up(fine())
    await world.ready()
    stream = world.control.samples()
    async with asyncio.timeout(20):
        first, later = await anext(stream), await anext(stream)
        assert later.time > first.time
        # A round that comes right after the first one has no time in which CPU could be measured.
        while later.pods[KEY].cpu_percent is None:
            later = await anext(stream)
    assert (first.pods[KEY].memory_bytes or 0) > 1 << 20
    assert (later.host.memory_used or 0) < (later.host.memory_total or 0)


async def test_shutdown_ends_all_pods(world: World) -> None:
    await world.up(fine())
    pod = (await world.ready()).pods[0]
    await world.control.shutdown()
    assert not os.path.exists(f"/proc/{pod.pid}")
