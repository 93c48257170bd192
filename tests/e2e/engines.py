"""An engine of a test's own, driven as its user would: the `qd` program, real processes, real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarterdeck.engine.home import ENGINE_MARK, Home
from quarterdeck.engine.keeper.processes import marked, read

QD = Path(sys.executable).with_name("qd")
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "search" / "topology.yml"
PATIENCE = 20.0


def until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
    """Wait until something holds; seconds that it took. Fails, saying what, when it does not come."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < seconds, f"still not after {seconds:g}s: {what}"
        time.sleep(0.01)
    return time.monotonic() - start


@dataclass(slots=True)
class Engine:
    """A home folder, and `qd` that uses it."""

    home: Home

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "QUARTERDECK_HOME": str(self.home.folder)}

    def qd(
        self, *arguments: str | Path, code: int | None = 0, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; its exit code must be `code` (None: any)."""
        done = subprocess.run(
            [QD, *map(str, arguments)],
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        if code is not None:
            assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done

    def ps(self) -> dict[str, dict[str, Any]]:
        """Pods by `TOPOLOGY/NAME`, as `qd ps --json` says."""
        rows = json.loads(self.qd("ps", "--json").stdout)
        return {f"{row['topology']}/{row['name']}": row for row in rows}

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.qd("engine", "status", "--json").stdout))

    def processes(self) -> list[int]:
        """Every living process of ours: engine, keeper, pods, and what those started."""
        return [process.pid for process in marked(ENGINE_MARK, self.home.mark)]

    def remains(self) -> list[str]:
        """Sockets that are left in the home."""
        return [path.name for path in self.home.folder.iterdir() if path.is_socket()]

    def end(self) -> None:
        """End everything, however the test went."""
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        until(lambda: not self.processes(), "all of a test's processes have ended")
        shutil.rmtree(self.home.folder, ignore_errors=True)


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody has reaped yet has)."""
    process = read(pid)
    return process is None or process.state in "ZX"


@contextlib.contextmanager
def new_engine() -> Iterator[Engine]:
    """A home in a short path, since a socket's may not be long; nothing of it is left."""
    engine = Engine(Home(Path(tempfile.mkdtemp(prefix="qd-"))))
    try:
        yield engine
    finally:
        engine.end()


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
