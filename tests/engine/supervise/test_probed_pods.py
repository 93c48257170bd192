"""Probes of pods that run: what they answer decides over readiness and life, and is what people read."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.homes import ours
from tests.fakes.worlds import World, fine, uses

from quarterdeck.engine.control import Verb
from quarterdeck.engine.home import Home
from quarterdeck.engine.model import Fleet, Phase, PodKey
from quarterdeck.engine.spec.topology import DeploymentSpec, Probe, ProbeKind, Restart

KEY = PodKey("top", "a/rep-0")


class Patient:
    """A deployment whose only pod answers GET with what the test says."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "status"
        self.held = socket.socket()
        """Bound, so that nobody else is given the port; not listening, so that the pod can have it."""
        self.held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.held.bind(("127.0.0.1", 0))
        self.port: int = self.held.getsockname()[1]

    def answers(self, status: int) -> None:
        beside = self.file.with_name("next")
        beside.write_text(str(status))
        os.replace(beside, self.file)

    def asked(self, path: str, **more: float) -> Probe:
        return Probe(ProbeKind.HTTP, path, port=self.port, **{"every": 0.02, **more})  # type: ignore[arg-type]

    def spec(self, **more: Any) -> DeploymentSpec:
        return fine(uses=uses("Patient"), uses_with={"port": self.port, "file": str(self.file)}, **more)


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    patient = Patient(tmp_path)
    yield patient
    patient.held.close()


def reason(fleet: Fleet, name: str) -> str:
    return next((pod.reason for pod in fleet.pods if pod.name == name), "")


def program(*command: str, **more: float) -> Probe:
    return Probe(ProbeKind.EXEC, command=command, **{"every": 0.05, **more})  # type: ignore[arg-type]


def says(reason: str, phase: Phase) -> Callable[[Fleet], bool]:
    def holds(fleet: Fleet) -> bool:
        return bool(fleet.pods) and (fleet.pods[0].reason, fleet.pods[0].phase) == (reason, phase)

    return holds


async def test_it_is_ready_when_its_probe_says_so_and_says_why_it_is_not(
    world: World, patient: Patient
) -> None:
    await world.up(patient.spec(probe=patient.asked("/health")))
    await world.until(says("GET /health answered 404", Phase.STARTING))
    patient.answers(503)
    await world.until(says("GET /health answered 503", Phase.STARTING))
    patient.answers(200)
    await world.ready()
    patient.answers(500)
    await world.until(says("GET /health answered 500", Phase.UNREADY))
    patient.answers(302)
    assert (await world.ready()).pods[0].run == 1


async def test_never_right_is_a_failure_that_says_what_it_answered(world: World, patient: Patient) -> None:
    patient.answers(503)
    await world.up(patient.spec(probe=patient.asked("/health"), timeout_ready=3.0))
    pod = (await world.phase(Phase.FAILED)).pods[0]
    assert "not ready within 3s (GET /health answered 503)" in pod.reason
    details = await world.control.details(KEY)
    assert details.probe == f"GET /health on port {patient.port}, every 20ms"


async def test_what_does_not_live_is_ended_and_started_again(world: World, patient: Patient) -> None:
    patient.answers(200)
    await world.up(patient.spec(liveness=patient.asked("/live", failures=2), restart=Restart.ALWAYS))
    before = (await world.ready()).pods[0]
    patient.answers(500)
    pod = (await world.phase(Phase.BACKOFF)).pods[0]
    assert pod.reason == "liveness: GET /live answered 500"
    patient.answers(200)
    after = (await world.ready(run=2)).pods[0]
    assert (after.port, after.restarts) == (before.port, 1)
    assert after.pid != before.pid
    assert (await world.control.details(KEY)).probe == (
        f"grpc health, every 15s; liveness GET /live on port {patient.port}, every 20ms, 2 wrong in a row"
    )


async def test_without_restarts_it_stays_down(world: World, patient: Patient) -> None:
    patient.answers(500)
    await world.up(patient.spec(liveness=patient.asked("/live"), restart=Restart.NO))
    pod = (await world.phase(Phase.FAILED)).pods[0]
    assert pod.reason == "liveness: GET /live answered 500"


async def test_a_line_of_this_runs_log_makes_it_ready(world: World, tmp_path: Path) -> None:
    await world.up(fine(probe=Probe(ProbeKind.LOG, pattern="^hello from a/rep-[0-9]$", every=0.02)))
    await world.ready()
    await world.control.act(Verb.RESTART, [KEY])
    await world.ready(run=2)


async def test_a_line_that_never_comes(world: World) -> None:
    await world.up(fine(probe=Probe(ProbeKind.LOG, pattern="^nobody says this$"), timeout_ready=2.0))
    pod = (await world.phase(Phase.FAILED)).pods[0]
    assert "(no line of its log matches '^nobody says this$' yet)" in pod.reason


async def test_tcp(world: World, patient: Patient) -> None:
    await world.up(
        patient.spec(probe=Probe(ProbeKind.TCP, port=patient.port)), fine("b", probe=Probe(ProbeKind.TCP))
    )
    await world.ready()


