"""A console on a `FakeControl`, driven by keys and read off its screen."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.fakes.control import FakeControl
from tests.fakes.fleets import NOW
from textual.pilot import Pilot

from quarterdeck.tui.app import QuarterdeckApp
from quarterdeck.tui.feed import Connect
from quarterdeck.tui.screens.main import MainScreen

DEADLINE = 10.0
"""Seconds after which something that should have come has not."""


class Console:
    """What one sees and does."""

    def __init__(self, app: QuarterdeckApp, pilot: Pilot[int], control: FakeControl) -> None:
        self.app = app
        self.pilot = pilot
        self.control = control

    @property
    def main(self) -> MainScreen:
        return self.app.main

    @property
    def lines(self) -> list[str]:
        """The screen, line by line, blanks at the right cut off."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def line(self, word: str) -> str:
        """The first line that has a word, or nothing."""
        return next((line for line in self.lines if word in line), "")

    @property
    def cursor(self) -> str:
        """Id of the row under the cursor, or nothing."""
        row = self.main.row
        return row.id if row is not None else ""

    async def go(self, name: str) -> None:
        """Put the cursor on a row, by the command line."""
        await self.press("colon")
        await self.type(f"go {name}")
        await self.press("enter")
        await self.until(lambda: self.cursor.endswith(name))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Printable characters, one key each."""
        names = {" ": "space", "/": "slash", "-": "minus", "|": "vertical_line", "!": "exclamation_mark"}
        await self.pilot.press(*(names.get(character, character) for character in text))

    async def until(self, told: str | Callable[[], object]) -> None:
        """Wait until a text is on the screen, or something holds."""
        end = time.monotonic() + DEADLINE
        while not (told in self.text if isinstance(told, str) else told()):
            assert time.monotonic() < end, f"waited for {told!r}; the screen:\n{self.text}"
            await self.pilot.pause()

    async def quiet(self, heard: list[Any], rounds: int = 20) -> None:
        """Wait until nothing is heard for some rounds; what was heard before is forgotten."""
        end = time.monotonic() + DEADLINE
        still = 0
        while still < rounds:
            assert time.monotonic() < end, f"still hears {heard}"
            await self.pilot.pause()
            still = 0 if heard else still + 1
            heard.clear()

    async def never(self, told: Callable[[], object], rounds: int = 30) -> None:
        """Something does not come to hold while everything that is under way is done."""
        for _ in range(rounds):
            await self.pilot.pause()
            assert not told(), self.text


@asynccontextmanager
async def console(
    control: FakeControl, size: tuple[int, int] = (120, 40), wait: str | None = "ready", **options: Any
) -> AsyncIterator[Console]:
    """A console, once it shows `wait`."""
    settings: dict[str, Any] = {"socket": "/run/qd.sock", "clock": lambda: NOW} | options
    connect: Connect = control.connect
    app = QuarterdeckApp(connect, **settings)
    async with app.run_test(size=size, notifications=True) as pilot:
        seen = Console(app, pilot, control)
        if wait is not None:
            await seen.until(wait)
        yield seen
