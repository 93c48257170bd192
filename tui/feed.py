"""`Feed`: turns the engine's streams into messages, and dials again by itself when the line goes.

It decides nothing about the screen; what it posts may be folded into the last of its kind.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from textual.message import Message

from quarterdeck.engine.control import Control
from quarterdeck.engine.errors import EngineUnreachable, QuarterdeckError
from quarterdeck.engine.model import EngineInfo, Event, Fleet, Samples

WAITS = (0.25, 0.5, 1.0, 2.0, 3.0)
"""Seconds between dials; the last one repeats."""
EVENTS = 2_000
"""Events that are kept."""


class Connected(Control, Protocol):
    """A control that can be hung up."""

    async def close(self) -> None: ...


Connect = Callable[[], Awaitable[Connected]]


class FleetChanged(Message):
    """The fleet is another."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self.fleet = fleet

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FleetChanged)


class SamplesChanged(Message):
    """A round of samples came."""

    def __init__(self, samples: Samples) -> None:
        super().__init__()
        self.samples = samples

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SamplesChanged)


class EventsChanged(Message):
    """Something happened; `events` are all that are kept, oldest first."""

    def __init__(self, events: tuple[Event, ...]) -> None:
        super().__init__()
        self.events = events

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, EventsChanged)


class FoundEngine(Message):
    """An engine answers."""

    def __init__(self, line: Connected, info: EngineInfo) -> None:
        super().__init__()
        self.line = line
        self.info = info


class LostEngine(Message):
    """No engine answers, or it no longer does."""

    def __init__(self, reason: str, attempt: int, retry_at: float) -> None:
        super().__init__()
        self.reason = reason
        self.attempt = attempt
        self.retry_at = retry_at


class Feed:
    """Runs until cancelled. `post` takes messages, `clock` is the time of day."""

    def __init__(
        self, connect: Connect, post: Callable[[Message], object], clock: Callable[[], float]
    ) -> None:
        self._connect = connect
        self._post = post
        self._clock = clock
        self._now = asyncio.Event()
        self._attempt = 0
        self._events: deque[Event] = deque(maxlen=EVENTS)

    def dial_now(self) -> None:
        """Don't wait for the next try."""
        self._now.set()

    async def run(self) -> None:
        """Dial, stream, and dial again."""
        while True:
            reason = await self._once()
            wait = WAITS[min(self._attempt, len(WAITS) - 1)]
            self._attempt += 1
            self._now.clear()
            self._post(LostEngine(reason, self._attempt, self._clock() + wait))
            try:
                await asyncio.wait_for(self._now.wait(), wait)
            except TimeoutError:
                pass

    async def _once(self) -> str:
        """One line from dial to loss; why it ended, when it is more than that nobody answers."""
        try:
            control = await self._connect()
        except QuarterdeckError as error:
            return _reason(error)
        try:
            info = await control.info()
            self._attempt = 0
            self._events.clear()
            self._post(FoundEngine(control, info))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._fleets(control))
                group.create_task(self._samples(control))
                group.create_task(self._happenings(control))
        except QuarterdeckError as error:
            return _reason(error)
        except BaseExceptionGroup as errors:
            known, other = errors.split((QuarterdeckError, _Ended))
            if other is not None:
                raise other from None
            return _reason(known.exceptions[0]) if known else ""
        finally:
            await _hang_up(control)
        return ""

    async def _fleets(self, control: Control) -> None:
        async for fleet in control.watch():
            self._post(FleetChanged(fleet))
        raise _Ended("the engine has ended")

    async def _samples(self, control: Control) -> None:
        async for samples in control.samples():
            self._post(SamplesChanged(samples))
        raise _Ended("the engine has ended")

    async def _happenings(self, control: Control) -> None:
        loop = asyncio.get_running_loop()
        due: asyncio.TimerHandle | None = None

        def flush() -> None:
            nonlocal due
            due = None
            self._post(EventsChanged(tuple(self._events)))

        try:
            async for event in control.events():
                self._events.append(event)
                if due is None:
                    due = loop.call_later(0.05, flush)
        finally:
            if due is not None:
                due.cancel()
                flush()
        raise _Ended("the engine has ended")


class _Ended(Exception):
    """A stream came to its end, which it does only with the engine."""


def _reason(error: BaseException) -> str:
    """What is worth telling beside that no engine answers."""
    return "" if isinstance(error, EngineUnreachable | _Ended) else str(error)


async def _hang_up(control: Connected) -> None:
    try:
        async with asyncio.timeout(1.0):
            await control.close()
    except (QuarterdeckError, TimeoutError):
        pass
