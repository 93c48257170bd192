"""`LiveEngine`: a real engine in a home of its own, with a client; nothing of it is left afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.engine.api.client import Client, connect
from quarterdeck.engine.api.launch import ensure
from quarterdeck.engine.control import Caller
from quarterdeck.engine.errors import QuarterdeckError
from quarterdeck.engine.home import Home
from quarterdeck.engine.model import EngineInfo, PodStatus
from quarterdeck.engine.spec import document
from quarterdeck.engine.spec.file import load
from quarterdeck.engine.spec.topology import Topology
from quarterdeck.engine.verdict import all_ready, failed, start_error

from .bytecode import ROOT, child_environment
from .session import Failed

SEARCH = ROOT / "examples" / "search" / "topology.yml"
DEADLINE = 120.0


@contextmanager
def own_home() -> Iterator[Path]:
    """A home folder that goes afterwards; short, since sockets live in it."""
    folder = Path(tempfile.mkdtemp(prefix="qdb-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class LiveEngine:
    """An engine that runs, and what a benchmark asks of it."""

    home: Home
    client: Client
    info: EngineInfo
    env: dict[str, str]

    @property
    def keeper_pid(self) -> int:
        assert self.info.keeper_pid is not None
        return self.info.keeper_pid

    async def up(self, topology: Topology) -> tuple[PodStatus, ...]:
        """From the call to all pods ready. Raises `Failed` when they don't get so."""
        fleets = self.client.watch()
        await anext(fleets)  # the stream is open before the clock runs for whoever takes the time
        await self.client.up(document.dump(topology), Caller(self.env, str(ROOT)))
        try:
            async with asyncio.timeout(DEADLINE):
                async for fleet in fleets:
                    pods = fleet.of(topology.name)
                    broken = failed(pods)
                    if broken is not None:
                        raise Failed(str(await start_error(self.client, broken)))
                    # The keeper's word of a pid may come after the pod's own of its port.
                    if all_ready(pods) and all(pod.pid for pod in pods):
                        return pods
        except TimeoutError:
            raise Failed(f"{topology.name} was not ready within {DEADLINE:g}s") from None
        raise Failed("the engine ended meanwhile")

    async def up_search(self) -> tuple[PodStatus, ...]:
        """The search example: nine pods."""
        return await self.up(load(SEARCH, self.env))


@asynccontextmanager
async def running_engine() -> AsyncIterator[LiveEngine]:
    """An engine with its keeper, both up and preloaded; ended with all its pods when the body is left."""
    with own_home() as folder:
        home = Home(folder / ".quarterdeck")
        ensure(home, stays=True)
        client = await connect(str(home.socket))
        info = await client.info()
        try:
            yield LiveEngine(home, client, info, child_environment(folder))
        finally:
            with contextlib.suppress(QuarterdeckError):
                await client.shutdown()
            await client.close()
            await asyncio.to_thread(_reap, info.pid)


def _reap(pid: int) -> None:
    """Wait for an engine that is our child; one that won't go is killed, and its keeper ends the rest."""
    watch = os.pidfd_open(pid)
    try:
        import select

        if not select.select([watch], [], [], 10.0)[0]:
            os.kill(pid, signal.SIGKILL)
    finally:
        os.close(watch)
    os.waitpid(pid, 0)
