"""The protocol's datatypes: how wide an element is, which typed list it uses, and what it is in numpy."""

from __future__ import annotations

from dataclasses import dataclass


class TensorError(ValueError):
    """A tensor that can't be: wrong length, unknown datatype, ragged list. Names the tensor."""


@dataclass(frozen=True, slots=True)
class Datatype:
    """One datatype of the protocol."""

    name: str
    size: int
    """Bytes of one raw element; 0 for BYTES, whose elements carry their own length."""
    contents: str
    """Field of `InferTensorContents`; empty where the datatype travels raw only."""
    code: str
    """What `struct` calls an element. Empty for BYTES."""
    numpy: str
    """Little-endian numpy dtype."""


DATATYPES: dict[str, Datatype] = {
    kind.name: kind
    for kind in (
        Datatype("BOOL", 1, "bool_contents", "?", "b1"),
        Datatype("UINT8", 1, "uint_contents", "B", "u1"),
        Datatype("UINT16", 2, "uint_contents", "H", "<u2"),
        Datatype("UINT32", 4, "uint_contents", "I", "<u4"),
        Datatype("UINT64", 8, "uint64_contents", "Q", "<u8"),
        Datatype("INT8", 1, "int_contents", "b", "i1"),
        Datatype("INT16", 2, "int_contents", "h", "<i2"),
        Datatype("INT32", 4, "int_contents", "i", "<i4"),
        Datatype("INT64", 8, "int64_contents", "q", "<i8"),
        Datatype("FP16", 2, "", "e", "<f2"),
        # numpy has no bfloat16: its bits are handed over as they are.
        Datatype("BF16", 2, "", "H", "<u2"),
        Datatype("FP32", 4, "fp32_contents", "f", "<f4"),
        Datatype("FP64", 8, "fp64_contents", "d", "<f8"),
        Datatype("BYTES", 0, "bytes_contents", "", "O"),
    )
}


def datatype(name: str, tensor: str) -> Datatype:
    """The datatype of this name; raises `TensorError` naming the tensor."""
    try:
        return DATATYPES[name]
    except KeyError:
        known = ", ".join(DATATYPES)
        raise TensorError(f"tensor {tensor!r}: {name!r} is not a datatype; there are {known}") from None
