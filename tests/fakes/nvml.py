"""A simulated NVML library for processes under test: compiled here, its devices in a file that a test writes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("nvml_stub.c")
GIB = 1 << 30


class FakeNvml:
    """The library in a folder, and the state that it tells."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("no C compiler here to make the simulated NVML library with")
        self._state = folder / "devices"
        library = folder / "libnvidia-ml.so.1"
        subprocess.run(
            [compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE],
            check=True,
        )
        self.env = {"LD_LIBRARY_PATH": str(folder), "NVML_STUB_FILE": str(self._state)}

    def set(self, *lines: str) -> None:
        """What the library tells from now on."""
        new = self._state.with_suffix(".new")
        new.write_text("".join(line + "\n" for line in lines))
        os.replace(new, self._state)

    def unload(self) -> None:
        """No driver is loaded from now on."""
        self._state.unlink()


def gpu(index: int, used: int = 0, total: int = 80, busy: int = 0) -> str:
    """A device's line; memory in GiB."""
    return f"gpu {index} GPU-{index}aaa {total * GIB} {used * GIB} {busy} Fake H100"
