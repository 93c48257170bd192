"""`Filter`: which names or lines are wanted: a regular expression, `!` for its inverse, `-f ` for fuzzy."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as typed. Lower case matches either case."""

    typed: str
    pattern: re.Pattern[str] | None
    """None: nothing is wanted of it, everything passes."""
    inverse: bool = False
    problem: str = ""
    """Why the expression is read as plain text."""
    fuzzy: bool = False
    """Letters in their order; meant for names alone."""

    def __bool__(self) -> bool:
        return self.pattern is not None

    def passes(self, text: str) -> bool:
        return self.pattern is None or (self.pattern.search(text) is not None) is not self.inverse


EVERYTHING = Filter("", None)


def parse_filter(typed: str) -> Filter:
    """A filter from what was typed; an expression that is not one is taken as plain text."""
    text = typed.strip()
    inverse = text.startswith("!")
    if inverse:
        text = text[1:].strip()
    if text.startswith("-f "):
        letters = (re.escape(letter) for letter in text[3:].replace(" ", ""))
        return replace(_made(typed, ".*?".join(letters), inverse), fuzzy=True)
    return _made(typed, text, inverse)


def _made(typed: str, expression: str, inverse: bool) -> Filter:
    if not expression:
        return Filter(typed, None)
    pattern, problem = compile_search(expression)
    return Filter(typed, pattern, inverse, problem)


def compile_search(expression: str) -> tuple[re.Pattern[str], str]:
    """A pattern and, when the expression is not one and was taken as plain text, why."""
    flags = re.IGNORECASE if expression == expression.lower() else re.RegexFlag(0)
    try:
        return re.compile(expression, flags), ""
    except (re.error, OverflowError, RecursionError) as error:
        return re.compile(re.escape(expression), flags), f"read as plain text: {error}"
