"""Pages of the documentation as their readers use them: files are written, commands are run."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.engines import QD, Engine

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w+) *(\S*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a `console` block, and the output that the page shows below it (none: any)."""

    command: str
    shown: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page: `python NAME` and `yaml NAME` blocks are files, `console` blocks are commands after a `$ `."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text()

    def files(self) -> dict[str, str]:
        """Named blocks; a later one of the same name replaces the one before."""
        return {name: body for _, name, body in _BLOCK.findall(self.text) if name}

    def steps(self) -> list[Step]:
        """Every command in the order of the page."""
        blocks = [body for kind, _, body in _BLOCK.findall(self.text) if kind == "console"]
        found = []
        for part in re.split(r"^\$ ", "".join(blocks), flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append(Step(command, shown.strip()))
        return found

    def follow(self, engine: Engine, folder: Path) -> None:
        """Write the files, run the commands; each must succeed and print what the page shows."""
        for name, body in self.files().items():
            (folder / name).write_text(body)
        env = engine.env | {"PATH": f"{QD.parent}:{os.environ['PATH']}"}
        for step in self.steps():
            done = subprocess.run(
                ["bash", "-c", step.command],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, (step.command, done.stdout, done.stderr)
            if step.shown:
                assert done.stdout.strip() == step.shown, step.command


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next one of any depth."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no heading {title!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Cells of a Markdown table's rows, its head left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
