"""What the key table alone says of the values in a spec: numbers and their ranges, words, flags."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..errors import Mistake
from .keys import Key, Kind
from .topology import DeploymentSpec, GatewaySpec, Limits, Probe
from .wrong import closest, shown

_WHOLE = frozenset({Kind.WHOLE, Kind.PORTS, Kind.BYTES})
_NUMBERS = _WHOLE | {Kind.SECONDS, Kind.NUMBER}


def by_table(
    owner: DeploymentSpec | GatewaySpec | Probe | Limits, path: str, table: tuple[Key, ...]
) -> Iterator[Mistake]:
    """Values of another type than their key's, or out of its range."""
    for key in table:
        if key.kind in _NUMBERS:
            yield from _number(getattr(owner, key.name), key, f"{path}.{key.name}")
        elif key.kind is Kind.CHOICE:
            yield from _word(getattr(owner, key.name), key, f"{path}.{key.name}")
        elif key.kind is Kind.FLAG:
            value = getattr(owner, key.name)
            if not isinstance(value, bool):
                message = f"must be true or false, not {shown(str(value))}"
                yield Mistake(message, key=f"{path}.{key.name}", value=str(value))


def _number(value: Any, key: Key, where: str) -> Iterator[Mistake]:
    if value is None and (key.optional or key.name == "timeout_ready"):
        return
    if not (is_whole(value) if key.kind in _WHOLE else is_number(value)):
        kind = Kind.WHOLE if key.kind in _WHOLE else key.kind
        yield Mistake(f"must be a {kind}, not {shown(str(value))}", key=where, value=str(value))
    elif (key.low is not None and value < key.low) or (key.high is not None and value > key.high):
        yield Mistake(f"must be {_range(key)}, not {shown(str(value))}", key=where, value=str(value))


def _word(value: object, key: Key, where: str) -> Iterator[Mistake]:
    if not isinstance(value, str) or value not in key.choices:
        words = ", ".join(map(shown, key.choices))
        message = f"must be {'one of ' if len(key.choices) > 1 else ''}{words}, not {shown(str(value))}"
        yield Mistake(message, closest(str(value), key.choices), key=where, value=str(value))


def is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535


def _range(key: Key) -> str:
    unit = " seconds" if key.kind is Kind.SECONDS else ""
    if key.high is None:
        return f"{key.low:g} or more{unit}"
    return f"from {key.low:g} to {key.high:g}{unit}"
