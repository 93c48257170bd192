"""What the pictures are of: an engine of their own, the search example on it, and its traffic."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.engine.home import ENGINE_MARK, Home
from quarterdeck.engine.keeper.processes import marked

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "search"
QD = Path(sys.executable).with_name("qd")
PATIENCE = 20.0
"""Seconds after which a picture's subject is given up."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A home folder with the example in it; nothing of whoever takes the pictures can be read there."""

    folder: Path

    @property
    def home(self) -> Home:
        return Home(self.folder / ".quarterdeck")

    @property
    def topology(self) -> Path:
        return self.folder / "search" / "topology.yml"

    @property
    def env(self) -> dict[str, str]:
        """All that the engine and its pods get."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "CUDA_TOTAL_DEVICES": "4",
        }

    def qd(self, *arguments: str | Path) -> str:
        """Run one command; what it printed. Raises CalledProcessError when it failed."""
        done = subprocess.run(
            [QD, *map(str, arguments)],
            env=self.env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    @contextlib.contextmanager
    def traffic(self) -> Iterator[None]:
        """The demo's requests, sent through the gateway while the body runs."""
        source = subprocess.Popen(
            [sys.executable, "-m", "quarterdeck.tui.cli.traffic", str(self.home.socket), "search"],
            env=self.env,
            cwd=self.folder,
            stdin=subprocess.PIPE,
        )
        try:
            yield
        finally:
            assert source.stdin is not None
            source.stdin.close()
            source.wait(timeout=PATIENCE)

    def end(self) -> None:
        """End every process of this engine's and remove the folder."""
        deadline = time.monotonic() + PATIENCE
        while left := marked(ENGINE_MARK, self.home.mark):
            assert time.monotonic() < deadline, f"can't end {left}"
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.02)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def new_stage() -> Iterator[Stage]:
    """A stage; nothing of it is left."""
    stage = Stage(Path(tempfile.mkdtemp(prefix="qd-")))
    try:
        shutil.copytree(EXAMPLE, stage.topology.parent, ignore=shutil.ignore_patterns("__pycache__"))
        yield stage
    finally:
        stage.end()
