"""The newest fleet, handed to whoever watches: the present at once, then each newer one; never a queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ..model import Fleet


class Broadcast:
    """Holds one fleet. A slow watcher skips to the newest and can't slow anybody."""

    def __init__(self) -> None:
        self.fleet = Fleet()
        self._changed = asyncio.Event()
        self.watchers = 0
        self._closed = False

    def offer(self, fleet: Fleet) -> None:
        """A newer fleet replaces the present one."""
        self.fleet = fleet
        self._wake()

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def watch(self) -> AsyncIterator[Fleet]:
        """The fleet now, and after each change; ends when the broadcast closes."""
        self.watchers += 1
        try:
            while True:
                fleet, changed = self.fleet, self._changed
                yield fleet
                if self._closed:
                    return
                if fleet is self.fleet:
                    await changed.wait()
        finally:
            self.watchers -= 1
