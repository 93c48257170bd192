"""`LogReader`: reads for a log view, all in one task, so that calls on the reel never overlap."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Protocol

from .logsource import LogUnavailable
from .merge import Reel

AHEAD = 100
"""Lines above the screen at which the next page is read."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the view stands on the lines that have been read."""

    following: bool
    top: int
    """Lines above the screen."""
    short: bool
    """The lines do not fill the screen."""
    near_end: bool


class Viewer(Protocol):
    """Whom it reads for."""

    @property
    def pattern(self) -> re.Pattern[str] | None:
        """What is searched for."""
        ...

    def standing(self) -> Standing: ...

    def take(self) -> None:
        """The reel's lines have changed."""
        ...

    def sought(self, step: int, more: bool) -> bool:
        """More was read for a search, or there is no more; whether the search is over."""
        ...

    def troubled(self, text: str) -> None:
        """The log can't be read now."""
        ...


class LogReader:
    """One opening of a log. `run` until cancelled."""

    def __init__(self, reel: Reel, viewer: Viewer, run: int | None) -> None:
        self.reel = reel
        self.seeking = 0
        """-1: a search reads on upwards, 1: downwards, 0: none does."""
        self._viewer = viewer
        self._run = run
        self._wake = asyncio.Event()

    def nudge(self) -> None:
        """The view has moved: look whether more is wanted."""
        self._wake.set()

    def wake(self) -> None:
        """Something was heard of the pods: read on at once."""
        self.reel.wake()
        self._wake.set()

    def seek(self, step: int) -> None:
        """Read on in a direction until the view has found what it searches."""
        self.seeking = step
        self._wake.set()

    async def run(self) -> None:
        opened = False
        while True:
            self._wake.clear()
            rest: float | None = None
            try:
                if opened:
                    await self._step()
                else:
                    await self.reel.open(self._run)
                    opened = True
                    self._viewer.take()
                rest = 0.001 if self._hurry() else self.reel.rest(_monotonic())
            except LogUnavailable as error:
                self.seeking = 0
                self._viewer.troubled(str(error))
            # While the engine is lost there is nothing to wait for but to be woken.
            try:
                await asyncio.wait_for(self._wake.wait(), rest)
            except TimeoutError:
                pass

    async def _step(self) -> None:
        reel = self.reel
        if self.seeking:
            await self._seek()
        elif self._above():
            if await reel.above():
                self._viewer.take()
        elif self._below():
            await reel.forward()
            self._viewer.take()
        elif await reel.pull(self._viewer.standing().following, _monotonic()):
            self._viewer.take()

    async def _seek(self) -> None:
        step, pattern = self.seeking, self._viewer.pattern
        more = pattern is not None and await self.reel.seek(pattern, step, lambda: self.seeking == step)
        if self.seeking != step:  # given up meanwhile
            return
        if more:
            self._viewer.take()
        if self._viewer.sought(step, more):
            self.seeking = 0

    def _hurry(self) -> bool:
        return bool(self.seeking) or self._above() or self._below()

    def _above(self) -> bool:
        at = self._viewer.standing()
        return not self.reel.at_start and at.top < AHEAD and (not at.following or at.short)

    def _below(self) -> bool:
        at = self._viewer.standing()
        return not at.following and self.reel.below > 0 and at.near_end


def _monotonic() -> float:
    """Seconds for waiting, untouched by whoever sets the clock."""
    return asyncio.get_running_loop().time()
