"""What a tensor holds, read from Python or numpy values and written back as them; knows no message.

numpy is imported when first needed and only where it is installed; values are nested lists without it.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any

from .datatypes import DATATYPES, Datatype, TensorError

if TYPE_CHECKING:
    from types import ModuleType

LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Elements:
    """One tensor's elements: raw bytes or a flat list, row-major."""

    kind: Datatype
    shape: tuple[int, ...]
    raw: bytes | None
    """Little-endian, or None where they are in `flat`."""
    flat: Sequence[Any]

    @property
    def count(self) -> int:
        return math.prod(self.shape)


@cache
def has_numpy() -> bool:
    """Whether numpy can be imported."""
    return "numpy" in sys.modules or find_spec("numpy") is not None


def numpy() -> ModuleType:
    """The module; imported here first, since it starts threads that a pod's parent must not have."""
    import numpy

    return numpy


def from_value(name: str, value: Any) -> Elements:
    """Elements of an array, a number, a text or nested lists of these; raises `TensorError`.

    Python's int is INT64 (UINT64 where it must be), float FP64, bool BOOL, str and bytes BYTES; a list of
    nothing is FP64, as in numpy.
    """
    if hasattr(value, "__array__"):
        return _from_array(name, value)
    shape, flat = _flatten(name, value)
    kinds = set(map(type, flat))
    if not kinds <= {bool, int, float, str, bytes}:
        if all(hasattr(item, "__array__") for item in flat):  # numpy's own numbers, or rows that are arrays
            return _from_array(name, value)
        odd = ", ".join(sorted(kind.__name__ for kind in kinds - {bool, int, float, str, bytes}))
        raise TensorError(f"tensor {name!r}: elements of type {odd} can't be sent")
    return Elements(_kind_of(name, kinds, flat), shape, None, flat)


def _kind_of(name: str, kinds: set[type], flat: Sequence[Any]) -> Datatype:
    if kinds <= {str, bytes} and kinds:
        return DATATYPES["BYTES"]
    if kinds & {str, bytes}:
        raise TensorError(f"tensor {name!r}: texts and numbers can't share a tensor")
    if kinds == {bool}:
        return DATATYPES["BOOL"]
    if float in kinds or not kinds:
        return DATATYPES["FP64"]
    low, high = min(flat), max(flat)
    if low >= -(2**63) and high < 2**63:
        return DATATYPES["INT64"]
    if low >= 0 and high < 2**64:
        return DATATYPES["UINT64"]
    raise TensorError(f"tensor {name!r}: {high if high >= 2**63 else low} does not fit into 64 bits")


def _flatten(name: str, value: Any) -> tuple[tuple[int, ...], list[Any]]:
    shape: list[int] = []
    level = [value]
    while level and isinstance(level[0], (list, tuple)):
        size = len(level[0])
        if any(not isinstance(row, (list, tuple)) or len(row) != size for row in level):
            raise TensorError(f"tensor {name!r}: rows at depth {len(shape) + 1} differ in length")
        shape.append(size)
        level = list(chain.from_iterable(level))
    if any(isinstance(item, (list, tuple)) for item in level):
        raise TensorError(f"tensor {name!r}: rows at depth {len(shape) + 1} differ in length")
    return tuple(shape), level


def _from_array(name: str, value: Any) -> Elements:
    try:
        array = numpy().asarray(value)
    except ValueError:
        raise TensorError(f"tensor {name!r}: rows differ in shape") from None
    match array.dtype.kind:
        case "S" | "U" | "O":
            return Elements(DATATYPES["BYTES"], array.shape, None, array.ravel().tolist())
        case "b" | "i" | "u" | "f":
            code = array.dtype.str[1:]
            for kind in DATATYPES.values():
                if kind.numpy.removeprefix("<") == code and kind.name != "BF16":
                    return Elements(kind, array.shape, array.astype(kind.numpy, copy=False).tobytes(), ())
    raise TensorError(f"tensor {name!r}: numpy's {array.dtype} has no datatype on the wire; cast it first")


def to_value(name: str, elements: Elements) -> Any:
    """A writable numpy array (BYTES: of dtype object), or nested lists where numpy is not installed."""
    if has_numpy():
        np = numpy()
        kind = elements.kind
        if elements.raw is not None and kind.size:
            return np.frombuffer(elements.raw, dtype=kind.numpy).reshape(elements.shape).copy()
        array = np.empty(elements.count, dtype=kind.numpy)
        array[:] = to_flat(name, elements)
        return array.reshape(elements.shape)
    return to_nested(name, elements)


def to_nested(name: str, elements: Elements) -> Any:
    """Nested lists; a single element without a list where the shape is empty."""
    rows: list[Any] = list(to_flat(name, elements))
    if not elements.shape:
        return rows[0]
    for size in reversed(elements.shape[1:]):
        groups = len(rows) // size if size else math.prod(elements.shape[:-1])
        rows = [rows[i * size : (i + 1) * size] for i in range(groups)]
    return rows


def to_flat(name: str, elements: Elements) -> Sequence[Any]:
    """The elements as a flat sequence of Python's own types."""
    if elements.raw is None:
        return elements.flat
    if elements.kind.size:
        return struct.unpack(f"<{elements.count}{elements.kind.code}", elements.raw)
    return _split_bytes(name, elements.raw)


def to_raw(name: str, elements: Elements) -> bytes:
    """The elements as raw bytes."""
    if elements.raw is not None:
        return elements.raw
    if elements.kind.size:
        return struct.pack(f"<{len(elements.flat)}{elements.kind.code}", *elements.flat)
    parts = (_as_bytes(name, item) for item in elements.flat)
    return b"".join(chain.from_iterable((LENGTH.pack(len(part)), part) for part in parts))


def to_typed(name: str, elements: Elements) -> Sequence[Any]:
    """The elements as the typed contents hold them."""
    if elements.kind.size:
        return to_flat(name, elements)
    return [_as_bytes(name, item) for item in to_flat(name, elements)]


def _as_bytes(name: str, item: object) -> bytes:
    match item:
        case bytes():
            return item
        case str():
            return item.encode()
        case bytearray() | memoryview():
            return bytes(item)
    raise TensorError(f"tensor {name!r}: {type(item).__name__} is neither text nor bytes")


def _split_bytes(name: str, raw: bytes) -> list[bytes]:
    items: list[bytes] = []
    at = 0
    while at < len(raw):
        start = at + LENGTH.size
        at = start + LENGTH.unpack_from(raw, at)[0] if start <= len(raw) else start
        if at > len(raw):
            raise TensorError(f"tensor {name!r}: element {len(items)} of its bytes is cut short")
        items.append(raw[start:at])
    return items
