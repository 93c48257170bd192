"""What `uses` may say, as text: `file.py:Class`, `module.Class`, or nothing for the default executor."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .topology import DEFAULT_EXECUTOR
from .wrong import Wrong, shown

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BUILT_LATER = frozenset(
    {"docker", "jinahub", "jinahub+docker", "jinahub+sandbox", "jinaai", "jinaai+docker", "jinaai+sandbox"}
)
ENDINGS = (".yml", ".yaml")
"""Of an executor's own file, which is read before: a spec holds what it says."""

_FORMS = "write `file.py:Class` or `module.Class`, or leave `uses` out for the default executor"


@dataclass(frozen=True, slots=True)
class FileClass:
    """A class in a file."""

    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.path}:{self.name}"


@dataclass(frozen=True, slots=True)
class ModuleClass:
    """A class in a module of the import path."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


def parse(text: str) -> FileClass | ModuleClass | None:
    """What a `uses` names; None for the default executor. Raises `Wrong`."""
    if text in DEFAULT_EXECUTOR:
        return None
    scheme = _SCHEME.match(text)
    if scheme is not None:
        known = scheme[1].lower() in _BUILT_LATER
        raise Wrong(f"`{scheme[1]}://` " + ("is not built yet" if known else "names no executor"), _FORMS)
    if text.endswith(ENDINGS):
        raise Wrong("an executor's YAML file names no class by itself", _FORMS)
    path, colon, name = text.rpartition(":")
    if colon and path.endswith(".py"):
        if "\0" in path or not name.isidentifier():
            raise Wrong(f"{shown(text)} names no class", _FORMS)
        return FileClass(path, name)
    if text.endswith(".py"):
        raise Wrong(f"{shown(text)} names a file without its class", "write `file.py:Class`")
    module, dot, name = text.rpartition(".")
    parts = (*module.split("."), name)
    if dot and all(part.isidentifier() for part in parts):
        return ModuleClass(module, name)
    if text.isidentifier():
        raise Wrong(f"{shown(text)} names a class without its file or module", _FORMS)
    raise Wrong(f"{shown(text)} names no executor", _FORMS)
