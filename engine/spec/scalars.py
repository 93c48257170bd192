"""Single values: one function for each kind of scalar, raising `Wrong` with what stands there instead."""

from __future__ import annotations

import os
import shlex

from . import certificates
from .durations import seconds
from .executor import ENDINGS, FileClass, parse
from .interpreter import interpreter
from .nodes import Node, Scalar
from .reader import Reader
from .sizes import size
from .topology import Polling
from .wrong import Wrong, closest, shown


def meaning(reader: Reader, node: Node) -> bool | int | float | str | None:
    """What a scalar means; None for whatever is no scalar."""
    return reader.value(node) if isinstance(node, Scalar) else None


def text(reader: Reader, node: Node, path: str, what: str) -> str:
    value = meaning(reader, node)
    if not isinstance(value, str):
        # `name: 7` is nearly always meant as it stands there.
        hint = "put it in quotes" if value is not None else ""
        raise Wrong(f"must be {what}, not {reader.said(node, path)}", hint)
    return value


def whole(reader: Reader, node: Node, path: str) -> int:
    value = meaning(reader, node)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong(f"must be a whole number, not {reader.said(node, path)}")
    return value


def flag(reader: Reader, node: Node, path: str) -> bool:
    value = meaning(reader, node)
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {reader.said(node, path)}")
    return value


def number(reader: Reader, node: Node, path: str) -> int | float:
    value = meaning(reader, node)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(f"must be a number, not {reader.said(node, path)}")
    return value


def volume(reader: Reader, node: Node, path: str) -> int:
    """Bytes."""
    value = meaning(reader, node)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Wrong(f"must be a size, not {reader.said(node, path)}", "write bytes, or `500MB`, `2GiB`")
    return size(value)


def letters(reader: Reader, node: Node, path: str, what: str) -> str:
    """The letters in which it is written: `010` and `true` stay as they are."""
    if not isinstance(node, Scalar):
        raise Wrong(f"a {what} is text, not {reader.said(node, path)}")
    return reader.filled(node).text


def option(reader: Reader, node: Node, path: str, what: str) -> int | str:
    """An argument of gRPC's."""
    value = meaning(reader, node)
    if isinstance(value, bool) or not isinstance(value, int | str):
        hint = "write 1 for true and 0 for false" if isinstance(value, bool) else ""
        raise Wrong(f"an {what} is a whole number or text, not {reader.said(node, path)}", hint)
    return value


def line(reader: Reader, node: Node, path: str) -> tuple[str, ...]:
    """The words of a command that is written as one line."""
    said = text(reader, node, path, "a list of words, or one line")
    try:
        return tuple(shlex.split(said))
    except ValueError as error:
        raise Wrong(f"{shown(said)} can't be split into words: {error}", "write a list of words") from None


def dealing(reader: Reader, node: Node, path: str) -> str:
    """`spread`, `auto`, or the digits of a number."""
    value = meaning(reader, node)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise Wrong(f"must be `spread`, `auto` or a whole number, not {reader.said(node, path)}")
    return value


def yes_or(reader: Reader, node: Node, path: str, kind: type[int] | type[str]) -> int | str | None:
    """A value of this kind, or None where `true` says that it goes without one."""
    value = meaning(reader, node)
    if value is True:
        return None
    if isinstance(value, bool) or not isinstance(value, kind):
        what = "a port" if kind is int else "a service's name"
        raise Wrong(f"must be true or {what}, not {reader.said(node, path)}")
    return value


def duration(reader: Reader, node: Node, path: str, endless: bool) -> float | None:
    """Seconds; with `endless`, -1 is None: for ever."""
    value = meaning(reader, node)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        hint = "write seconds, or `90s`, `10m`, `1h`"
        raise Wrong(f"must be a duration, not {reader.said(node, path)}", hint)
    return None if endless and value in (-1, "-1") else seconds(value)


def choice(reader: Reader, node: Node, path: str, choices: tuple[str, ...]) -> str:
    value = meaning(reader, node)
    if not isinstance(value, str) or value not in choices:
        words = ", ".join(map(shown, choices))
        near = closest(value, choices) if isinstance(value, str) else ""
        what = f"one of {words}" if len(choices) > 1 else words
        raise Wrong(f"must be {what}, not {reader.said(node, path)}", near)
    return value


def poll(reader: Reader, node: Node, path: str) -> Polling:
    value = meaning(reader, node)
    if not isinstance(value, str) or value.upper() not in Polling.__members__:
        hint = "a map gives each endpoint its own"
        raise Wrong(f"must be `ANY` or `ALL`, not {reader.said(node, path)}", hint)
    return Polling(value.upper())


def location(reader: Reader, node: Node, path: str) -> str:
    """An absolute path."""
    return absolute(reader, text(reader, node, path, "a path"))


def existing(reader: Reader, node: Node, path: str) -> str:
    """An absolute path at which there is something."""
    found = location(reader, node, path)
    if not os.path.exists(found):
        raise Wrong(f"there is no file or folder {found}")
    return found


def file(reader: Reader, node: Node, path: str) -> str:
    """An absolute path of a file that can be read."""
    found = location(reader, node, path)
    certificates.readable(found)
    return found


def python(reader: Reader, node: Node, path: str) -> str:
    """An absolute path of an interpreter."""
    word = text(reader, node, path, "an interpreter, or a virtual environment's folder")
    return interpreter(absolute(reader, word), word, reader.variables.get("PATH", ""))


def uses(reader: Reader, node: Node, path: str) -> str | None:
    """An executor, its file's path absolute; None for the default one. Its YAML file stays to be read."""
    said = text(reader, node, path, "an executor")
    if said.endswith(ENDINGS) and "://" not in said:
        return absolute(reader, said)
    found = parse(said)
    if isinstance(found, FileClass):
        return str(FileClass(absolute(reader, found.path), found.name))
    return None if found is None else str(found)


def absolute(reader: Reader, path: str) -> str:
    """The path from the file's folder; `~` is the caller's home."""
    if not path or "\0" in path:
        raise Wrong(f"{shown(path)} is not a path")
    home = reader.variables.get("HOME", "")
    if home and (path == "~" or path.startswith("~/")):
        path = home + path[1:]
    return os.path.normpath(os.path.join(reader.folder, path))
