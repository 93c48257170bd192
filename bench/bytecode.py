"""Looks that every source that is measured has bytecode, ours and the peers', and compiles what has none.

Without it each import compiles its sources: start-up doubles, and the figures lie. Refuses to let a benchmark
run where bytecode is missing and can't be written.
"""

from __future__ import annotations

import compileall
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import quarterdeck

ROOT = Path(__file__).resolve().parent.parent
HEADER = 16
"""Bytes before the code in a .pyc: magic, flags, time of change, size (PEP 552)."""
NOT_IMPORTED = {"test", "tests", "idlelib", "lib2to3", "site-packages", "ensurepip", "__pycache__"}
"""Folders of the standard library that nothing here loads; some hold files that aren't meant to compile."""

UNDONE = ("PYTHON", "QUARTERDECK", "GRPC_", "LD_", "MALLOC_", "CUDA_", "COLUMNS", "LINES", "VIRTUAL_ENV")
"""Variables, by their beginning, that nothing measured is to see."""


class NoBytecode(Exception):
    """Sources would be compiled at every import; says which and what would do."""


def measured_folders() -> list[Path]:
    """Where what is measured comes from: our package, the benchmarks, the packages and the standard library."""
    paths = sysconfig.get_paths()
    package = Path(quarterdeck.__file__).parent
    installed = dict.fromkeys(Path(paths[key]) for key in ("purelib", "platlib"))
    return [package, ROOT / "bench", ROOT / "examples", *installed, Path(paths["stdlib"])]


def sources(folder: Path) -> Iterator[Path]:
    """Python files below a folder, links followed: the package's rooms are links in a working tree."""
    library = folder == Path(sysconfig.get_paths()["stdlib"])
    for where, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if name not in (NOT_IMPORTED if library else {"__pycache__"})]
        yield from (Path(where, name) for name in names if name.endswith(".py"))


def is_compiled(source: Path) -> bool:
    """Whether the import system would take the bytecode that is there."""
    try:
        with open(importlib.util.cache_from_source(str(source)), "rb") as file:
            header = file.read(HEADER)
        found = source.stat()
    except OSError:
        return False
    if header[:4] != importlib.util.MAGIC_NUMBER:
        return False
    if int.from_bytes(header[4:8], "little"):  # by hash, which the import system trusts or checks by itself
        return True
    expected = (int(found.st_mtime) & 0xFFFFFFFF, found.st_size & 0xFFFFFFFF)
    return (int.from_bytes(header[8:12], "little"), int.from_bytes(header[12:16], "little")) == expected


def ensure_compiled() -> int:
    """Compile what is not; gives the number of sources that have bytecode. Raises `NoBytecode`."""
    lacking, compiled = [], 0
    for folder in measured_folders():
        for source in sources(folder):
            if is_compiled(source) or _compiles(source):
                compiled += 1
            elif not _is_broken(source):
                lacking.append(source)
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise NoBytecode(
            f"{lacking[0]}{more} can't be compiled to bytecode, so every import would be measured too slow; "
            "make the folder writable, or run: make clean bench"
        )
    return compiled


def _compiles(source: Path) -> bool:
    written = compileall.compile_file(str(source), quiet=2, legacy=False)
    return bool(written) and is_compiled(source)


def _is_broken(source: Path) -> bool:
    """Whether it is no Python of this version: a template or a sample, which nothing imports."""
    try:
        compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return True
    return False


def undo_caller_settings() -> None:
    """Forget what in the caller's shell would change Python, gRPC or us: here, in the engine and in all peers.

    PYTHONDONTWRITEBYTECODE for one. An engine and a caller that differ in such a variable would also keep pods
    from being forked.
    """
    for name in list(os.environ):
        if name.startswith(UNDONE) or name.lower().endswith("_proxy"):
            del os.environ[name]
    sys.dont_write_bytecode = False


def child_environment(home: Path) -> dict[str, str]:
    """The environment of every process that is measured: this one's, in a home of its own."""
    return {**os.environ, "HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
