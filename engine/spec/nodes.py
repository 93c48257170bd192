"""The nodes of a YAML text, each with its line, and what a scalar means by YAML 1.2's core schema."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .wrong import Wrong, shown

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST_NUMBER = 300
"""Digits; more is a slip, and Python itself refuses to read very long ones."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as written."""

    text: str
    plain: bool
    """Written without quotes, so that it may be something else than text."""
    line: int
    """From 1."""
    secret: bool = False
    """Filled from a variable whose name looks secret."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map; its keys stand in the order of the file, doubled ones included."""

    pairs: tuple[tuple[Scalar, Node], ...]
    line: int


Node = Scalar | Sequence | Mapping


def resolve(scalar: Scalar) -> bool | int | float | str | None:
    """What the scalar means: `no` and `1:30` are text, `010` is ten. Raises `Wrong` for an endless number."""
    text = scalar.text
    if not scalar.plain:
        return text
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    return _number(text)


def _number(text: str) -> int | float | str:
    """The number that a plain text is, or the text itself."""
    if len(text) > _LONGEST_NUMBER:
        if _DECIMAL.fullmatch(text) or _FLOAT.fullmatch(text):
            raise Wrong(f"{shown(text)} is longer than any number", "put it in quotes if it is text")
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text
