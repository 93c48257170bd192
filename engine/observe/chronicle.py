"""What happened: events of one engine's life, numbered without gaps, the last few thousand kept."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from ..model import Event, Level, Phase, PodKey

KEPT = 5_000


class Chronicle:
    """Appended to by the supervisor, followed by anybody."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._last = 0
        self._grown = asyncio.Event()
        self._closed = False

    def tell(
        self, now: float, level: Level, topology: str, pod: str, text: str, phase: Phase | None = None
    ) -> None:
        """Add one event."""
        self._last += 1
        self._events.append(Event(self._last, now, level, topology, pod, text, phase))
        self._wake()

    def close(self) -> None:
        """End every stream that follows."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    def of(self, pod: PodKey, most: int) -> tuple[Event, ...]:
        """The pod's last `most` events, oldest first."""
        found = [event for event in self._events if event.topology == pod.topology and event.pod == pod.name]
        return tuple(found[-most:])

    async def follow(self, after: int, follow: bool) -> AsyncIterator[Event]:
        """Events with `seq > after`, oldest first; with `follow` it goes on until the engine ends."""
        while True:
            grown = self._grown
            for event in [event for event in self._events if event.seq > after]:
                after = event.seq
                yield event
            if not follow or self._closed:
                return
            if after >= self._last:
                await grown.wait()
