"""`QuarterdeckApp`: joins the feed to the main screen. Screens own layout, `intents` verbs, `keys` keys."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import App

from quarterdeck.widgets.dress import choose

from .feed import (
    Connect,
    EventsChanged,
    Feed,
    FleetChanged,
    FoundEngine,
    LostEngine,
    SamplesChanged,
)
from .link import Link, LinkState
from .screens.main import MainScreen
from .session import Session
from .themes import themes

HANG_UP_PATIENCE = 1.0
"""Seconds that an orderly end gets once the terminal has gone."""


class QuarterdeckApp(App[int], inherit_bindings=False):
    """The console. `connect` dials an engine each time that it is called.

    `owns` names the topology that quitting asks about, `target` what the cursor goes to first, `socket` is shown.
    """

    TITLE = "quarterdeck"
    CSS_PATH = "screens/main.tcss"  # the first screen's own style is not read by itself
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    ESCAPE_TO_MINIMIZE: ClassVar[bool] = False

    def __init__(
        self,
        connect: Connect,
        *,
        owns: str | None = None,
        read_only: bool = False,
        ascii: bool = False,
        theme: str | None = None,
        target: str | None = None,
        socket: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        no_color = bool(os.environ.get("NO_COLOR"))
        system = _color_system(os.environ.get("COLORTERM", ""), os.environ.get("TERM", ""))
        look = choose(theme, ascii, no_color, system)
        super().__init__(ansi_color=True if look.removesuffix("-ascii") in ("16", "plain") else None)
        for each in themes():
            self.register_theme(each)
        self.theme = look
        self.session = Session(clock=clock, owns=owns, read_only=read_only, target=target, socket=socket)
        self.link = Link()
        self.main = MainScreen(self.session, platform.node())
        self._feed = Feed(connect, self.post_message, clock)
        self._streams: asyncio.Task[None] | None = None

    async def on_event(self, event: events.Event) -> None:
        """Keys are dealt with here, one by one, so that a burst of them means what it would mean typed slowly."""
        if not (
            isinstance(event, events.Key) and self.screen is self.main and await self.main.prompt.take(event)
        ):
            await super().on_event(event)

    def get_default_screen(self) -> MainScreen:
        return self.main

    def on_mount(self) -> None:
        self.call_after_refresh(self._dial)  # the first picture does not wait for the client to load
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.exit, 0)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)

    def _hung_up(self) -> None:
        """The terminal has gone: go, and don't let what Textual still wants to draw on it keep us.

        Its writer ends at the first error and its queue then blocks whoever writes, for ever.
        """
        last = threading.Timer(HANG_UP_PATIENCE, os._exit, (0,))
        last.daemon = True
        last.start()
        self.exit(0)

    def _dial(self) -> None:
        self._streams = asyncio.create_task(self._feed.run(), name="feed")
        self._streams.add_done_callback(self._feed_ended)

    def _feed_ended(self, task: asyncio.Task[None]) -> None:
        # The feed runs until cancelled; anything else is a fault of ours and must not pass unseen.
        if not task.cancelled() and (error := task.exception()) is not None:
            self._handle_exception(error if isinstance(error, Exception) else RuntimeError(str(error)))

    async def _hang_up(self) -> None:
        if (streams := self._streams) is not None:
            self._streams = None
            streams.cancel()
            await asyncio.wait([streams], timeout=2)

    async def on_unmount(self) -> None:
        await self._hang_up()

    # What the feed tells

    def on_fleet_changed(self, message: FleetChanged) -> None:
        with self.batch_update():
            self.main.take_fleet(message.fleet)

    def on_samples_changed(self, message: SamplesChanged) -> None:
        with self.batch_update():
            self.main.take_samples(message.samples)

    def on_events_changed(self, message: EventsChanged) -> None:
        self.main.take_events(message.events)

    def on_found_engine(self, message: FoundEngine) -> None:
        self.session.control = message.line
        before = self.link.info
        if before is not None and (before.pid, before.started_at) != (
            message.info.pid,
            message.info.started_at,
        ):
            self.session.owns = None  # what this console had started went with the engine that it knew
        self._linked(Link(LinkState.UP, message.info))

    def on_lost_engine(self, message: LostEngine) -> None:
        self.session.control = None
        before = self.link
        known = before.info is not None
        lost_at = before.lost_at if before.lost else self.session.clock()
        self._linked(
            replace(
                before,
                state=LinkState.LOST if known else LinkState.NONE,
                lost_at=lost_at,
                attempt=message.attempt,
                retry_at=message.retry_at,
                reason=message.reason,
            )
        )

    def _linked(self, link: Link) -> None:
        self.link = link
        with self.batch_update():
            self.main.take_link(link)

    # What the screen wants

    def on_main_screen_leave(self, message: MainScreen.Leave) -> None:
        message.stop()
        self.exit(0)

    async def on_main_screen_retry(self, message: MainScreen.Retry) -> None:
        message.stop()
        if message.hang_up:
            await self._hang_up()
            self._dial()
        else:
            self._feed.dial_now()


def _color_system(colorterm: str, term: str) -> str:
    """How many colours the terminal has, by its environment."""
    if colorterm.lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if "256color" in term or "kitty" in term else "standard"
