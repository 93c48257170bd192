"""What tests of changes share: code that is edited, another text, and waiting for what came of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.fakes.worlds import World, topology

from quarterdeck.engine.control import UpOutcome
from quarterdeck.engine.model import Fleet, Level, PodKey
from quarterdeck.engine.spec import document
from quarterdeck.engine.spec.topology import DeploymentSpec

CODE = """\
import time
from quarterdeck import Executor, requests

class Mine(Executor):
    def __init__(self):
        BODY

    @requests
    def work(self):
        return {"word": ["WORD"]}
"""


def code(file: Path, word: str, body: str = "pass") -> str:
    file.write_text(CODE.replace("WORD", word).replace("BODY", body))
    return f"{file}:Mine"


async def change(world: World, *specs: DeploymentSpec, **more: Any) -> UpOutcome:
    text = document.dump(topology(*specs, **more))
    return (await world.control.up(text, world.caller, replace=True)).outcome


async def changed(world: World, before: Fleet, *replaced: str, gone: int = 0) -> Fleet:
    """The fleet once these pods are in another run, all are ready, and as many as said have gone."""

    def there(fleet: Fleet) -> bool:
        runs = {pod.key: pod.run for pod in before.pods}
        done = all(fleet.by_key[PodKey("top", name)].run > runs[PodKey("top", name)] for name in replaced)
        return (
            done and all(pod.ready for pod in fleet.pods) and len(runs.keys() - fleet.by_key.keys()) == gone
        )

    return await world.until(there)


def runs(fleet: Fleet) -> dict[str, tuple[int, int | None]]:
    """Run and process by pod."""
    return {pod.name: (pod.run, pod.pid) for pod in fleet.pods}


def key(name: str) -> PodKey:
    return PodKey("top", name)


async def told(world: World, text: str, level: Level) -> None:
    """Wait until an event begins so."""
    async with asyncio.timeout(20):
        async for event in world.control.events():
            if event.text.startswith(text):
                assert (event.level, event.topology, event.pod) == (level, "top", "")
                return
