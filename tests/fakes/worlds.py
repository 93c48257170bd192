"""Topologies on a real engine, through `Control` only: bring up, wait for what the fleet says, ask pods."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import executors_for_engines
from tests.fakes.homes import DEADLINE

from quarterdeck.engine.control import Caller, Control, UpResult
from quarterdeck.engine.model import Event, Fleet, Phase, PodKey, PodStatus
from quarterdeck.engine.spec import document
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec, Topology
from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.tensors import from_json, to_json

FILE = executors_for_engines.__file__


def uses(executor: str) -> str:
    """One of the executors that misbehave."""
    return f"{FILE}:{executor}"


def topology(
    *specs: DeploymentSpec, name: str = "top", gateway: GatewaySpec | None = None, source: str = "top.yml"
) -> Topology:
    return Topology(name, specs, gateway, source=source)


def fine(name: str = "a", **more: Any) -> DeploymentSpec:
    """A deployment that gets ready, unless `more` says otherwise."""
    return DeploymentSpec(name, **{"uses": uses("Fine"), "grace": 2.0, **more})


class World:
    """What tests do to an engine."""

    def __init__(self, control: Control, folder: Path) -> None:
        self.control = control
        self.folder = folder
        self.caller = Caller(dict(os.environ), str(folder), 0o022)

    async def up(self, *specs: DeploymentSpec, **more: Any) -> UpResult:
        return await self.control.up(document.dump(topology(*specs, **more)), self.caller)

    async def until(self, holds: Callable[[Fleet], bool], timeout: float = DEADLINE) -> Fleet:
        """The first fleet of which something holds."""
        fleet = Fleet()
        try:
            async with asyncio.timeout(timeout):
                async for fleet in self.control.watch():
                    if holds(fleet):
                        return fleet
        except TimeoutError:
            pass
        story = [f"{event.pod}: {event.text}" for event in await self.events()]
        pytest.fail(f"not within {timeout}s; pods: {states(fleet)}; events: {story}")

    async def phase(self, phase: Phase, *names: str, run: int = 0, topology: str = "top") -> Fleet:
        """Wait until pods (all of the topology where none is named) are in a phase."""

        def there(fleet: Fleet) -> bool:
            pods = [pod for pod in fleet.of(topology) if not names or pod.name in names]
            return bool(pods) and all(pod.phase is phase and pod.run >= run for pod in pods)

        return await self.until(there)

    async def ready(self, *names: str, run: int = 0, topology: str = "top") -> Fleet:
        return await self.phase(Phase.READY, *names, run=run, topology=topology)

    async def now(self) -> Fleet:
        return await self.until(lambda fleet: True)

    async def pod(self, name: str, topology: str = "top") -> PodStatus:
        return (await self.now()).by_key[PodKey(topology, name)]

    async def events(self) -> list[Event]:
        return [event async for event in self.control.events(0, follow=False)]

    async def log(self, name: str, run: int = 0, topology: str = "top") -> str:
        return (await self.control.read_log(PodKey(topology, name), run)).data.decode()

    async def ask(self, pod: PodStatus) -> dict[str, Any]:
        """The answer of a pod that runs `Fine`."""
        assert pod.address is not None
        async with InferenceClient(pod.address) as client:
            return to_json(await client.infer("/", from_json({"x": [1]}), timeout=DEADLINE))


def states(fleet: Fleet) -> list[str]:
    return [f"{pod.key} {pod.phase.value} {pod.reason}".strip() for pod in fleet.pods]
