"""Try the oldest dependencies that `pyproject.toml` allows: install those, import everything, run tests.

Looks are not compared (they differ with the version that drew them). Arguments go to pytest instead of
`tests/engine`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEST_TOOLS = ("pytest", "pytest-asyncio", "pytest-timeout", "pytest-xdist", "hypothesis", "numpy", "pyte")
IMPORT_EVERYTHING = """
import importlib, pkgutil, quarterdeck
found = pkgutil.walk_packages(quarterdeck.__path__, "quarterdeck.")
names = [module.name for module in found if not module.name.endswith(".__main__")]
for name in names:
    importlib.import_module(name)
print(f"{len(names)} modules imported")
"""


def floors() -> list[str]:
    """`name==oldest` for each runtime dependency."""
    required: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return [item.replace(">=", "==") for item in required]


def pinned_tools() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if re.sub(r"==.*", "", line).lower() in TEST_TOOLS]


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Raises `SystemExit` with the command's own exit code when it fails."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="floors-") as folder:
        scratch = Path(folder)
        python = scratch / "venv/bin/python"
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", scratch)
        (wheel,) = scratch.glob("*.whl")
        run(sys.executable, "-m", "venv", scratch / "venv")
        print("== floors:", *floors())
        run(python, "-m", "pip", "install", "-qq", wheel, *floors(), *pinned_tools())
        run(python, "-m", "pip", "check")
        run(python, "-c", IMPORT_EVERYTHING, cwd=scratch)
        run(python, "-m", "pytest", "-q", "-n", "auto", *(arguments or ["tests/engine"]))


if __name__ == "__main__":
    main(sys.argv[1:])
