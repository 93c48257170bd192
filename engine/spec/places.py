"""Places in the words of a command and in its variables, `{port}`, and what is put into them.

A place is a known word alone in braces. `{{word}}` stands for `{word}` itself, `${word}` is a shell's, and all
other braces, JSON's among them, are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

PLACES = ("port", "host", "gpu", "shard", "replica", "workspace")
_PLACE = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}|(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with its places filled; one that `values` lacks stays as it is."""

    def put(found: re.Match[str]) -> str:
        return f"{{{found[1]}}}" if found[1] else values.get(found[2], found[0])

    return _PLACE.sub(put, text)


def unknown(text: str) -> Iterator[str]:
    """What stands in braces like a place and is none."""
    for found in _PLACE.finditer(text):
        if found[2] and found[2] not in PLACES:
            yield found[2]
