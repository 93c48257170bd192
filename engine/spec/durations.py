"""Durations as people write them: seconds, or a number with a unit, `90s`, `10m`, `1h`, `500ms`."""

from __future__ import annotations

import math
import re

from .wrong import Wrong, shown

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*(ms|s|m|h)?")


def seconds(value: str | float) -> float:
    """Seconds of a duration; a bare number is seconds already. Raises `Wrong`."""
    if isinstance(value, str):
        found = _DURATION.fullmatch(value.strip())
        if found is None:
            raise Wrong(
                f"{shown(value)} is not a duration", "write seconds, or a number with ms, s, m or h: `90s`"
            )
        return float(found[1]) * _UNITS[found[2] or "s"]
    if not math.isfinite(value):
        raise Wrong(f"{value} is not a duration", "write seconds, or a number with ms, s, m or h: `90s`")
    return float(value)
