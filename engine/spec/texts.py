"""The text of a file that a person named: how large it may be, and what to say when it can't be read."""

from __future__ import annotations

import stat
from pathlib import Path

from .wrong import Wrong, closest

MAX_BYTES = 1 << 20
_ENDINGS = (".yml", ".yaml")


def text_of(path: Path) -> str:
    """The file's text. Raises `Wrong`."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise Wrong("is a folder", _within(path))
        if not stat.S_ISREG(mode):
            raise Wrong("is not a regular file")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise Wrong("there is no such file", _beside(path)) from None
    except (OSError, ValueError) as error:
        raise Wrong(f"can't be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise Wrong(f"is larger than {MAX_BYTES >> 20} MiB", "a topology file is text of a few kilobytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Wrong("is not UTF-8 text", "save it as UTF-8", line=line) from None


def _within(folder: Path) -> str:
    """Topology files in a folder that was given in place of one."""
    found = _yaml_files(folder)
    return f"did you mean {folder / _first(found)}?" if found else "name the topology file in it"


def _beside(path: Path) -> str:
    return closest(path.name, _yaml_files(path.parent))


def _yaml_files(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.suffix in _ENDINGS)
    except (OSError, ValueError):
        return []


def _first(names: list[str]) -> str:
    """`topology.yml` where it is there, else the first."""
    return min(names, key=lambda name: (not name.startswith("topology."), name))
