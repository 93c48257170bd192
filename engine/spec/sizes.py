"""Sizes of memory as people write them: bytes, or a number with a unit, `2GiB`, `500MB`."""

from __future__ import annotations

import re

from .wrong import Wrong, shown

_UNITS = {"B": 1} | {
    f"{letter}{i}B": base**power
    for base, i in ((1000, ""), (1024, "i"))
    for power, letter in enumerate("KMGT", 1)
}
_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*([A-Za-z]*)")
_FORMS = "write bytes, or a number with KB, MB, GB, KiB, MiB or GiB: `2GiB`"


def size(value: str | int) -> int:
    """Bytes of a size; a bare number is bytes already. Raises `Wrong`."""
    if isinstance(value, int):
        return value
    found = _SIZE.fullmatch(value.strip())
    unit = {name.casefold(): one for name, one in _UNITS.items()}.get(found[2].casefold()) if found else None
    if found is None or unit is None:
        raise Wrong(f"{shown(value)} is not a size", _FORMS)
    return int(float(found[1]) * unit)
