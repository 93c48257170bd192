"""The grammar of `CUDA_VISIBLE_DEVICES: RR…`: which devices are dealt round robin over the replicas.

Text only; what devices there are is the plan's to know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .wrong import Wrong, shown

VARIABLE = "CUDA_VISIBLE_DEVICES"
_FORMS = "write `RR` for all devices, `RR0:2` or `RR[0:2]` for some, or a list: `RR0,2`"
_BOUND = r"\s*([-+]?[0-9]{1,6})?\s*"
_SLICE = re.compile(f"{_BOUND}:{_BOUND}(?::{_BOUND})?")
_INDEX = re.compile(r"[-+]?[0-9]{1,6}")
_UUID = re.compile(r"(?:GPU|MIG)-[0-9A-Za-z/-]+")


@dataclass(frozen=True, slots=True)
class Span:
    """Devices by place, as Python slices them."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """Devices by name: an index (negative: counted from the last device) or a UUID."""

    names: tuple[int | str, ...]


def parse(value: str) -> Span | Listed | None:
    """What a value deals; None when it deals nothing and is passed through. Raises `Wrong`."""
    if not value.startswith("RR"):
        return None
    rule = value[2:].strip()
    if rule == "":
        return Span()
    if rule.startswith("[") or rule.endswith("]"):
        if not (rule.startswith("[") and rule.endswith("]")):
            raise Wrong(f"the bracket of {shown(value)} is not closed", _FORMS)
        rule = rule[1:-1].strip()
        if rule == "":
            raise Wrong(f"{shown(value)} selects no device", _FORMS)
    found = _SLICE.fullmatch(rule)
    if found is not None:
        start, stop, step = (None if bound is None else int(bound) for bound in found.groups())
        if step == 0:
            raise Wrong(f"{shown(value)} steps by zero", _FORMS)
        return Span(start, stop, step)
    names = [part.strip() for part in rule.split(",")]
    if all(_INDEX.fullmatch(name) or _UUID.fullmatch(name) for name in names):
        return Listed(tuple(int(name) if _INDEX.fullmatch(name) else name for name in names))
    raise Wrong(f"{shown(value)} deals no devices", _FORMS)
