"""Whether a class is where `uses` says, found out from sources alone: the user's code is never imported."""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from .executor import FileClass, ModuleClass
from .wrong import Wrong, closest, shown

_LARGEST_SOURCE = 4 << 20


@dataclass(frozen=True, slots=True)
class Names:
    """What a module's source binds at its top level."""

    classes: frozenset[str]
    functions: frozenset[str]
    others: frozenset[str]
    """Imported or assigned: may well be classes."""
    open: bool
    """Something is imported by `*` or made by `__getattr__`, so that more names may be there."""


@dataclass(slots=True)
class Sources:
    """Looks classes up; each file is read once."""

    search: tuple[str, ...]
    """Folders of the import path, in order."""
    _read: dict[str, Names | Wrong] = field(default_factory=dict)

    def check(self, wanted: FileClass | ModuleClass, more: Sequence[str] = (), other: bool = False) -> None:
        """Raise `Wrong` unless the class is there; folders in `more` are searched before all others.

        With `other`, another interpreter will run it: a module that is not found here may be found there.
        """
        if isinstance(wanted, FileClass):
            self._check_class(wanted.path, wanted.name)
            return
        try:
            origin = find_module(wanted.module, (*more, *self.search))
        except Wrong:
            if other:
                return
            raise
        if origin is not None and origin.endswith(".py"):
            self._check_class(origin, wanted.name)

    def names(self, path: str) -> Names:
        """Names that the file binds. Raises `Wrong` when it can't be read or parsed."""
        if path not in self._read:
            try:
                self._read[path] = _names(path)
            except Wrong as wrong:
                self._read[path] = wrong
        found = self._read[path]
        if isinstance(found, Wrong):
            raise Wrong(found.message, found.hint, found.file, found.line)
        return found

    def _check_class(self, path: str, name: str) -> None:
        names = self.names(path)
        if name in names.classes | names.others:
            return
        if name in names.functions:
            raise Wrong(f"{shown(name)} in {path} is a function", "an executor is a class")
        if not names.open:
            raise Wrong(
                f"{path} has no class {shown(name)}", closest(name, names.classes) or _list(names.classes)
            )


def find_module(name: str, search: Sequence[str]) -> str | None:
    """Path of a module's source, or None where it has none (built in). Raises `Wrong` if there is no module.

    Packages on the way are not imported: their folders are searched by name.
    """
    PathFinder.invalidate_caches()
    top, *rest = name.split(".")
    spec = _find(top, search) or _known(top)
    path = top
    for part in rest:
        if spec is None:
            break
        if spec.submodule_search_locations is None:
            raise Wrong(f"the module {shown(path)} is not a package, so {shown(name)} is not in it")
        spec = _find(part, list(spec.submodule_search_locations))
        path += f".{part}"
    if spec is None:
        looked = ", ".join(dict.fromkeys(folder or "." for folder in search if not folder.endswith(".zip")))
        raise Wrong(f"there is no module {shown(path)}", f"looked in {looked}")
    if spec.origin is None and spec.submodule_search_locations is not None:
        raise Wrong(f"{shown(path)} is a folder without `__init__.py`, so no class is in it")
    return spec.origin


def search_path(folder: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """Where a pod's interpreter will look for modules, as far as can be told from here."""
    named = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    venv = env.get("VIRTUAL_ENV", "")
    sites: list[str] = []
    if venv and "\0" not in venv and Path(venv) != Path(sys.prefix):
        sites = sorted(map(str, Path(venv).glob("lib/python3*/site-packages")))
    return (folder, *named, *sites, *sys.path)


def _find(name: str, search: Sequence[str]) -> ModuleSpec | None:
    try:
        return PathFinder.find_spec(name, list(search))
    except (OSError, ValueError, ImportError):
        return None


def _known(name: str) -> ModuleSpec | None:
    """A top-level module that only this interpreter's other finders know, such as editable installs."""
    import importlib.util

    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None


def _names(path: str) -> Names:
    """Read one file."""
    try:
        if not os.path.exists(path):
            raise Wrong(f"there is no file {path}", _neighbour(path))
        if not os.path.isfile(path):
            raise Wrong(f"{path} is not a file")
        if os.path.getsize(path) > _LARGEST_SOURCE:
            raise Wrong(f"{path} is larger than any source")
        source = Path(path).read_bytes()
    except OSError as error:
        raise Wrong(f"{path} can't be read: {error.strerror}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source, filename=path)
    except SyntaxError as error:
        raise Wrong(f"not Python: {error.msg}", file=path, line=error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Wrong(f"not Python: {error or type(error).__name__}", file=path) from None
    return _collect(tree)


def _collect(tree: ast.Module) -> Names:
    classes: set[str] = set()
    functions: set[str] = set()
    others: set[str] = set()
    for node in _top_level(tree.body):
        match node:
            case ast.ClassDef(name=name):
                classes.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                functions.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                others.update(alias.asname or alias.name.partition(".")[0] for alias in aliases)
            case _:
                others.update(
                    part.id
                    for part in ast.walk(node)
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
                )
    return Names(
        frozenset(classes),
        frozenset(functions),
        frozenset(others),
        "*" in others or "__getattr__" in functions,
    )


def _top_level(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import, those inside `if`, `try` and `with` included."""
    for node in body:
        match node:
            case ast.If() | ast.For() | ast.While():
                yield from _top_level((*node.body, *node.orelse))
            case ast.Try() | ast.TryStar():
                handled = (statement for handler in node.handlers for statement in handler.body)
                yield from _top_level((*node.body, *handled, *node.orelse, *node.finalbody))
            case ast.With():
                yield from _top_level(node.body)
            case _:
                yield node


def _list(classes: frozenset[str]) -> str:
    if not classes:
        return "it has no class at all"
    some = sorted(classes)[:8]
    return "it has " + ", ".join(map(shown, some)) + (" and more" if len(classes) > len(some) else "")


def _neighbour(path: str) -> str:
    """A file of nearly that name beside it."""
    folder, name = os.path.split(path)
    try:
        return closest(name, [entry for entry in os.listdir(folder) if entry.endswith(".py")])
    except OSError:
        return f"nor is there a folder {folder}"
