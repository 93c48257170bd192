"""The last line of the screen: the keys that work right now, in order of use. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.widgets.dress import Role
from quarterdeck.widgets.ink import Line, Span, width_of

from .keys import Key

KEPT = ("any.help", "any.quit")
"""Shown however narrow it is: who does not know the keys needs these."""


def footer(keys: Sequence[Key], width: int, right: Line = ()) -> Line:
    """Key and word, as many as fit beside `right`."""
    room = width - 2 - (width_of(right) + 2 if right else 0)
    kept = [item for key in keys if key.id in KEPT for item in _item(key)]
    line: list[Span] = []
    used = width_of(kept)
    for key in keys:
        if key.id in KEPT:
            continue
        item = _item(key)
        used += width_of(item)
        if used > room:
            break
        line += item
    return tuple((line + kept)[1:])


def _item(key: Key) -> tuple[Span, Span, Span]:
    return Span("  "), Span(key.shown.split()[0], Role.TEXT, True), Span(f" {key.word}", Role.MUTED)
