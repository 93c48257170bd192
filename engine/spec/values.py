"""From a node to the value of a key, by the key table; a wrong value is kept as a mistake and left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

from . import scalars
from .keys import DEPLOYMENT, GATEWAY, RESERVED_DEPLOYMENT, RESERVED_GATEWAY, Key, Kind
from .nodes import Mapping, Node, Scalar, Sequence
from .reader import Reader, join
from .topology import DeploymentSpec, GatewaySpec, Polling, Restart
from .wrong import Wrong, shown


class _Unset:
    """Type of the one value that says: wrong or not given, the default stands."""


UNSET = _Unset()


def read_table(
    reader: Reader, node: Mapping, path: str, table: tuple[Key, ...], reserved: frozenset[str], owner: str
) -> dict[str, Any]:
    """Values of a map by the key table; what is wrong or not given is left out."""
    nodes = reader.keys(node, path, table, reserved, owner)
    values = {name: _read(reader, key, nodes[name], join(path, name)) for name, key in _present(table, nodes)}
    return {name: value for name, value in values.items() if value is not UNSET}


def _present(table: tuple[Key, ...], nodes: dict[str, Node]) -> list[tuple[str, Key]]:
    return [(key.name, key) for key in table if key.name in nodes]


def _read(reader: Reader, key: Key, node: Node, path: str) -> Any:
    """The key's value, or UNSET."""
    try:
        if isinstance(node, Scalar) and reader.value(node) is None:
            if key.optional:
                return UNSET
            raise Wrong(f"{shown(key.name)} has no value", "write one, or leave the key out")
        return _value(reader, key, node, path)
    except Wrong as wrong:
        reader.wrong(path, wrong, reader.said(node, path))
        return UNSET


def _value(reader: Reader, key: Key, node: Node, path: str) -> Any:
    match key.kind:
        case Kind.NAME:
            return scalars.text(reader, node, path, "a name")
        case Kind.HOST:
            return scalars.text(reader, node, path, "an address")
        case Kind.WHOLE:
            return scalars.whole(reader, node, path)
        case Kind.FLAG:
            return scalars.flag(reader, node, path)
        case Kind.SECONDS:
            return scalars.duration(reader, node, path, endless=key.name == "timeout_ready")
        case Kind.CHOICE:
            word = scalars.choice(reader, node, path, key.choices)
            return Restart(word) if key.name == "restart" else word
        case Kind.PATH:
            return scalars.location(reader, node, path)
        case Kind.PATHS:
            return _some(reader, node, path, lambda item, here: scalars.existing(reader, item, here))
        case Kind.USES:
            return scalars.uses(reader, node, path)
        case Kind.NAMES:
            names = _some(reader, node, path, lambda item, here: scalars.text(reader, item, here, "a name"))
            # Jina's files name the gateway where ours leave `needs` out.
            return () if names == ("gateway",) else names
        case Kind.POLLING:
            return _polling(reader, node, path)
        case Kind.ENV:
            return _env(reader, node, path)
        case Kind.VALUES:
            if not isinstance(node, Mapping):
                raise Wrong(f"must be a map of arguments, not {reader.said(node, path)}")
            return reader.tree(node, path)
        case Kind.GATEWAY:
            return _gateway(reader, node, path)
        case Kind.DEPLOYMENTS:
            return _deployments(reader, node, path)
        case Kind.KEEP:
            if scalars.flag(reader, node, path):
                raise Wrong("`keep` is not built yet: pods end with their engine", "leave it out")
            return UNSET
        case _:
            assert_never(key.kind)


def _some(reader: Reader, node: Node, path: str, one: Callable[[Node, str], str]) -> tuple[str, ...]:
    """One value, or a list of them; an item that is wrong is left out."""
    if not isinstance(node, Sequence):
        return (one(node, path),)
    values = []
    for here, item in reader.items(node, path):
        try:
            values.append(one(item, here))
        except Wrong as wrong:
            reader.wrong(here, wrong, reader.said(item, here))
    return tuple(values)


def _polling(reader: Reader, node: Node, path: str) -> dict[str, Polling]:
    """By endpoint with its leading slash, `*` always among them."""
    if not isinstance(node, Mapping):
        return {"*": scalars.poll(reader, node, path)}
    polling: dict[str, Polling] = {}
    for name, item in reader.pairs(node, path).items():
        here = join(path, name)
        endpoint = name if name == "*" or name.startswith("/") else f"/{name}"
        try:
            if endpoint in polling:
                raise Wrong(f"the endpoint {shown(endpoint)} stands here twice")
            polling[endpoint] = scalars.poll(reader, item, here)
        except Wrong as wrong:
            reader.wrong(here, wrong, reader.said(item, here))
    return {"*": Polling.ANY, **polling}


def _env(reader: Reader, node: Node, path: str) -> dict[str, str]:
    if not isinstance(node, Mapping):
        said = reader.said(node, path)
        raise Wrong(f"must be a map of variables, not {said}", "write `NAME: value` below it")
    env: dict[str, str] = {}
    for name, item in reader.pairs(node, path).items():
        here = join(path, name)
        try:
            if not isinstance(item, Scalar):
                raise Wrong(f"a variable is text, not {reader.said(item, here)}")
            if reader.value(item) is None:
                raise Wrong(f"{shown(name)} has no value", 'write `""` for an empty one')
            # As it is written: `010` and `true` reach the pod in these letters.
            env[name] = reader.filled(item).text
        except Wrong as wrong:
            reader.wrong(here, wrong)
    return env


def _gateway(reader: Reader, node: Node, path: str) -> GatewaySpec | None:
    if isinstance(node, Mapping):
        return GatewaySpec(**read_table(reader, node, path, GATEWAY, RESERVED_GATEWAY, "a gateway"))
    if scalars.meaning(reader, node) == "none":
        return None
    raise Wrong(f"must be a map or `none`, not {reader.said(node, path)}")


def _deployments(reader: Reader, node: Node, path: str) -> tuple[DeploymentSpec, ...]:
    if not isinstance(node, Sequence):
        raise Wrong(f"must be a list, not {reader.said(node, path)}", "begin each deployment with `- name:`")
    specs: list[DeploymentSpec] = []
    for here, item in reader.items(node, path):
        fields: dict[str, Any] = {}
        if isinstance(item, Mapping):
            fields = read_table(reader, item, here, DEPLOYMENT, RESERVED_DEPLOYMENT, "a deployment")
        else:
            reader.wrong(here, Wrong(f"a deployment is a map, not {reader.said(item, here)}"))
        # One that is wrong keeps its place, so that paths of keys count as the file does.
        specs.append(DeploymentSpec(**{"name": "", **fields}))
    return tuple(specs)
