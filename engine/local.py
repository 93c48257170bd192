"""An engine in this process: a supervisor whose home goes with it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .home import Home

if TYPE_CHECKING:
    from .supervise.supervisor import Supervisor


class LocalEngine:
    """Runs one supervisor on the loop that opens it, for scripts, notebooks and tests."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._supervisor: Supervisor | None = None

    async def open(self) -> Supervisor:
        """Start it. Raises QuarterdeckError when the keeper does not come up; nothing is left then."""
        from quarterdeck import __version__

        from .supervise.supervisor import Supervisor

        self._folder = Path(tempfile.mkdtemp(prefix="quarterdeck-"))
        supervisor = Supervisor(Home(self._folder), __version__)
        try:
            await supervisor.open()
        except BaseException:
            self._forget()
            raise
        self._supervisor = supervisor
        return supervisor

    async def close(self, topology: str | None = None) -> None:
        """Close all pods and the keeper, remove the home; there is no topology but the caller's."""
        supervisor, self._supervisor = self._supervisor, None
        try:
            if supervisor is not None:
                await supervisor.close()
        finally:
            self._forget()

    def _forget(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
