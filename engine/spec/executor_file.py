"""An executor's own YAML file: its class, where that is found, its arguments. It stands behind `uses`.

What is wrong in it is told with its own file and line.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from . import compounds, scalars
from .classes import Sources
from .compose import compose
from .executor import ENDINGS, parse
from .keys import EXECUTOR, RESERVED_EXECUTOR
from .nodes import Mapping, Node, Scalar
from .reader import Reader, join
from .texts import text_of
from .wrong import Wrong, closest, shown

_USES = ("uses", "uses_before", "uses_after")
_TELLS = frozenset({"name", "description", "url", "keywords"})
"""What `metas` says to people only."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ExecutorFile:
    """What the file says."""

    uses: str
    """`/abs/file.py:Class` or `module.Class`."""
    arguments: dict[str, Any]
    modules: tuple[str, ...]
    """Absolute paths for the import path."""


def settle(reader: Reader, path: str, fields: dict[str, Any]) -> None:
    """Put what executors' files say in place of their names into a deployment's fields.

    Arguments of the deployment's own win over those of the file.
    """
    for key in _USES:
        file = fields.get(key)
        if not isinstance(file, str) or not file.endswith(ENDINGS):
            continue
        del fields[key]
        where = join(path, key)
        try:
            found = _read(reader, file, where)
        except Wrong as wrong:
            reader.wrong(where, wrong, file)
            continue
        if found is None:
            continue
        fields[key] = found.uses
        fields["py_modules"] = tuple(dict.fromkeys((*fields.get("py_modules", ()), *found.modules)))
        if key == "uses":
            fields["uses_with"] = found.arguments | fields.get("uses_with", {})
        elif found.arguments:
            hint = "give defaults in the class, and leave `with` out"
            reader.wrong(where, Wrong(f"`{key}` takes no arguments, and {file} has `with`", hint))


def _read(reader: Reader, file: str, where: str) -> ExecutorFile | None:
    """What the file says; None when mistakes in it were kept. Raises `Wrong`."""
    try:
        root = compose(text_of(Path(file)))
    except Wrong as wrong:
        if wrong.line is None:
            raise Wrong(f"{file}: {wrong.message}", wrong.hint) from None
        raise Wrong(wrong.message, wrong.hint, file, wrong.line) from None
    if not isinstance(root, Mapping):
        raise Wrong(f"{file} is not a map of keys", "begin with `jtype:` and the class")
    inner = Reader(file, os.path.dirname(file), reader.variables)
    found = _parts(inner, root)
    for mistake in inner.mistakes:
        told = f"{mistake.key}: {mistake.message}"
        reader.wrong(where, Wrong(told, mistake.hint, mistake.file, mistake.line), mistake.value)
    if found is None or inner.mistakes:
        return None
    name, arguments, modules = found
    uses, rest = _place(name, modules, file)
    return ExecutorFile(uses, arguments, rest)


def _place(name: str, modules: tuple[str, ...], file: str) -> tuple[str, tuple[str, ...]]:
    """Where the class is, and what else belongs on the import path. Raises `Wrong`."""
    if "." in name:
        return str(parse(name)), modules
    sources = Sources(())
    seen: set[str] = set()
    for module in modules:
        source = os.path.join(module, "__init__.py") if os.path.isdir(module) else module
        if not source.endswith(".py") or not os.path.exists(source):
            continue
        names = sources.names(source)
        if name in names.classes | names.others or names.open:
            if source is module:
                return str(parse(f"{module}:{name}")), tuple(other for other in modules if other != module)
            return str(parse(f"{os.path.basename(module)}.{name}")), modules
        seen |= names.classes
    if not modules:
        hint = "name the files that it needs, its own first"
        raise Wrong(f"{file}: `py_modules` is missing, so nothing says where {shown(name)} is", hint)
    raise Wrong(f"{file}: no file of `py_modules` has a class {shown(name)}", closest(name, seen))


def _parts(inner: Reader, root: Mapping) -> tuple[str, dict[str, Any], tuple[str, ...]] | None:
    """Class, arguments and modules."""
    nodes = inner.keys(root, "", EXECUTOR, RESERVED_EXECUTOR, "an executor's file")
    if "jtype" in nodes and isinstance(nodes["jtype"], Scalar) and not nodes["jtype"].text:
        inner.wrong("jtype", Wrong("`jtype` has no value", "name the class"))
    name = _take(inner, nodes, "jtype", lambda node, at: scalars.text(inner, node, at, "a class"))
    arguments = _take(inner, nodes, "with", lambda node, at: _arguments(inner, node, at))
    modules = _take(inner, nodes, "py_modules", lambda node, at: _modules(inner, node, at))
    metas = _take(inner, nodes, "metas", lambda node, at: _metas(inner, node, at))
    return None if name is None else (name, arguments or {}, (*(modules or ()), *(metas or ())))


def _take(inner: Reader, nodes: dict[str, Node], key: str, read: Callable[[Node, str], T]) -> T | None:
    node = nodes.get(key)
    try:
        if node is None or (isinstance(node, Scalar) and inner.value(node) is None):
            return None
        return read(node, key)
    except Wrong as wrong:
        inner.wrong(key, wrong, inner.said(nodes[key], key))
        return None


def _arguments(inner: Reader, node: Node, path: str) -> dict[str, Any]:
    if not isinstance(node, Mapping):
        raise Wrong(f"must be a map of arguments, not {inner.said(node, path)}")
    arguments: dict[str, Any] = inner.tree(node, path)
    return arguments


def _modules(inner: Reader, node: Node, path: str) -> tuple[str, ...]:
    return compounds.some(inner, node, path, lambda item, here: scalars.existing(inner, item, here))


def _metas(inner: Reader, node: Node, path: str) -> tuple[str, ...]:
    """The modules that older files name in here."""
    if not isinstance(node, Mapping):
        raise Wrong(f"must be a map, not {inner.said(node, path)}")
    modules: tuple[str, ...] = ()
    for name, item in inner.pairs(node, path).items():
        here = join(path, name)
        if name == "py_modules":
            modules = _modules(inner, item, here)
        elif name not in _TELLS:
            inner.wrong(here, Wrong(f"{shown(name)} is not read here", "it may be a key of the deployment"))
    return modules