async def test_a_service_that_it_does_not_know(world: World) -> None:
    await world.up(
        fine(probe=Probe(path="inference.GRPCInferenceService")), fine("b", probe=Probe(path="no.Such"))
    )
    await world.ready("a/rep-0")
    await world.until(lambda fleet: "no service no.Such" in reason(fleet, "b/rep-0"))


async def test_heads_are_asked_as_ever(world: World, patient: Patient) -> None:
    patient.answers(200)
    await world.up(patient.spec(shards=2, probe=patient.asked("/health")))
    await world.ready("a/head")


# -- pods that are somebody else's program


def server(name: str, **more: Any) -> DeploymentSpec:
    command = (sys.executable, "-u", "-m", "http.server", "{port}", "--bind", "{host}")
    return DeploymentSpec(name, command=command, protocol="http", grace=2.0, **more)


async def test_commands_are_ready_as_their_probes_say(world: World, tmp_path: Path) -> None:
    """By default when the port takes a connection; the others ask for more."""
    await world.up(
        server("a"),
        server("b", probe=Probe(ProbeKind.HTTP, "/there", every=0.1)),
        server("c", probe=Probe(ProbeKind.LOG, pattern=r"^Serving HTTP on 127\.0\.0\.1 port \d+ ")),
        server("d", probe=program("test", "-e", "{workspace}/done")),
    )
    await world.ready("a/rep-0", "c/rep-0")
    await world.until(lambda fleet: reason(fleet, "b/rep-0") == "GET /there answered 404")
    await world.until(lambda fleet: reason(fleet, "d/rep-0") == "test: exit 1")
    (tmp_path / "there").touch()
    workspace = Path((await world.control.details(PodKey("top", "d/rep-0"))).workspace)
    (workspace / "done").touch()
    await world.ready()


async def test_a_command_that_does_not_live_is_ended_and_started_again(world: World, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    alive.touch()
    await world.up(server("a", liveness=Probe(ProbeKind.HTTP, "/alive", every=0.05, failures=2)))
    before = (await world.ready()).pods[0]
    alive.unlink()
    await world.until(lambda fleet: reason(fleet, "a/rep-0") == "liveness: GET /alive answered 404")
    alive.touch()
    after = (await world.ready(run=2)).pods[0]
    assert (after.port, after.restarts) == (before.port, 1)


# -- programs


async def test_a_program_runs_in_the_pods_world(world: World, tmp_path: Path) -> None:
    await world.up(
        fine(
            probe=program("sh", "-c", "echo $HUE $PWD $(umask) $0; false", "{port}/{replica}"),
            env={"HUE": "blue"},
        )
    )
    fleet = await world.until(lambda fleet: "exit 1" in reason(fleet, "a/rep-0"))
    assert reason(fleet, "a/rep-0") == f"sh: exit 1: blue {tmp_path} 0022 {fleet.pods[0].port}/0"


async def test_a_program_that_is_content_makes_it_ready(world: World, tmp_path: Path) -> None:
    there = tmp_path / "there"
    await world.up(fine(probe=program("test", "-e", str(there))))
    await world.until(says("test: exit 1", Phase.STARTING))
    there.touch()
    await world.ready()
    there.unlink()
    await world.until(says("test: exit 1", Phase.UNREADY))


async def test_a_program_says_how_it_ended_and_its_last_line(world: World) -> None:
    await world.up(fine(probe=program("sh", "-c", "echo first; echo no weights; exit 7")))
    await world.until(says("sh: exit 7: no weights", Phase.STARTING))


async def test_a_program_that_is_not_there(world: World) -> None:
    await world.up(fine(probe=program("no-such-program")))
    fleet = await world.until(lambda fleet: "no-such-program" in reason(fleet, "a/rep-0"))
    assert reason(fleet, "a/rep-0").startswith(
        "no-such-program: could not be run: no program no-such-program in PATH"
    )


async def test_what_a_program_started_is_gone_with_it(world: World, home: Home, tmp_path: Path) -> None:
    """Also what left its session, and when it did not end in time."""
    leaves = "(setsid sleep 600 &) ; sleep 600 & "
    await world.up(
        fine(probe=program("sh", "-c", leaves + "exit 1")),
        fine("b", probe=program("sh", "-c", leaves + "echo stuck; sleep 600", timeout=0.2)),
        fine("c"),
    )
    await world.until(lambda fleet: "exit 1" in reason(fleet, "a/rep-0"))
    await world.until(lambda fleet: reason(fleet, "b/rep-0") == "sh: not done within 0.2s: stuck")
    begin = time.monotonic()
    await world.control.act(Verb.STOP, [KEY, PodKey("top", "b/rep-0")])
    await world.phase(Phase.STOPPED, "a/rep-0", "b/rep-0")
    while len(ours(home)) > 2:  # the keeper, and c
        assert time.monotonic() - begin < 5 * 5, ours(home)
        await asyncio.sleep(0.01)
    await world.ready("c/rep-0")
