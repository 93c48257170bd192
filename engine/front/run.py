"""`Run`: one life of a topology, from start to close, for all who may call: threads, loops, a dying interpreter."""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from ..errors import UsageError
from ..model import PodStatus
from ..pods import load
from ..spec.topology import Topology
from ..wire.tensors import Parameter
from .loop import BackgroundLoop
from .session import Door, Place, Session

T = TypeVar("T")


class Run:
    """Begins at once; `close` ends it. What waits may be interrupted, closing goes on until it is done."""

    def __init__(self, topology: Topology, place: Place) -> None:
        _refuse_within_import()
        self._process = os.getpid()
        self._session = Session(topology, place)
        self._loop = BackgroundLoop()
        self._closing: Future[None] | None = None
        self._turn = threading.Lock()
        self.over = False
        atexit.register(self.close)
        self._loop.wait(self._begin())

    async def _begin(self) -> None:
        self._session.begin()

    @property
    def pods(self) -> tuple[PodStatus, ...]:
        return self._session.pods

    def ready(self) -> Coroutine[Any, Any, None]:
        return self._session.ready()

    def ended(self) -> Coroutine[Any, Any, None]:
        return self._session.ended()

    def post(
        self,
        door: Door,
        endpoint: str,
        tensors: Mapping[str, Any],
        parameters: Mapping[str, Parameter] | None,
        timeout: float | None,
    ) -> Coroutine[Any, Any, dict[str, Any]]:
        return self._session.post(door, endpoint, tensors, parameters, timeout)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for one of the above in this thread."""
        return self._loop.wait(work)

    async def wait_async(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for one of the above in a running loop, which goes on meanwhile."""
        return await self._loop.wait_async(work)

    def close(self) -> None:
        """Close all pods and end the loop. Safe to call twice; after an interrupt the next call waits on."""
        # A fork of this process has neither the loop's thread nor the pods.
        if self.over or os.getpid() != self._process:
            return
        with self._turn:
            if self._closing is None:
                self._closing = self._loop.submit(self._session.close())
        try:
            self._closing.result()
        finally:
            if self._closing.done():
                self._end()

    def _end(self) -> None:
        with self._turn:
            if not self.over:
                self._loop.end()
                self.over = True
                atexit.unregister(self.close)

    async def close_async(self) -> None:
        """The same in a running loop; goes on when the wait for it is cancelled."""
        await asyncio.shield(asyncio.to_thread(self.close))


def _refuse_within_import() -> None:
    """Raise UsageError where a pod imports the script that this stands in: each pod would start all of it anew."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") == load.__name__:
            raise UsageError(
                "a pod imports this file for its executor, and the file starts a deployment when it is imported",
                "put what starts it below: if __name__ == '__main__':",
            )
        frame = frame.f_back  # type: ignore[assignment]
