"""The camera: runs the real console without a terminal, presses keys, and saves what is on its screen."""

from __future__ import annotations

import asyncio
import io
import os
import platform
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import cairosvg
from PIL import Image
from textual.pilot import Pilot

from quarterdeck.engine.api.client import connect as dial
from quarterdeck.engine.model import Fleet
from quarterdeck.tui.app import QuarterdeckApp
from quarterdeck.tui.feed import Connected

from .neutral import HOST, NeutralClient
from .stage import PATIENCE, Stage

FONTS = "DejaVu Sans Mono, JetBrains Mono, Fira Code, monospace"
"""Fonts with all our glyphs; the first is what PNGs are made with, which take no other."""
_FONT_FACE = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)
_NAMES = {"/": "slash", " ": "space", "-": "minus", "!": "exclamation_mark", ":": "colon"}


class Camera:
    """One console and what it shows."""

    def __init__(self, stage: Stage, app: QuarterdeckApp, pilot: Pilot[int], folder: Path) -> None:
        self._stage = stage
        self._app = app
        self._pilot = pilot
        self._folder = folder

    @property
    def fleet(self) -> Fleet:
        """What the console knows."""
        return self._app.main.fleet

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        strips = self._app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self._pilot.press(*(_NAMES.get(character, character) for character in text))

    async def until(self, holds: str | Callable[[], object]) -> None:
        """Wait until a text is on the screen, or something holds."""
        deadline = time.monotonic() + PATIENCE
        while not (holds in self.text if isinstance(holds, str) else holds()):
            assert time.monotonic() < deadline, f"waited for {holds!r}; the screen:\n{self.text}"
            await asyncio.sleep(0.01)
            await self._pilot.pause()

    async def take(self, name: str, png: bool = False) -> None:
        """Save the screen. Every pid that the console knows must be alive, and nothing of this machine shown."""
        await self._pilot.pause()
        text, fleet = self.text, self.fleet
        svg = self._app.export_screenshot(title="qd")
        assert all(Path("/proc", str(pod.pid)).exists() for pod in fleet.pods if pod.pid), fleet
        for told in (str(self._stage.folder), str(Path(__file__).parents[1])):
            found = [line for line in text.splitlines() if told in line]
            assert not found, f"{name} shows {told}: {found}"
        for word in (platform.node(), os.environ.get("USER", "")):
            assert not word or not re.search(rf"\b{re.escape(word)}\b", text), f"{name} shows {word}"
        svg = _FONT_FACE.sub("", svg).replace("Fira Code", FONTS)
        (self._folder / f"{name}.svg").write_text("\n".join(map(str.rstrip, svg.splitlines())) + "\n")
        if png:
            with Image.open(io.BytesIO(cairosvg.svg2png(svg.encode()))) as image:
                few = image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE)
            few.save(self._folder / f"{name}.png", optimize=True)
        print(f"{name}: {sum(bool(pod.pid) for pod in fleet.pods)} pods alive")


@asynccontextmanager
async def console(
    stage: Stage, folder: Path, width: int, height: int, owns: str | None = None
) -> AsyncIterator[Camera]:
    """The console on the stage's engine, in a terminal of this size."""

    async def connect() -> Connected:
        await (await dial(str(stage.home.socket))).close()  # for what it says when nobody answers
        return NeutralClient(str(stage.home.socket), str(stage.folder))

    with patch("platform.node", return_value=HOST):  # what is shown until an engine says its host
        app = QuarterdeckApp(connect, owns=owns, socket="~/.quarterdeck/qd.sock")
    async with app.run_test(size=(width, height)) as pilot:
        yield Camera(stage, app, pilot, folder)
