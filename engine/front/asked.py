"""Keyword arguments read as the keys of a file are, by the same table and the same code: same words, same mistakes."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping as Map
from dataclasses import replace
from enum import Enum
from numbers import Integral, Real
from typing import Any

from ..errors import Mistake, SpecError, UsageError
from ..spec import executor_file, external, keys
from ..spec.check import check
from ..spec.nodes import Mapping, Node, Scalar, Sequence
from ..spec.reader import Reader, join
from ..spec.surroundings import look_around
from ..spec.topology import DeploymentSpec, GatewaySpec, Limits, Probe, Topology
from ..spec.values import read_table
from ..spec.wrong import Wrong

Uses = str | type | None
EXECUTORS = ("uses", "uses_before", "uses_after")
_DEEPEST = 32
_TABLE = tuple(key for key in keys.DEPLOYMENT if key.name != "name")  # Python's may go without
_ALONE = "deployments[0]"


def deployment_of(asked: Map[str, Any]) -> DeploymentSpec:
    """The deployment that these keywords ask for, as one of a file in the working folder.

    Raises SpecError with every mistake, and UsageError for a class that no other process can find.
    """
    name = asked.get("name", "")
    given = {key: value for key, value in asked.items() if key != "name"}
    for key in EXECUTORS:
        if isinstance(given.get(key), type):
            given[key] = place_of(given[key])
    reader = _reader()
    fields = _read(reader, given, _ALONE, _TABLE, "a deployment")
    external.settle(reader, _ALONE, fields)
    executor_file.settle(reader, _ALONE, fields)
    spec = DeploymentSpec(**{"name": name, **fields})
    _judge(reader, alone(spec))
    _raise(reader, f"{_ALONE}.")
    return spec


def gateway_of(asked: GatewaySpec | Map[str, Any] | str | None) -> GatewaySpec | None:
    """The gateway asked for by keys, as one already read, or by None or `none` as none. Raises SpecError."""
    if asked is None or asked == "none" or isinstance(asked, GatewaySpec):
        return asked if isinstance(asked, GatewaySpec) else None
    if not isinstance(asked, Map):
        raise SpecError((Mistake("must be a map of keys, or None", key="gateway", value=str(asked)),))
    reader = _reader()
    gateway = GatewaySpec(**_read(reader, asked, "gateway", keys.GATEWAY, "a gateway"))
    _raise(reader)
    return gateway


def topology_of(name: str, specs: tuple[DeploymentSpec, ...], gateway: GatewaySpec | None) -> Topology:
    """A checked topology. Raises SpecError."""
    topology = Topology(name, specs, gateway, folder=os.getcwd())
    reader = _reader()
    _judge(reader, topology)
    _raise(reader)
    return topology


def alone(spec: DeploymentSpec) -> Topology:
    """A deployment by itself: what it needs or depends on is not there, and its own address is the door."""
    lone = replace(spec, needs=(), depends_on=())
    return Topology(spec.name or "deployment", (lone,), gateway=None, folder=os.getcwd())


def place_of(kind: type) -> str:
    """Where other processes find a class: `file.py:Class` or `module.Class`.

    Raises UsageError for a class that no file holds (one typed at a prompt, or within a function).
    """
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    if "<locals>" in kind.__qualname__ or (file is None and kind.__module__ == "__main__"):
        raise UsageError(
            f"{kind.__qualname__} can't be found by another process",
            "put the class at the top of a file and name it `file.py:Class`",
        )
    if file is not None:
        return f"{os.path.abspath(inspect.getfile(kind))}:{kind.__qualname__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def _reader() -> Reader:
    """Its variables are for what a path may begin with, and where programs are: text is never filled in."""
    return Reader("", os.getcwd(), os.environ)


def _judge(reader: Reader, topology: Topology) -> None:
    """What is wrong with it as a whole, and with what it names."""
    # A value that could not be read stands at its default; what that leads to is no second mistake.
    unread = (_ALONE,) if reader.mistakes else ()
    for mistake in check(topology, unread):
        if not reader.has(mistake.key):
            reader.wrong(mistake.key, Wrong(mistake.message, mistake.hint), mistake.value)
    look_around(reader, topology, os.environ)


def _raise(reader: Reader, prefix: str = "") -> None:
    """Raise SpecError for what the reader holds; keys without the prefix that every one of them has."""
    if reader.mistakes:
        found = (replace(mistake, key=mistake.key.removeprefix(prefix)) for mistake in reader.mistakes)
        raise SpecError(tuple(dict.fromkeys(found)))  # what is wrong with its name is so with its topology's


def _read(
    reader: Reader, given: Map[str, Any], path: str, table: tuple[keys.Key, ...], owner: str
) -> dict[str, Any]:
    """Fields by the key table; what is wrong is in the reader. None says that nothing was given."""
    pairs: list[tuple[Scalar, Node]] = []
    fields: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, Probe | Limits):
            fields[name] = value
        elif value is not None:
            try:
                pairs.append((Scalar(name, False, 0), _node(value, name)))
            except Wrong as wrong:
                reader.wrong(join(path, name), wrong)
    return {**fields, **read_table(reader, Mapping(tuple(pairs), 0), path, table, frozenset(), owner)}


def _node(value: object, path: str, depth: int = 0) -> Node:
    """A Python value as a file's text would give it; text stands for itself, `${` included. Raises `Wrong`."""
    if depth > _DEEPEST:
        raise Wrong(f"{path} is nested more than {_DEEPEST} deep")
    if isinstance(value, Enum):
        value = value.value
    match value:
        case None:
            return Scalar("null", True, 0)
        case bool():
            return Scalar(str(value).lower(), True, 0)
        case str() | os.PathLike():
            return Scalar(os.fspath(value).replace("${", "$${"), False, 0)
        case Integral():
            return Scalar(str(int(value)), True, 0)
        case Real():
            return Scalar(_number(float(value)), True, 0)
        case Map():
            pairs = (
                (Scalar(str(key), False, 0), _node(item, join(path, str(key)), depth + 1))
                for key, item in value.items()
            )
            return Mapping(tuple(pairs), 0)
        case list() | tuple():
            items = (_node(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value))
            return Sequence(tuple(items), 0)
    hint = "give text, numbers, true or false, lists and maps of these"
    raise Wrong(f"{path}: {type(value).__name__} can't travel to another process", hint)


def _number(value: float) -> str:
    text = repr(value)
    return text.replace("inf", ".inf").replace("nan", ".nan")
