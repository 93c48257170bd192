"""Named tensors and parameters to and from the protocol's messages, raw or typed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, MutableSequence, Sequence
from typing import Any

from google.protobuf.message import DecodeError

from . import elements as _elements
from .datatypes import TensorError, datatype
from .elements import Elements, from_value
from .inference_pb2 import InferParameter, ModelInferRequest, ModelInferResponse

Parameter = bool | int | float | str
Entry = ModelInferRequest.InferInputTensor | ModelInferResponse.InferOutputTensor


def parse_request(data: bytes) -> ModelInferRequest:
    """The request in these bytes; raises `TensorError`."""
    try:
        return ModelInferRequest.FromString(data)
    except DecodeError:
        raise TensorError("the request is not a ModelInferRequest") from None


def parse_response(data: bytes) -> ModelInferResponse:
    """The response in these bytes; raises `TensorError`."""
    try:
        return ModelInferResponse.FromString(data)
    except DecodeError:
        raise TensorError("the response is not a ModelInferResponse") from None


def inputs_of(request: ModelInferRequest) -> dict[str, Any]:
    """Values of all inputs by name; raises `TensorError`."""
    return _values(request.inputs, request.raw_input_contents)


def outputs_of(response: ModelInferResponse) -> dict[str, Any]:
    """Values of all outputs by name; raises `TensorError`."""
    return _values(response.outputs, response.raw_output_contents)


def wants_raw(request: ModelInferRequest) -> bool:
    """Whether the answer is to be raw: as the request was."""
    return bool(request.raw_input_contents) or not request.inputs


def put_inputs(request: ModelInferRequest, tensors: Mapping[str, Any], raw: bool = True) -> None:
    """Add inputs; raises `TensorError`."""
    parts = {name: from_value(name, value) for name, value in tensors.items()}
    raw = raw or _raw_only(parts.values())
    for name, part in parts.items():
        entry = request.inputs.add(name=name, datatype=part.kind.name, shape=part.shape)
        _put(name, part, entry, request.raw_input_contents if raw else None)


def put_outputs(response: ModelInferResponse, tensors: Mapping[str, Any], raw: bool = True) -> None:
    """Add outputs; raises `TensorError`."""
    put_parts(response, {name: from_value(name, value) for name, value in tensors.items()}, raw)


def put_parts(response: ModelInferResponse, parts: Mapping[str, Elements], raw: bool) -> None:
    """Add outputs; all of them are raw where one can't be typed."""
    raw = raw or _raw_only(parts.values())
    for name, part in parts.items():
        entry = response.outputs.add(name=name, datatype=part.kind.name, shape=part.shape)
        _put(name, part, entry, response.raw_output_contents if raw else None)


def _raw_only(parts: Iterable[Elements]) -> bool:
    """Whether a datatype is among them that no typed list holds; then all must be raw."""
    return any(not part.kind.contents for part in parts)


def _put(name: str, part: Elements, entry: Entry, raws: MutableSequence[bytes] | None) -> None:
    if raws is None:
        getattr(entry.contents, part.kind.contents).extend(_elements.to_typed(name, part))
    else:
        raws.append(_elements.to_raw(name, part))


def _values(entries: Sequence[Entry], raws: Sequence[bytes]) -> dict[str, Any]:
    parts = dict(parts_of(entries, raws))
    if len(parts) != len(entries):
        raise TensorError("two tensors have the same name")
    return values_of(parts)


def values_of(parts: Mapping[str, Elements]) -> dict[str, Any]:
    """Values as executors get them."""
    return {name: _elements.to_value(name, part) for name, part in parts.items()}


def parts_of(entries: Sequence[Entry], raws: Sequence[bytes]) -> list[tuple[str, Elements]]:
    """Names and checked elements in the message's order; raises `TensorError`."""
    if raws and len(raws) != len(entries):
        raise TensorError(f"there are {len(entries)} tensors but {len(raws)} raw contents")
    return [(entry.name, _part(entry, raws[i] if raws else None)) for i, entry in enumerate(entries)]


def _part(entry: Entry, raw: bytes | None) -> Elements:
    name, kind, shape = entry.name, datatype(entry.datatype, entry.name), tuple(entry.shape)
    if any(size < 0 for size in shape):
        raise TensorError(f"tensor {name!r}: shape {list(shape)} has a negative size")
    count = math.prod(shape)
    if raw is None:
        if not kind.contents:
            raise TensorError(f"tensor {name!r}: {kind.name} travels in raw contents only")
        flat = getattr(entry.contents, kind.contents)
        if len(flat) != count:
            raise TensorError(
                f"tensor {name!r}: {len(flat)} {kind.contents}, but shape {list(shape)} takes {count}"
            )
        return Elements(kind, shape, None, flat)
    part = Elements(kind, shape, raw, ())
    if kind.size and len(raw) != count * kind.size:
        raise TensorError(
            f"tensor {name!r}: {len(raw)} bytes, but {kind.name} {list(shape)} takes {count * kind.size}"
        )
    if not kind.size:
        items = _elements.to_flat(name, part)
        if len(items) != count:
            raise TensorError(f"tensor {name!r}: {len(items)} texts, but shape {list(shape)} takes {count}")
        return Elements(kind, shape, None, items)
    return part


def parameters_of(parameters: Mapping[str, InferParameter]) -> dict[str, Parameter]:
    """Values by name; a parameter without a value is left out."""
    chosen = {name: value.WhichOneof("parameter_choice") for name, value in parameters.items()}
    return {name: getattr(parameters[name], which) for name, which in chosen.items() if which}


def put_parameters(into: Any, parameters: Mapping[str, Parameter]) -> None:
    """Add parameters to a message's map; raises `TensorError` for a value that is none."""
    for name, value in parameters.items():
        match value:
            case bool():
                into[name].bool_param = value
            case int() if -(2**63) <= value < 2**63:
                into[name].int64_param = value
            case int() if 0 <= value < 2**64:
                into[name].uint64_param = value
            case float():
                into[name].double_param = value
            case str():
                into[name].string_param = value
            case _:
                raise TensorError(f"parameter {name!r}: {value!r} is neither bool, 64-bit int, float nor str")


def from_json(document: Any) -> dict[str, Any]:
    """Tensors of a JSON object: names to values; a single value is a tensor of one element.

    Raises `TensorError` for what is not such an object.
    """
    if not isinstance(document, dict):
        raise TensorError('the data must be an object that names tensors, such as {"query": ["text"]}')
    tensors = {name: value if isinstance(value, list) else [value] for name, value in document.items()}
    for name, value in tensors.items():
        from_value(name, value)
    return tensors


def to_json(response: ModelInferResponse) -> dict[str, Any]:
    """Outputs by name as nested lists; BYTES are read as UTF-8, with U+FFFD for what is not."""
    parts = parts_of(response.outputs, response.raw_output_contents)
    return {name: _texts(_elements.to_nested(name, part)) for name, part in parts}


def _texts(value: Any) -> Any:
    match value:
        case list():
            return [_texts(item) for item in value]
        case bytes():
            return value.decode(errors="replace")
    return value
