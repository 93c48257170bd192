"""YAML text to nodes with lines, from the parser's events in one pass.

The caps are counted as the events come, so that nesting bombs and alias bombs end at once: nothing that a
text can say makes this read more than `MAX_NODES` values or go deeper than `MAX_DEPTH`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .nodes import Mapping, Node, Scalar, Sequence
from .wrong import Wrong, shown

MAX_DEPTH = 32
MAX_NODES = 50_000
"""Keys and values of one file, each alias counted as all that it stands for."""


@dataclass(slots=True)
class _Open:
    """A list or a map that is still being read."""

    line: int
    is_map: bool
    anchor: str | None
    nodes: list[Node] = field(default_factory=list)
    size: int = 1


def compose(text: str) -> Node | None:
    """The one document of `text`, or None when there is none. Raises `Wrong` with the line."""
    composer = _Composer()
    for event in _events(text):
        composer.take(event)
    return composer.root


def _events(text: str) -> Iterator[Any]:
    """The parser's events; whatever it raises becomes `Wrong`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except Wrong:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ": ".join(part for part in (error.context, error.problem) if part)
        line = mark.line + 1 if mark else None
        raise Wrong(f"not YAML: {said}", _tab_hint(text, line), line=line) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Wrong(
            f"not YAML: character U+{ord(text[error.position]):04X} may not stand in it", line=line
        ) from None
    except Exception as error:  # the parser is not total: odd texts end in ValueError, IndexError and others
        raise Wrong(f"not YAML: the parser gave up ({type(error).__name__})") from None


def _tab_hint(text: str, line: int | None) -> str:
    """What to do when a tab indents the line that could not be read, or the one before it."""
    near = text.splitlines()[max(0, (line or 1) - 2) : line]
    indents = (row[: len(row) - len(row.lstrip())] for row in near)
    return "YAML indents with spaces, not with tabs" if any("\t" in indent for indent in indents) else ""


class _Composer:
    """Builds nodes from events with a stack of its own, so that depth never becomes recursion."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._count = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        line = event.start_mark.line + 1
        match type(event).__name__:
            case "DocumentStartEvent":
                if self.root is not None:
                    raise Wrong("a second document begins here", "one file holds one topology", line=line)
            case "ScalarEvent":
                scalar = self._scalar(event, line)
                self._count_in(1, line)
                if event.anchor is not None:
                    self._anchors[event.anchor] = (scalar, 1)
                self._place(scalar, 1)
            case "AliasEvent":
                self._alias(event.anchor, line)
            case "SequenceStartEvent" | "MappingStartEvent" as kind:
                _refuse_tag(event.tag, line, "map" if kind == "MappingStartEvent" else "seq")
                self._count_in(1, line)
                if len(self._stack) == MAX_DEPTH:
                    raise Wrong(f"nested more than {MAX_DEPTH} deep", line=line)
                if event.anchor is not None:
                    self._anchors[event.anchor] = None
                self._stack.append(_Open(line, kind == "MappingStartEvent", event.anchor))
            case "SequenceEndEvent" | "MappingEndEvent":
                done = self._stack.pop()
                node = _closed(done)
                if done.anchor is not None:
                    self._anchors[done.anchor] = (node, done.size)
                self._place(node, done.size)
            case _:
                pass

    def _scalar(self, event: Any, line: int) -> Scalar:
        text = str(event.value)
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise Wrong("half of a surrogate pair is not text", line=line)
        _refuse_tag(event.tag, line, "str")
        return Scalar(text, plain=not event.style and event.tag is None, line=line)

    def _alias(self, name: str, line: int) -> None:
        if name not in self._anchors:
            raise Wrong(f"`*{name}` stands for nothing", f"mark a value with `&{name}` before it", line=line)
        found = self._anchors[name]
        if found is None:
            raise Wrong(f"`*{name}` stands within itself", line=line)
        node, size = found
        self._count_in(size, line)
        self._place(node, size)

    def _count_in(self, size: int, line: int) -> None:
        self._count += size
        if self._count > MAX_NODES:
            raise Wrong(f"more than {MAX_NODES} values, counting what aliases stand for", line=line)

    def _place(self, node: Node, size: int) -> None:
        """Put a finished node where it belongs; `size` counts it with all that is in it."""
        if self._stack:
            self._stack[-1].nodes.append(node)
            self._stack[-1].size += size
        else:
            self.root = node


def _closed(done: _Open) -> Node:
    """The list or map, now that all of it is there."""
    if not done.is_map:
        return Sequence(tuple(done.nodes), done.line)
    pairs: list[tuple[Scalar, Node]] = []
    for key, value in zip(done.nodes[::2], done.nodes[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise Wrong("a key must be a word, not a list or a map", line=key.line)
        if key.plain and key.text == "<<":
            raise Wrong("`<<` merges nothing in YAML 1.2", "write the keys out", line=key.line)
        pairs.append((key, value))
    return Mapping(tuple(pairs), done.line)


def _refuse_tag(tag: str | None, line: int, allowed: str) -> None:
    """Tags other than the plain one of the value's own kind make objects, and nothing here does."""
    if tag not in (None, "!", f"!!{allowed}", f"tag:yaml.org,2002:{allowed}"):
        raise Wrong(f"the tag {shown(tag)} is not read", "write the value without it", line=line)
