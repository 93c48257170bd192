"""`Wrong`: what is wrong with one value, before it is known where that value stands."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 60


class Wrong(Exception):
    """Raised by what reads a single value; whoever knows file, line and key makes a `Mistake` of it.

    `file` and `line` are given only when the fault lies in another file, such as the executor's source.
    """

    def __init__(self, message: str, hint: str = "", file: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.file = file
        self.line = line


def shown(text: str) -> str:
    """What a user wrote as it stands in a message: in backticks, one line, short, safe for a terminal."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    escaped = (char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return f"`{''.join(escaped)}`"


def closest(word: str, names: Iterable[str]) -> str:
    """``did you mean `x`?`` when one of the names is near, else nothing."""
    import difflib

    word = word[:_LONGEST]
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if not near:
        folded = {name.casefold(): name for name in names}
        near = [folded[word.casefold()]] if word.casefold() in folded else []
    return f"did you mean {shown(near[0])}?" if near else ""
