"""Programs and limits on a whole engine: what the fleet, the events and Details say of them."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import program
from tests.fakes.homes import eventually
from tests.fakes.worlds import World, uses

from quarterdeck import __version__
from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import UsageError
from quarterdeck.engine.home import Home
from quarterdeck.engine.keeper.cgroups import find_places
from quarterdeck.engine.model import Phase, PodKey, Runtime
from quarterdeck.engine.runtimes.runtime import Caps
from quarterdeck.engine.spec.topology import DeploymentSpec, Limits, Probe, ProbeKind
from quarterdeck.engine.supervise.supervisor import Supervisor

POD = PodKey("top", "a/rep-0")


@pytest.fixture
async def world(home: Home, tmp_path: Path) -> AsyncIterator[World]:
    supervisor = Supervisor(home, __version__)
    await supervisor.open()
    try:
        yield World(supervisor, tmp_path)
    finally:
        await supervisor.close()


def command(*words: str, **more: Any) -> DeploymentSpec:
    given = {"protocol": "http", "probe": Probe(ProbeKind.TCP), "grace": 1.0, **more}
    return DeploymentSpec("a", command=words, **given)


def serving(what: str = "serve", *words: str, **more: Any) -> DeploymentSpec:
    return command(sys.executable, "-S", program.__file__, what, "{port}", *words, **more)


def hello(port: int | None) -> bytes:
    with socket.create_connection(("127.0.0.1", port or 0), timeout=5) as connection:
        return connection.recv(9)


async def test_a_program_gets_ready_and_comes_back_on_its_port(world: World) -> None:
    await world.up(serving())
    first = (await world.ready()).by_key[POD]
    assert hello(first.port) == b"hello"
    os.kill(first.pid or 0, signal.SIGKILL)
    second = (await world.ready(run=2)).by_key[POD]
    assert second.port == first.port
    assert second.pid != first.pid
    assert hello(second.port) == b"hello"
    await world.control.act(Verb.RESTART, [POD])
    third = (await world.ready(run=3)).by_key[POD]
    assert (third.port, hello(third.port)) == (first.port, b"hello")


async def test_places_are_filled_in_words_and_variables(world: World, tmp_path: Path) -> None:
    env = {"WHERE": "{host}:{port}", "WHICH": "s{shard}r{replica}g{gpu}", "JSON": '{"a": {"port": {port}}}'}
    await world.up(serving("world", "WHERE", "WHICH", "JSON", env=env, workspace=str(tmp_path)))
    port = (await world.ready()).by_key[POD].port
    said = await world.log("a/rep-0")
    assert f'WHERE=127.0.0.1:{port} WHICH=s0r0g JSON={{"a": {{"port": {port}}}}}\n' in said


async def test_each_replica_of_each_shard_has_a_port_of_its_own(world: World) -> None:
    spec = serving(replicas=3)
    await world.up(spec)
    fleet = await world.ready("a/rep-0", "a/rep-1", "a/rep-2")
    assert len({pod.port for pod in fleet.of("top") if pod.name != "gateway"}) == 3


async def test_a_stranger_on_its_port_makes_it_take_another(world: World) -> None:
    await world.up(serving())
    first = (await world.ready()).by_key[POD]
    await world.control.act(Verb.STOP, [POD])
    await world.phase(Phase.STOPPED)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", first.port or 0))
        stranger.listen()
        await world.control.act(Verb.START, [POD])
        second = (await world.ready(run=2)).by_key[POD]
    assert second.port not in (None, first.port)
    assert f"port {first.port} was taken meanwhile; it listens on {second.port} now" in {
        event.text for event in await world.events()
    }


async def test_a_port_lost_after_the_start_is_replaced_too(world: World, tmp_path: Path) -> None:
    """The program loads until a file is there; a stranger takes its port meanwhile."""
    go = tmp_path / "go"
    wait = f'while [ ! -e {go} ]; do sleep 0.005; done; exec "$0" "$@"'
    await world.up(command("sh", "-c", wait, sys.executable, "-S", program.__file__, "serve", "{port}"))
    starting = (await world.until(lambda fleet: POD in fleet.by_key and bool(fleet.by_key[POD].port))).by_key[
        POD
    ]
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", starting.port or 0))
        go.touch()
        stranger.listen()
        ready = (await world.ready(run=2)).by_key[POD]
    assert ready.port not in (None, starting.port)
    assert hello(ready.port) == b"hello"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("no-such-program", "a/rep-0: no program no-such-program in PATH ("),
        ("/nowhere/it", "a/rep-0: /nowhere/it: no such file or directory; name a program that is there"),
        ("./", "a/rep-0: ./ is a folder; name a program in it"),
    ],
)
async def test_a_program_that_can_not_be_run_fails_with_one_line(world: World, word: str, said: str) -> None:
    await world.up(command(word))
    pod = (await world.phase(Phase.FAILED)).by_key[POD]
    assert said in pod.reason
    assert "\n" not in pod.reason


async def test_a_program_that_gives_up_says_why_by_its_last_line(world: World) -> None:
    await world.up(serving("exit", "3"))
    pod = (await world.phase(Phase.FAILED)).by_key[POD]
    assert pod.reason.startswith("exit 3 after ")
    assert pod.reason.endswith(": last words")


async def test_programs_come_back_after_their_keeper_was_killed(world: World) -> None:
    await world.up(serving())
    first = (await world.ready()).by_key[POD]
    os.kill((await world.control.info()).keeper_pid or 0, signal.SIGKILL)
    second = (await world.ready(run=2)).by_key[POD]
    assert second.port == first.port
    eventually(lambda: hello(second.port) == b"hello", "an answer")


@pytest.mark.skipif("memory" not in find_places(), reason="no control group with memory here")
@pytest.mark.parametrize("eat", ["command", "process"])
async def test_a_kill_for_want_of_memory_is_the_reason(world: World, eat: str) -> None:
    limits = Limits(memory=64 << 20)
    spec = (
        serving("eat", limits=limits)
        if eat == "command"
        else DeploymentSpec("a", uses("Eats"), limits=limits)
    )
    await world.up(spec)
    pod = (await world.phase(Phase.FAILED)).by_key[POD]
    assert pod.reason.startswith("killed by SIGKILL after ")
    assert pod.reason.endswith(": killed by the kernel: out of memory (limit 64 MiB)")
    (run,) = await world.control.log_runs(POD)
    assert "out of memory (limit 64 MiB)" in run.ending


async def test_details_say_the_limits(world: World) -> None:
    await world.up(serving(limits=Limits(memory=1 << 30, cpus=1.5, files=500, processes=64)))
    await world.ready()
    details = await world.control.details(POD)
    assert details.limits.endswith("memory 1024 MiB, cpus 1.5, files 500, processes 64")
    assert "forked" not in details.command


async def test_what_a_runtime_can_not_do_is_told_before_it_is_tried(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine without control groups, and for a runtime whose pods can't be killed."""
    caps = Caps({"cpus": "no group here", "kill": "nobody here runs it"})
    supervisor = world.control
    assert isinstance(supervisor, Supervisor)
    monkeypatch.setattr(supervisor._hands._runtimes[Runtime.COMMAND], "caps", caps)
    await world.up(serving(limits=Limits(cpus=1)))
    await world.ready()
    assert "limits.cpus is not held: no group here" in {event.text for event in await world.events()}
    with pytest.raises(UsageError, match="can't kill top/a/rep-0: nobody here runs it"):
        await supervisor.act(Verb.KILL, [POD])
    assert (await supervisor.details(POD)).cannot == tuple(sorted(caps.cannot.items()))
    assert (await world.pod("a/rep-0")).phase is Phase.READY
