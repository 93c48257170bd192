"""Files that were written for Jina, `jtype: Flow` or `jtype: Deployment`: the same nodes in our words.

Lines are kept, so that a mistake names the line of the file. What has no word of ours stays and is told of.
"""

from __future__ import annotations

from dataclasses import replace

from .compose import compose
from .nodes import Mapping, Node, Scalar, Sequence
from .wrong import Wrong, shown

_MILLISECONDS = ("timeout_ready", "timeout_send")
_WORDS = ("version",)
"""Keys that say nothing to us."""


def is_jinas(root: Mapping) -> bool:
    """Whether a file says that it is Jina's."""
    return any(key.text == "jtype" for key, _ in root.pairs)


def translated(root: Mapping) -> Mapping:
    """The topology that a file of Jina's says. Raises `Wrong` for one of another type."""
    kind = next(node for key, node in root.pairs if key.text == "jtype")
    pairs = tuple((key, node) for key, node in root.pairs if key.text not in ("jtype", *_WORDS))
    match kind:
        case Scalar(text="Flow"):
            return Mapping(tuple(_of_flow(key, node) for key, node in pairs), root.line)
        case Scalar(text="Deployment"):
            return _alone(pairs, root.line)
    said = shown(kind.text) if isinstance(kind, Scalar) else "a list or a map"
    raise Wrong(f"`jtype` is {said}", "topologies of Jina's are `Flow` and `Deployment`", line=kind.line)


def _of_flow(key: Scalar, node: Node) -> tuple[Scalar, Node]:
    match key.text, node:
        case "executors", Sequence():
            items = tuple(_deployment(item, f"executor{place}") for place, item in enumerate(node.items))
            return replace(key, text="deployments"), Sequence(items, node.line)
        case "executors", _:
            return replace(key, text="deployments"), node
        case "with", Mapping():
            return replace(key, text="gateway"), _gateway(node)
        case "gateway", Mapping():
            return key, _gateway(node)
        case _:
            return key, node


def _alone(pairs: tuple[tuple[Scalar, Node], ...], line: int) -> Mapping:
    """A deployment without a gateway."""
    given = [node for key, node in pairs if key.text == "with"]
    others = tuple(pair for pair in pairs if pair[0].text != "with")
    spec = _deployment(given[0] if given else Mapping((), line), "executor")
    word = Scalar("deployments", plain=True, line=line)
    none = (Scalar("gateway", plain=True, line=line), Scalar("none", plain=True, line=line))
    return Mapping((*others, none, (word, Sequence((spec,), line))), line)


def _deployment(node: Node, name: str) -> Node:
    if not isinstance(node, Mapping):
        return node
    pairs = tuple((key, _value(key.text, value)) for key, value in node.pairs)
    if not any(key.text == "name" for key, _ in pairs):
        given = Scalar(name, plain=False, line=node.line)
        pairs = ((Scalar("name", plain=True, line=node.line), given), *pairs)
    return Mapping(pairs, node.line)


def _value(key: str, node: Node) -> Node:
    match node:
        case Scalar() if key in _MILLISECONDS and node.plain and node.text.isdecimal():
            return replace(node, text=f"{node.text}ms")
        case Scalar() if key == "polling" and node.text.lstrip().startswith("{"):
            try:
                found = compose(node.text)
            except Wrong:
                return node
            return _at(found, node.line) if isinstance(found, Mapping) else node
        case Scalar() if key == "protocol":
            return replace(node, text=node.text.lower())
        case _:
            return node


def _at(found: Mapping, line: int) -> Mapping:
    """A map that stood as text within one line."""
    return Mapping(tuple((replace(key, line=line), _moved(value, line)) for key, value in found.pairs), line)


def _moved(node: Node, line: int) -> Node:
    return replace(node, line=line) if isinstance(node, Scalar) else node


def _gateway(node: Mapping) -> Mapping:
    return Mapping(tuple((key, _value(key.text, value)) for key, value in node.pairs), node.line)
