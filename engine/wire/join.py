"""Reducing: several answers made one, by joining outputs of the same name along the first axis."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from .datatypes import TensorError
from .elements import Elements, to_flat
from .inference_pb2 import InferParameter, ModelInferRequest
from .scan import LENGTH, REQUEST_RAW, RESPONSE_RAW, TENSORS, fields, tensor_with, without, write_varint
from .tensors import parse_request, parse_response, parts_of, put_parts

SHARD = "shard"
"""Parameter of each tensor that a head sends to `uses_after`: the shard it came from."""

Labelled = Sequence[tuple[str, dict[str, Elements]]]
"""What is to be joined: a name for messages (`shard 0`), and the tensors."""


def join(responses: Sequence[bytes], labels: Sequence[str]) -> bytes:
    """One response of all, in their order; the first one's name, id and parameters stay.

    An output that only some have is joined from those; raises `TensorError` naming label, output and shapes.
    """
    messages = [parse_response(response) for response in responses]
    parts = [dict(parts_of(message.outputs, message.raw_output_contents)) for message in messages]
    first = messages[0]
    raw = any(message.raw_output_contents for message in messages)
    joined = join_parts(list(zip(labels, parts, strict=True)))
    del first.outputs[:], first.raw_output_contents[:]
    put_parts(first, joined, raw)
    return first.SerializeToString()


def join_parts(sources: Labelled) -> dict[str, Elements]:
    """Tensors of the same name joined along the first axis."""
    names = dict.fromkeys(chain.from_iterable(parts for _, parts in sources))
    return {
        name: _concatenate(name, [(label, parts[name]) for label, parts in sources if name in parts])
        for name in names
    }


def _concatenate(name: str, parts: Sequence[tuple[str, Elements]]) -> Elements:
    if len(parts) == 1:
        return parts[0][1]
    # A list of nothing has no type of its own: it takes that of the others.
    counted = [(label, part) for label, part in parts if part.count or not part.shape] or parts[:1]
    (first_label, first), *others = counted
    for label, part in counted:
        if not part.shape:
            raise TensorError(f"output {name!r} of {label} is a single value without an axis to join along")
    for label, part in others:
        if part.kind is not first.kind or part.shape[1:] != first.shape[1:]:
            raise TensorError(
                f"output {name!r} can't be joined: {_words(first)} of {first_label},"
                f" {_words(part)} of {label}"
            )
    shape = (sum(part.shape[0] for _, part in counted), *first.shape[1:])
    if all(part.raw is not None for _, part in counted):
        return Elements(first.kind, shape, b"".join(part.raw or b"" for _, part in counted), ())
    flat = list(chain.from_iterable(to_flat(name, part) for _, part in counted))
    return Elements(first.kind, shape, None, flat)


def _words(part: Elements) -> str:
    return f"{part.kind.name} {list(part.shape)}"


def choose(response: bytes, request: bytes) -> bytes:
    """The response with the outputs that the request wants; raises `TensorError` for one it has not."""
    wanted = [output.name for output in parse_request(without(request, TENSORS, REQUEST_RAW)).outputs]
    if not wanted:
        return response
    message = parse_response(response)
    parts = dict(parts_of(message.outputs, message.raw_output_contents))
    for name in wanted:
        if name not in parts:
            raise TensorError(f"there is no output {name!r}; there are {', '.join(parts)}")
    raw = bool(message.raw_output_contents)
    del message.outputs[:], message.raw_output_contents[:]
    put_parts(message, {name: parts[name] for name in wanted}, raw)
    return message.SerializeToString()


def gather(responses: Sequence[bytes], request: bytes, shards: Sequence[int] | None = None) -> bytes:
    """The request for `uses_after`: every output of every shard, each marked with its shard's number.

    `shards` are the numbers where some are missing. All but the tensors is that of `request`. Nothing of the
    tensors is read.
    """
    tensors: list[bytes] = []
    raws: list[bytes | memoryview] = []
    for shard, response in zip(shards or range(len(responses)), responses, strict=True):
        marked = ModelInferRequest.InferInputTensor(parameters={SHARD: InferParameter(int64_param=shard)})
        extra, view = marked.SerializeToString(), memoryview(response)
        for field in fields(response):
            if field.wire == LENGTH and field.number == TENSORS:
                tensors.append(tensor_with(view[field.value : field.end], extra))
            elif field.wire == LENGTH and field.number == RESPONSE_RAW:
                size = field.end - field.value
                raws += (b"\x3a" + write_varint(size), view[field.value : field.end])
    if raws and len(raws) != 2 * len(tensors):
        raise TensorError("some shards answered with raw contents and some with typed ones")
    return b"".join((without(request, TENSORS, REQUEST_RAW), *tensors, *raws))


def shards_of(request: ModelInferRequest) -> list[tuple[str, dict[str, Elements]]] | None:
    """What `gather` put together, by shard; None for a request that did not come from it."""
    if not any(SHARD in entry.parameters for entry in request.inputs):
        return None
    shards: dict[int, dict[str, Elements]] = {}
    parts = parts_of(request.inputs, request.raw_input_contents)
    for entry, (name, part) in zip(request.inputs, parts, strict=True):
        shards.setdefault(entry.parameters[SHARD].int64_param, {})[name] = part
    return [(f"shard {number}", shards[number]) for number in sorted(shards)]
