"""`Reader`: walks a file's nodes, fills in variables, and keeps every mistake with the line of its key."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import Mistake
from .keys import SYNONYMS, Key
from .nodes import Mapping, Node, Scalar, Sequence, resolve
from .secrets import MASK, looks_secret
from .variables import fill
from .wrong import Wrong, closest, shown

MOST_MISTAKES = 100
"""More are counted and not shown: nobody reads them, and each costs a search for what was meant."""


@dataclass(slots=True)
class Reader:
    """State of one reading of one file."""

    file: str
    """As the user named it."""
    folder: str
    """Absolute; what relative paths start from."""
    variables: Map[str, str]
    lines: dict[str, int] = field(default_factory=dict)
    """Line of every key by its path."""
    count: int = 0
    _found: dict[tuple[int, str, str], Mistake] = field(default_factory=dict)

    def wrong(self, path: str, wrong: Wrong, value: str = "", line: int | None = None) -> None:
        """Keep a mistake, at the line of its key if none is given; the same again (by an alias) is dropped."""
        if line is None:
            line = self.lines.get(path, 0)
        place = (line, path, wrong.message)
        if place in self._found:
            return
        self.count += 1
        if len(self._found) < MOST_MISTAKES:
            where = wrong.file or self.file
            at = wrong.line if wrong.file else line
            self._found[place] = Mistake(wrong.message, wrong.hint, where, at, path, value)

    def has(self, path: str) -> bool:
        """Whether something is wrong with this key, with what is in it, or with what it is in."""
        return any(_within(key, path) or _within(path, key) for _, key, _ in self._found if key)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """All that were found, in the file's order."""
        found = [mistake for _, mistake in sorted(self._found.items(), key=lambda item: item[0][0])]
        if self.count > MOST_MISTAKES:
            found.append(Mistake(f"{self.count - MOST_MISTAKES} more mistakes are not shown", file=self.file))
        return tuple(found)

    def keys(
        self, node: Mapping, path: str, table: tuple[Key, ...], reserved: frozenset[str], owner: str
    ) -> dict[str, Node]:
        """Values by key; unknown, reserved and doubled keys are mistakes and left out."""
        known = {key.name for key in table}
        values: dict[str, Node] = {}
        for name, value in self.pairs(node, path).items():
            here = join(path, name)
            if name in known:
                values[name] = value
            elif name in reserved:
                self.wrong(here, Wrong(f"{shown(name)} is not built yet", "leave it out"), name)
            elif self.count < MOST_MISTAKES:
                self.wrong(here, Wrong(f"{shown(name)} is not a key of {owner}", _meant(name, known)), name)
            else:
                self.count += 1
        for key in table:
            if key.required and key.name not in values and not self.has(join(path, key.name)):
                lacking = Wrong(f"{owner} needs the key {shown(key.name)}")
                self.wrong(join(path, key.name), lacking, line=node.line)
        return values

    def pairs(self, node: Mapping, path: str) -> dict[str, Node]:
        """Values by key, whatever the keys; of a doubled key the first stands."""
        values: dict[str, Node] = {}
        for key, value in node.pairs:
            here = join(path, key.text)
            if key.text in values:
                twice = f"{shown(key.text)} stands here twice, first in line {self.lines[here]}"
                self.wrong(here, Wrong(twice), line=key.line)
            else:
                self.lines[here] = key.line
                values[key.text] = value
        return values

    def items(self, node: Sequence, path: str) -> list[tuple[str, Node]]:
        """Path and node of each item."""
        found = [(f"{path}[{index}]", item) for index, item in enumerate(node.items)]
        for here, item in found:
            self.lines[here] = item.line
        return found

    def filled(self, node: Scalar) -> Scalar:
        """The scalar with its variables filled in. Raises `Wrong`."""
        text, secret = fill(node.text, self.variables)
        return node if text == node.text else replace(node, text=text, secret=secret)

    def value(self, node: Scalar) -> bool | int | float | str | None:
        """What the scalar means once it is filled. Raises `Wrong`."""
        return resolve(self.filled(node))

    def tree(self, node: Node, path: str) -> Any:
        """Plain data of a whole node; a value that can't be read is a mistake and becomes None."""
        match node:
            case Mapping():
                return {
                    name: self.tree(item, join(path, name)) for name, item in self.pairs(node, path).items()
                }
            case Sequence():
                return [self.tree(item, here) for here, item in self.items(node, path)]
            case Scalar():
                try:
                    return self.value(node)
                except Wrong as wrong:
                    self.wrong(path, wrong)
                    return None

    def said(self, node: Node, path: str) -> str:
        """The value for a message: never a secret's."""
        match node:
            case Mapping():
                return "a map"
            case Sequence():
                return "a list"
            case Scalar() if looks_secret(path):
                return MASK
        try:
            filled = self.filled(node)
            quoted = not filled.plain and not isinstance(resolve(replace(filled, plain=True)), str)
        except Wrong:
            return shown(node.text)
        if filled.secret:
            return shown(node.text)
        return ("the text " if quoted else "") + (shown(filled.text) if filled.text else "nothing")


def join(path: str, key: str) -> str:
    """Path of a key within the one at `path`."""
    name = key if key.isprintable() and 0 < len(key) <= 60 else shown(key)
    return f"{path}.{name}" if path else name


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))


def _meant(name: str, known: set[str]) -> str:
    if SYNONYMS.get(name) in known:
        return f"did you mean {shown(SYNONYMS[name])}?"
    return closest(name, known)
