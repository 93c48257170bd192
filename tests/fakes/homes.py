"""Homes for engines under test: short paths, and nothing alive or on the disk afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from quarterdeck.engine.home import ENGINE_MARK, Home
from quarterdeck.engine.keeper.processes import Process, marked

DEADLINE = 20.0
"""Seconds after which a test stops waiting for what should come within one."""


def eventually(holds: Callable[[], bool], what: str, timeout: float = DEADLINE) -> None:
    """Wait for something that only the kernel can tell: the end of a process, a file."""
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end, f"not within {timeout:g}s: {what}"
        time.sleep(0.005)


def ours(home: Home) -> list[Process]:
    """Living processes that carry this home's mark, ourselves apart."""
    return [process for process in marked(ENGINE_MARK, home.mark) if process.pid != os.getpid()]


def kill_all(home: Home) -> None:
    """SIGKILL whatever carries the home's mark, until nothing does."""

    def gone() -> bool:
        for process in ours(home):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        return not ours(home)

    eventually(gone, "the end of all processes of a test's engine")


@contextlib.contextmanager
def temporary_home() -> Iterator[Home]:
    """A home whose socket paths are short wherever tests put their own files."""
    folder = Path(tempfile.mkdtemp(prefix="qd-t-"))
    home = Home(folder)
    try:
        yield home
    finally:
        kill_all(home)
        shutil.rmtree(folder, ignore_errors=True)


class Homes:
    """The temporary homes that engines of one test made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[Home] = []

    def mkdtemp(self, suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:
        path = self.folder / f"{prefix}{len(self.made)}"
        path.mkdir(mode=0o700)
        self.made.append(Home(path))
        return str(path)

    @property
    def running(self) -> list[Process]:
        return [process for home in self.made for process in ours(home)]

    @property
    def nothing_left(self) -> bool:
        return bool(self.made) and not self.running and list(self.folder.iterdir()) == []
