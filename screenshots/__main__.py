"""`python -m screenshots [NAME …]`: takes the pictures anew, in this folder: SVG, and PNG of the README's.

A real engine in a home of its own runs the search example; the real console shows it. Nothing is left running.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from quarterdeck.engine.model import Phase, PodKey, PodStatus

from .camera import Camera, console
from .stage import Stage, new_stage

FOLDER = Path(__file__).parent
WIDE = (160, 45)
NARROW = (80, 24)
MIDDLE = (120, 34)
LOG_WORTH_SEEING = 8.0
"""Seconds of traffic before the first picture."""
VICTIM = PodKey("search", "index/shard-1/rep-1")


async def _empty(stage: Stage) -> None:
    async with console(stage, FOLDER, *MIDDLE) as camera:
        await camera.until("no engine runs on this host")
        await camera.take("empty")


async def _main(stage: Stage) -> None:
    async with console(stage, FOLDER, *WIDE) as camera:
        await camera.until("9/9 ready")
        await camera.type("j" * 4)
        await camera.until("Merge")
        await camera.until(lambda: _measured(camera.text))
        await camera.take("main", png=True)


async def _narrow(stage: Stage) -> None:
    async with console(stage, FOLDER, *NARROW) as camera:
        await camera.until("9/9 ready")
        await camera.until(lambda: _measured(camera.text))
        await camera.type("j" * 4)
        await camera.take("main-80x24")
        await camera.press("enter")
        await camera.until("Merge")
        await camera.take("logs-80x24")


async def _details(stage: Stage) -> None:
    async with console(stage, FOLDER, *WIDE) as camera:
        await camera.until("9/9 ready")
        await camera.press("G", "d")
        await camera.until("workspace")
        await camera.until(lambda: _measured(camera.text))
        await camera.take("details")


async def _filter(stage: Stage) -> None:
    async with console(stage, FOLDER, *MIDDLE) as camera:
        await camera.until("9/9 ready")
        await camera.type("/rep-0")
        await camera.until(lambda: "rep-1" not in camera.text)
        await camera.press("enter", "j", "j", "j")
        await camera.until("found")
        await camera.take("filter")


async def _backoff(stage: Stage) -> None:
    async with console(stage, FOLDER, *WIDE) as camera:
        await camera.until("9/9 ready")
        await camera.press("G", "d")
        await camera.until("workspace")

        def victim() -> PodStatus:
            return camera.fleet.by_key[VICTIM]

        # The wait doubles with each failure: at the third it is long enough to look at.
        for run in (1, 2, 3):
            await camera.until(lambda: victim().phase is Phase.READY)
            pid = victim().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await camera.until(partial(_ended, camera, pid))
            print(f"backoff: run {run} of {VICTIM}, pid {pid}, was killed")
        await camera.until("next try")
        await camera.take("backoff")
        await camera.until("9/9 ready")


async def _confirm(stage: Stage) -> None:
    async with console(stage, FOLDER, *MIDDLE) as camera:
        await camera.until("9/9 ready")
        await camera.type("j" * 4)
        await camera.press("r")
        await camera.until("restart index?")
        await camera.take("confirm")


async def _quit(stage: Stage) -> None:
    async with console(stage, FOLDER, *MIDDLE, owns="search") as camera:
        await camera.until("9/9 ready")
        await camera.press("q")
        await camera.until("leave running")
        await camera.take("quit")


async def _help(stage: Stage) -> None:
    async with console(stage, FOLDER, *MIDDLE) as camera:
        await camera.until("9/9 ready")
        await camera.press("question_mark")
        await camera.until("grey keys")
        await camera.take("help")


def _ended(camera: Camera, pid: int) -> bool:
    """Whether the console no longer shows this process."""
    return all(pod.pid != pid for pod in camera.fleet.pods)


def _measured(text: str) -> bool:
    """Whether the first round of CPU and memory is on the screen: a ready pod's row holds a size in M."""
    return any("ready" in line and "M " in line for line in text.splitlines()[2:])


Picture = Callable[[Stage], Awaitable[None]]
PICTURES: dict[str, Picture] = {
    "main": _main,
    "narrow": _narrow,
    "details": _details,
    "filter": _filter,
    "confirm": _confirm,
    "quit": _quit,
    "help": _help,
    "backoff": _backoff,
}


async def take(stage: Stage, names: list[str]) -> None:
    """Take the pictures of these names, the empty screen before there is an engine."""
    if "empty" in names:
        await _empty(stage)
    print(await asyncio.to_thread(stage.qd, "up", "-d", stage.topology), end="")
    with stage.traffic():
        await asyncio.sleep(LOG_WORTH_SEEING)
        for name in names:
            if name in PICTURES:
                await PICTURES[name](stage)
    print(await asyncio.to_thread(stage.qd, "engine", "stop"), end="")


def main(names: list[str]) -> int:
    """Take the pictures that are named, else all."""
    known = ["empty", *PICTURES]
    if unknown := [name for name in names if name not in known]:
        print(f"no picture {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    with new_stage() as stage:
        # The console reads the terminal's abilities and the home folder from its environment.
        os.environ.clear()
        os.environ.update(stage.env, COLORTERM="truecolor")
        asyncio.run(take(stage, names or known))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
