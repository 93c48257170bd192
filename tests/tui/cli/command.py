"""`qd` as a process, with an engine's home, files and an environment of one test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarterdeck.engine.home import Home

QD = [sys.executable, "-m", "quarterdeck.tui.cli.main"]
WORK = """\
import os
import sys
import time
from quarterdeck import Executor, requests


class Talks(Executor):
    def __init__(self, lines=3):
        for number in range(lines):
            print(f"line {number} of {self.name}")
        sys.stdout.write("no newline at the end")
        sys.stdout.flush()

    @requests(on="/who")
    def who(self):
        return {"name": [self.name]}

    @requests(on="/fail")
    def fail(self):
        raise ValueError("this one never works")


class Fails(Executor):
    def __init__(self):
        raise RuntimeError("no weights at /weights.bin")

    @requests
    def work(self):
        return {}


class Slow(Executor):
    def __init__(self):
        print("loading for ever", flush=True)
        time.sleep(600)

    @requests
    def work(self):
        return {}
"""


@dataclass
class Qd:
    """Runs `qd` to its end, or leaves it running."""

    home: Home
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.write("work.py", WORK)

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    @property
    def world(self) -> dict[str, str]:
        own = {"QUARTERDECK_HOME": str(self.home.folder), "COLUMNS": "80", "LINES": "24", "TERM": "xterm"}
        ours = {
            name: value
            for name, value in os.environ.items()
            if name not in ("VIRTUAL_ENV", "PYTHONUNBUFFERED")
        }
        return {**ours, **own, **self.env}

    def open(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*QD, *arguments], env=self.world, cwd=self.folder, **options)

    def raw(self, *arguments: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*QD, *arguments], env=self.world, cwd=self.folder, input=input, capture_output=True, timeout=60,
            check=False,
        )  # fmt: skip

    def run(self, *arguments: str, input: str = "") -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        done = self.raw(*arguments, input=input.encode())
        # Ours would stand at the beginning of a line; a pod's, in the end of its log, is indented.
        assert not re.search(rb"^Traceback", done.stderr, re.MULTILINE), done.stderr.decode()
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def done(self, *arguments: str, input: str = "") -> str:
        """Standard output of a command that must work and has nothing to complain of."""
        code, out, err = self.run(*arguments, input=input)
        assert (code, err) == (0, ""), (code, out, err)
        return out

    def wrong(self, *arguments: str, input: str = "") -> tuple[int, str]:
        """Exit code and complaint of a command that must not work."""
        code, _, err = self.run(*arguments, input=input)
        assert code != 0
        assert all(line.startswith(("qd", "usage:", " ")) for line in err.splitlines()), err
        return code, err

    def rows(self, *targets: str) -> list[dict[str, Any]]:
        found = json.loads(self.done("ps", "--json", *targets))
        assert isinstance(found, list)
        return found

    def row(self, target: str) -> dict[str, Any]:
        (row,) = self.rows(target)
        return row
