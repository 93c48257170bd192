"""An engine in this process: a supervisor on a loop of its own thread, with a home that goes when it closes."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .home import Home

if TYPE_CHECKING:
    from .supervise.supervisor import Supervisor

T = TypeVar("T")


class LocalEngine:
    """Runs one supervisor for synchronous callers: scripts, notebooks, tests."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="quarterdeck-"))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="quarterdeck", daemon=True)
        self._thread.start()
        atexit.register(self.close)
        try:
            self.supervisor: Supervisor = self.run(self._open())
        except BaseException:
            self._end()
            raise

    async def _open(self) -> Supervisor:
        from quarterdeck import __version__

        from .supervise.supervisor import Supervisor

        supervisor = Supervisor(Home(self._folder), __version__)
        await supervisor.open()
        return supervisor

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine on the engine's loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def close(self) -> None:
        """Close all pods, the keeper and the loop; remove the home. Safe to call twice."""
        if self._loop.is_closed():
            return
        try:
            self.run(self.supervisor.close())
        finally:
            self._end()

    def _end(self) -> None:
        atexit.unregister(self.close)
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)
