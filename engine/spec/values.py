"""From a node to the value of a key, by the key table; a wrong value is kept as a mistake and left out."""

from __future__ import annotations

from typing import Any, assert_never

from ..model import Runtime
from . import compounds, executor_file, external, scalars
from .keys import (
    DEPLOYMENT,
    GATEWAY,
    LIMITS,
    PROBE,
    RESERVED_DEPLOYMENT,
    RESERVED_GATEWAY,
    Key,
    Kind,
)
from .nodes import Mapping, Node, Scalar, Sequence
from .reader import Reader, join
from .topology import DeploymentSpec, GatewaySpec, Limits, Partial, Probe, ProbeKind, Restart
from .wrong import Wrong, shown


class _Unset:
    """Type of the one value that says: wrong or not given, the default stands."""


UNSET = _Unset()
_WORDS = {"restart": Restart, "runtime": Runtime, "partial": Partial}
"""What becomes of a key's word."""


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
            return _WORDS[key.name](word) if key.name in _WORDS else word
        case Kind.PATH:
            return scalars.location(reader, node, path)
        case Kind.PATHS:
            return compounds.some(reader, node, path, lambda item, here: scalars.existing(reader, item, here))
        case Kind.USES:
            return scalars.uses(reader, node, path)
        case Kind.NAMES:
            names = compounds.some(
                reader, node, path, lambda item, here: scalars.text(reader, item, here, "a name")
            )
            # Jina's files name the gateway where ours leave `needs` out.
            return () if names == ("gateway",) and key.name == "needs" else names
        case Kind.POLLING:
            return compounds.polling(reader, node, path)
        case Kind.ENV:
            return compounds.mapped(reader, node, path, "variable", scalars.letters)
        case Kind.METADATA:
            return compounds.mapped(reader, node, path, "value", scalars.letters)
        case Kind.OPTIONS:
            return compounds.mapped(reader, node, path, "option", scalars.option)
        case Kind.VALUES:
            if not isinstance(node, Mapping):
                raise Wrong(f"must be a map of arguments, not {reader.said(node, path)}")
            return reader.tree(node, path)
        case Kind.GATEWAY:
            return _gateway(reader, node, path)
        case Kind.DEPLOYMENTS:
            return _deployments(reader, node, path)
        case Kind.HOSTS:
            return compounds.one_or_more(
                reader, node, path, lambda item, here: scalars.text(reader, item, here, "an address")
            )
        case Kind.PORTS:
            return compounds.one_or_more(
                reader, node, path, lambda item, here: scalars.whole(reader, item, here)
            )
        case Kind.NUMBER:
            return scalars.number(reader, node, path)
        case Kind.BYTES:
            return scalars.volume(reader, node, path)
        case Kind.PYTHON:
            return scalars.python(reader, node, path)
        case Kind.FILE:
            return scalars.file(reader, node, path)
        case Kind.COMMAND:
            return compounds.command(reader, node, path)
        case Kind.PROBE:
            return _probe(reader, node, path)
        case Kind.LIMITS:
            return _limits(reader, node, path)
        case Kind.TOKEN:
            return scalars.letters(reader, node, path, "token")
        case Kind.GPUS:
            return scalars.dealing(reader, node, path)
        case Kind.SERVICE:
            return scalars.yes_or(reader, node, path, str)
        case Kind.CONNECT:
            return scalars.yes_or(reader, node, path, int)
        case Kind.REQUEST:
            return scalars.text(reader, node, path, "the path of a URL")
        case Kind.PATTERN:
            return scalars.text(reader, node, path, "a regular expression")
        case Kind.KEEP:
            if scalars.flag(reader, node, path):
                raise Wrong("`keep` is not built yet: pods end with their engine", "leave it out")
            return UNSET
        case _:
            assert_never(key.kind)


def _probe(reader: Reader, node: Node, path: str) -> Probe | _Unset:
    """What is asked; UNSET when a part of it is wrong."""
    if not isinstance(node, Mapping):
        word = scalars.meaning(reader, node)
        if word not in ("grpc", "tcp"):
            hint = "a map asks otherwise, as `{http: /health}`, `{exec: [./check.sh]}` or `{log: started}`"
            raise Wrong(f"must be `grpc`, `tcp` or a map, not {reader.said(node, path)}", hint)
        return Probe(ProbeKind(word))
    values = read_table(reader, node, path, PROBE, frozenset(), "a probe")
    if reader.has(path):
        return UNSET
    asked = [kind for kind in ProbeKind if any(key.text == kind for key, _ in node.pairs)]
    if len(asked) != 1:
        those = " and ".join(map(shown, asked)) or "none of these"
        kinds = "`grpc`, `http`, `tcp`, `exec` and `log`"
        raise Wrong(f"a probe asks by one of {kinds}; here stands {those}", "keep one of them")
    question = values.pop(asked[0], None)
    if question is None and asked[0] not in (ProbeKind.GRPC, ProbeKind.TCP):
        raise Wrong(f"{shown(asked[0])} has no value", "write what is asked")
    return Probe(asked[0], **_question(asked[0], question, "port" in values), **values)


def _question(kind: ProbeKind, question: Any, has_port: bool) -> dict[str, Any]:
    """The fields that what stands behind the probe's kind fills."""
    match kind:
        case ProbeKind.GRPC | ProbeKind.HTTP:
            return {"path": question or ""}
        case ProbeKind.TCP:
            if question is not None and has_port:
                raise Wrong("the port stands here twice", "leave one of `tcp: PORT` and `port` out")
            return {} if question is None else {"port": question}
        case ProbeKind.EXEC:
            return {"command": question}
        case ProbeKind.LOG:
            return {"pattern": question}
        case _:
            assert_never(kind)


def _limits(reader: Reader, node: Node, path: str) -> Limits:
    if not isinstance(node, Mapping):
        raise Wrong(f"must be a map of limits, not {reader.said(node, path)}", "as `{memory: 2GiB, cpus: 2}`")
    return Limits(**read_table(reader, node, path, LIMITS, frozenset(), "limits"))


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
            external.settle(reader, here, fields)
            executor_file.settle(reader, here, fields)
        else:
            reader.wrong(here, Wrong(f"a deployment is a map, not {reader.said(item, here)}"))
        # One that is wrong keeps its place, so that paths of keys count as the file does.
        specs.append(DeploymentSpec(**{"name": "", **fields}))
    return tuple(specs)
