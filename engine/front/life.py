"""`Life`: start, wait, join, close and requests of whatever runs as one topology, for threads and for loops."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from ..errors import UsageError
from ..local import LocalEngine
from ..model import PodStatus
from ..observe.gpus import find_gpus
from ..plan.gpus import counted
from ..plan.planner import plan
from ..plan.pods import Plan
from ..plan.routing import way_to
from ..spec.topology import Topology
from ..wire.tensors import Parameter
from .facts import Watched
from .remote import RemoteEngine
from .run import Run
from .session import Door

Engine = bool | str | os.PathLike[str] | None
"""None or False: an engine in this process. True or "": the user's own engine. Else the path of one's socket."""


class Life(Watched):
    """What can be started and closed. Each method has a twin for running loops, whose name ends in `_async`.

    As a context manager, `async with` too: enter starts, exit closes and waits until every pod has ended.
    """

    def __init__(self, topology: Topology, engine: Engine, noblock_on_start: bool) -> None:
        self._topology = topology
        self._where = engine
        self._noblock = noblock_on_start
        self._run: Run | None = None

    @property
    def pods(self) -> tuple[PodStatus, ...]:
        """All pods as they are now; none before `start` and after `close`."""
        return () if self._run is None else self._run.pods

    def start(self) -> Self:
        """Start all pods and wait until they are ready; with `noblock_on_start` it returns at once.

        Raises SpecError for what can't be planned, PortTaken, StartError with the pod, why and the end of its
        log, ReadyTimeout after `timeout_ready`, Conflict where the engine has a topology of this name. All is
        closed by then.
        """
        run = self._begin()
        if not self._noblock:
            self._wait_ready(run)
        return self

    async def start_async(self) -> Self:
        """See `start`."""
        run = self._begin()
        if not self._noblock:
            await self._wait_ready_async(run)
        return self

    def wait_start_success(self) -> None:
        """Wait until all pods are ready, or close everything and raise as `start` does.

        Raises ValueError without `noblock_on_start`, since `start` has waited then.
        """
        self._wait_ready(self._started())

    async def wait_start_success_async(self) -> None:
        """See `wait_start_success`."""
        await self._wait_ready_async(self._started())

    def join(self) -> None:
        """Wait until every pod has ended, by itself or by somebody else's doing; returns at once if none runs."""
        if self._run is not None:
            self._run.wait(self._run.ended())

    async def join_async(self) -> None:
        """See `join`."""
        if self._run is not None:
            await self._run.wait_async(self._run.ended())

    def close(self) -> None:
        """Close all pods, side by side, and leave nothing behind. Safe to call twice."""
        run = self._run
        if run is not None:
            try:
                run.close()
            finally:
                self._forget(run)

    async def close_async(self) -> None:
        """See `close`."""
        run = self._run
        if run is not None:
            try:
                await run.close_async()
            finally:
                self._forget(run)

    def post(
        self,
        endpoint: str,
        tensors: Mapping[str, Any],
        parameters: Mapping[str, Parameter] | None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Send one request to `address` and return its outputs by name, as executors get tensors.

        `timeout` in seconds, None waits for ever. Raises RequestError, and UsageError without one address.
        """
        run, door = self._reached()
        return run.wait(run.post(door, endpoint, tensors, parameters, timeout))

    async def post_async(
        self,
        endpoint: str,
        tensors: Mapping[str, Any],
        parameters: Mapping[str, Parameter] | None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """See `post`."""
        run, door = self._reached()
        return await run.wait_async(run.post(door, endpoint, tensors, parameters, timeout))

    def __repr__(self) -> str:
        pods = self.pods
        state = f"{sum(pod.ready for pod in pods)} of {len(pods)} pods ready" if pods else "not started"
        return f"<{type(self).__name__} {self._topology.name}: {state}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except Exception:
            if error is None:
                raise

    async def __aenter__(self) -> Self:
        return await self.start_async()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.close_async()
        except Exception:
            if error is None:
                raise

    @cached_property
    def _whole(self) -> Plan:
        """What is to run, with this host's devices. Raises SpecError where that can't be."""
        return plan(self._topology, counted(self._topology, lambda: find_gpus(os.environ)))

    # -- one run

    def _begin(self) -> Run:
        if self._run is not None:
            raise UsageError(f"{self._topology.name} is started already", "close it first")
        if self._where is None or self._where is False:
            self._run = Run(self._topology, LocalEngine())
        else:
            socket = None if self._where is True else os.fspath(self._where)
            self._run = Run(self._topology, RemoteEngine(socket or None))
        return self._run

    def _started(self) -> Run:
        if not self._noblock:
            raise ValueError(
                "wait_start_success() is for noblock_on_start=True: without it start() has waited"
            )
        if self._run is None:
            raise UsageError(f"{self._topology.name} is not started", "call start() first")
        return self._run

    def _wait_ready(self, run: Run) -> None:
        try:
            run.wait(run.ready())
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise

    async def _wait_ready_async(self, run: Run) -> None:
        try:
            await run.wait_async(run.ready())
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise

    def _forget(self, run: Run) -> None:
        if run.over and self._run is run:
            self._run = None

    def _reached(self) -> tuple[Run, Door]:
        if self._run is None:
            raise UsageError(f"{self._topology.name} is not started", "call start() first")
        address = self.address
        if address is None:
            raise UsageError(
                f"{self._topology.name} has no one address",
                "put it into a Topology with a gateway" if self.is_ready else "wait until it is ready",
            )
        pod = self._whole.gateway or self._whole.deployments[0].pods[0]
        return self._run, Door(address, way_to(self._whole, pod))
