"""Protobuf messages taken apart at their top level, as bytes, so that routers pass tensors on unread.

Only what stands at the top is looked at; what is inside a field is copied as it came.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .datatypes import TensorError

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5

MODEL_NAME, MODEL_VERSION, ID, PARAMETERS, TENSORS = 1, 2, 3, 4, 5
"""The same in requests and responses."""
REQUEST_WANTED, REQUEST_RAW = 6, 7
RESPONSE_RAW = 6
STREAMED_ERROR, STREAMED_RESPONSE = 1, 2

_RAW_IN_REQUEST = bytes([REQUEST_RAW << 3 | LENGTH])
_RAW_IN_RESPONSE = bytes([RESPONSE_RAW << 3 | LENGTH])


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it stands in a message: `data[start:end]` is all of it, `data[value:end]` its value."""

    number: int
    wire: int
    start: int
    value: int
    end: int


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at` and where it ends; raises `TensorError` when it is cut short or too long."""
    number = shift = 0
    while shift < 70:
        if at >= len(data):
            raise TensorError("the message is cut short")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
    raise TensorError("the message has a number of more than 10 bytes")


def write_varint(number: int) -> bytes:
    """A number that is not negative, 7 bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def fields(data: bytes) -> Iterator[Field]:
    """All fields at the top level, in order; raises `TensorError` for what is no protobuf message."""
    at, size = 0, len(data)
    while at < size:
        start = at
        key, at = read_varint(data, at)
        number, wire = key >> 3, key & 7
        value = at
        match wire:
            case 0:
                _, at = read_varint(data, at)
            case 1:
                at += 8
            case 2:
                length, value = read_varint(data, at)
                at = value + length
            case 5:
                at += 4
            case _:
                raise TensorError(f"the message has a field of wire type {wire}")
        if not 0 < number < 2**29:
            raise TensorError(f"the message has a field numbered {number}")
        if at > size:
            raise TensorError("the message is cut short")
        yield Field(number, wire, start, value, at)


def peek_model_name(request: bytes) -> str:
    """`model_name` of a request; empty where it has none. The last one counts, as in protobuf."""
    name = b""
    for field in fields(request):
        if field.number == MODEL_NAME and field.wire == LENGTH:
            name = request[field.value : field.end]
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise TensorError("the model's name is not UTF-8") from None


def response_as_request(response: bytes, request: bytes) -> bytes:
    """A request with the tensors of `response` and all else of `request`."""
    return _convert(without(request, TENSORS, REQUEST_RAW), response, RESPONSE_RAW, _RAW_IN_REQUEST)


def request_as_response(request: bytes) -> bytes:
    """The response that hands all inputs back as outputs."""
    header = without(request, TENSORS, REQUEST_WANTED, REQUEST_RAW)
    return _convert(header, request, REQUEST_RAW, _RAW_IN_RESPONSE)


def without_wanted(request: bytes) -> bytes:
    """The request without its list of wanted outputs: for a stop on the way, whose outputs are others."""
    return without(request, REQUEST_WANTED)


def without(data: bytes, *numbers: int) -> bytes:
    """The message without these fields; the same object where it has none of them."""
    found = list(fields(data))
    kept = [field for field in found if field.number not in numbers]
    view = memoryview(data)
    return data if len(kept) == len(found) else b"".join(view[field.start : field.end] for field in kept)


def tensor_with(tensor: bytes | memoryview, extra: bytes) -> bytes:
    """A `tensors` field made of a tensor's bytes and more fields of it, appended."""
    key = bytes([TENSORS << 3 | LENGTH]) + write_varint(len(tensor) + len(extra))
    return b"".join((key, tensor, extra))


def streamed(response: bytes) -> bytes:
    """The `ModelStreamInferResponse` that carries this `ModelInferResponse`."""
    return _field(STREAMED_RESPONSE, response)


def streamed_error(text: str) -> bytes:
    """The `ModelStreamInferResponse` that says why there is no answer."""
    return _field(STREAMED_ERROR, text.encode())


def _field(number: int, value: bytes) -> bytes:
    return b"".join((bytes([number << 3 | LENGTH]), write_varint(len(value)), value))


def _convert(header: bytes, body: bytes, raw: int, new_key: bytes) -> bytes:
    view = memoryview(body)
    parts: list[bytes | memoryview] = [header]
    raws: list[bytes | memoryview] = []
    for field in fields(body):
        if field.wire == LENGTH and field.number == TENSORS:
            parts.append(view[field.start : field.end])
        elif field.wire == LENGTH and field.number == raw:
            # The key is one byte in both messages; what follows it, length and bytes, stays.
            raws += (new_key, view[field.start + 1 : field.end])
    return b"".join(parts + raws)
