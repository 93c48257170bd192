"""`Session`: one topology on one engine, from up to down, through `Control`; all of it on one loop."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from ..control import Caller, Control, UpOutcome
from ..errors import Conflict, EngineUnreachable, RequestError
from ..model import Fleet, Phase, PodStatus, Runtime
from ..spec import document
from ..spec.topology import Topology
from ..verdict import wait_ready
from ..wire.client import InferenceClient
from ..wire.datatypes import TensorError
from ..wire.tensors import Parameter, outputs_of
from ..wire.way import Way


class Place(Protocol):
    """Where a topology may run: an engine in this process, or one behind a socket."""

    async def open(self) -> Control: ...

    async def close(self, topology: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Door:
    """Where requests go, and how whoever stands there is spoken to."""

    address: str
    way: Way


class Session:
    """Made on its loop; `pods` alone may be asked for from other threads."""

    def __init__(self, topology: Topology, place: Place) -> None:
        self._topology = topology
        self._place = place
        self._control: Control | None = None
        self._up = False
        self._fleet = Fleet()
        self._clients: dict[Door, InferenceClient] = {}
        self._watcher: asyncio.Task[None] | None = None
        self._begun: asyncio.Task[Control] | None = None

    @property
    def pods(self) -> tuple[PodStatus, ...]:
        """All pods as they were last seen."""
        return self._fleet.of(self._topology.name)

    def begin(self) -> None:
        """Have an engine, and the topology up on it; `ready` tells how that went."""
        self._begun = asyncio.create_task(self._begin())

    async def _begin(self) -> Control:
        self._control = control = await self._place.open()
        result = await control.up(document.dump(self._topology), caller())
        if result.outcome is not UpOutcome.STARTED:
            name = self._topology.name
            raise Conflict(
                f"{name} is up already on this engine",
                f"close it with: qd down {name}, or give this one another name",
            )
        self._up = True
        self._watcher = asyncio.create_task(self._follow(control))
        return control

    async def _follow(self, control: Control) -> None:
        with suppress(EngineUnreachable):
            async for fleet in control.watch():
                self._saw(fleet)
        self._fleet = Fleet(self._fleet.revision)

    def _saw(self, fleet: Fleet) -> None:
        """Several streams show the fleet; none may turn it back."""
        if fleet.revision >= self._fleet.revision:
            self._fleet = fleet

    async def _engine(self) -> Control:
        """The engine, once the topology is up on it; raises what prevented that."""
        assert self._begun is not None
        # Whoever stops waiting doesn't stop the opening: what is half open can't be closed.
        return await asyncio.shield(self._begun)

    async def ready(self) -> None:
        """Wait until all pods are ready. Raises StartError, and ReadyTimeout after `timeout_ready`."""
        control = await self._engine()
        await wait_ready(control, self._topology.name, patience(self._topology))
        async for fleet in control.watch():
            self._saw(fleet)
            break

    async def ended(self) -> None:
        """Wait until every pod that is ours has ended, or the topology was taken down."""
        control = await self._engine()
        fleets: AsyncIterator[Fleet] = control.watch()
        async for fleet in fleets:
            self._saw(fleet)
            if all(over(pod) for pod in fleet.of(self._topology.name)):
                return

    async def post(
        self,
        door: Door,
        endpoint: str,
        tensors: Mapping[str, Any],
        parameters: Mapping[str, Parameter] | None,
        timeout: float | None,
    ) -> dict[str, Any]:
        """Outputs of one request by name. Raises RequestError."""
        client = self._clients.get(door)
        if client is None:
            client = self._clients[door] = InferenceClient(door.address, way=door.way)
        response = await client.infer(endpoint, tensors, parameters, timeout)
        try:
            return outputs_of(response)
        except TensorError as error:
            raise RequestError(f"{door.address}: {error}") from None

    async def close(self) -> None:
        """Close all pods side by side, and leave nothing behind."""
        assert self._begun is not None
        await asyncio.wait([self._begun])
        self._begun.exception()  # whoever waited for it was told
        try:
            for client in self._clients.values():
                await client.close()
            if self._watcher is not None:
                self._watcher.cancel()
        finally:
            await self._place.close(self._topology.name if self._up else None)
            self._fleet = Fleet()


def over(pod: PodStatus) -> bool:
    """Whether nothing of ours runs there any more."""
    return pod.phase in (Phase.STOPPED, Phase.FAILED) or pod.runtime is Runtime.EXTERNAL


def patience(topology: Topology) -> float | None:
    """Seconds that a start may take: deployments wait for those they depend on. None: for ever."""
    specs = {spec.name: spec for spec in topology.deployments}
    limits: dict[str, float | None] = {}

    def limit(name: str) -> float | None:
        if name not in limits:
            spec = specs[name]
            before = [limit(other) for other in spec.depends_on if other in specs]
            known = [seconds for seconds in before if seconds is not None]
            endless = spec.timeout_ready is None or len(known) < len(before)
            limits[name] = None if endless else (spec.timeout_ready or 0.0) + max(known, default=0.0)
        return limits[name]

    found = [limit(name) for name in specs]
    known = [seconds for seconds in found if seconds is not None]
    return max(known) if len(known) == len(found) else None


def caller() -> Caller:
    """This process's world, for pods that are to live in it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return Caller(dict(os.environ), os.getcwd(), umask, sys.executable or "")
