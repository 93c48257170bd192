"""Lists and maps of single values, raising `Wrong`, or keeping the mistake of an item and leaving it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from . import scalars
from .nodes import Mapping, Node, Scalar, Sequence
from .reader import Reader, join
from .topology import Polling
from .wrong import Wrong, shown

T = TypeVar("T")


def some(reader: Reader, node: Node, path: str, one: Callable[[Node, str], T]) -> tuple[T, ...]:
    """One value, or a list of them."""
    if not isinstance(node, Sequence):
        return (one(node, path),)
    values = []
    for here, item in reader.items(node, path):
        try:
            values.append(one(item, here))
        except Wrong as wrong:
            reader.wrong(here, wrong, reader.said(item, here))
    return tuple(values)


def one_or_more(reader: Reader, node: Node, path: str, one: Callable[[Node, str], T]) -> T | tuple[T, ...]:
    """A single value as such, a list as a tuple."""
    return some(reader, node, path, one) if isinstance(node, Sequence) else one(node, path)


def command(reader: Reader, node: Node, path: str) -> tuple[str, ...]:
    """Program and arguments, in the letters in which they are written."""
    if isinstance(node, Sequence):
        words = some(reader, node, path, lambda item, here: scalars.letters(reader, item, here, "word"))
    else:
        words = scalars.line(reader, node, path)
    if not words and not reader.has(path):
        raise Wrong("names no program", "begin with the program: `[./serve, --port, '{port}']`")
    return words


def mapped(
    reader: Reader, node: Node, path: str, what: str, one: Callable[[Reader, Node, str, str], T]
) -> dict[str, T]:
    """Values by name, each read by `one`."""
    if not isinstance(node, Mapping):
        raise Wrong(
            f"must be a map of {what}s, not {reader.said(node, path)}", "write `NAME: value` below it"
        )
    values: dict[str, T] = {}
    for name, item in reader.pairs(node, path).items():
        here = join(path, name)
        try:
            if isinstance(item, Scalar) and reader.value(item) is None:
                raise Wrong(f"{shown(name)} has no value", 'write `""` for an empty one')
            values[name] = one(reader, item, here, what)
        except Wrong as wrong:
            reader.wrong(here, wrong)
    return values


def polling(reader: Reader, node: Node, path: str) -> dict[str, Polling]:
    """By endpoint with its leading slash, `*` always among them."""
    if not isinstance(node, Mapping):
        return {"*": scalars.poll(reader, node, path)}
    found: dict[str, Polling] = {}
    for name, item in reader.pairs(node, path).items():
        here = join(path, name)
        endpoint = name if name == "*" or name.startswith("/") else f"/{name}"
        try:
            if endpoint in found:
                raise Wrong(f"the endpoint {shown(endpoint)} stands here twice")
            found[endpoint] = scalars.poll(reader, item, here)
        except Wrong as wrong:
            reader.wrong(here, wrong, reader.said(item, here))
    return {"*": Polling.ANY, **found}
