"""Having a keeper: one that died is replaced, again and again until one comes up."""

from __future__ import annotations

import asyncio
import time

from ..errors import QuarterdeckError
from ..model import Level
from ..observe.chronicle import Chronicle
from ..runtimes.process import ProcessRuntime

RETRY = 1.0
"""Seconds between tries when a keeper that died can't be replaced."""


class Keeping:
    """Opens the keeper's runtime, and again when it was lost."""

    def __init__(self, runtime: ProcessRuntime, chronicle: Chronicle) -> None:
        self._runtime = runtime
        self._chronicle = chronicle
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def lost(self, error: str) -> None:
        """The keeper has gone; its pods' ends are told by whoever held them."""
        if not self._closing:
            self._tell(f"{error}; starting another")
            self._task = asyncio.create_task(self._replace(), name="replace the keeper")

    async def _replace(self) -> None:
        await self._runtime.reap()
        while True:
            try:
                return await self._runtime.open()
            except (QuarterdeckError, OSError) as error:
                self._tell(f"{error}; trying again in {RETRY:g}s")
                await asyncio.sleep(RETRY)

    def _tell(self, text: str) -> None:
        self._chronicle.tell(time.time(), Level.ERROR, "", "", text)

    def stop(self) -> None:
        """From here on a keeper that ends is as it should be."""
        self._closing = True

    async def close(self) -> None:
        """End the keeper and all that it holds."""
        await self._runtime.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
