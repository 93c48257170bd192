"""Messages taken apart as bytes mean what the generated classes say they mean."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError, Message
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.engine.wire.datatypes import TensorError
from quarterdeck.engine.wire.inference_pb2 import InferParameter, ModelInferRequest, ModelInferResponse
from quarterdeck.engine.wire.join import gather
from quarterdeck.engine.wire.scan import (
    fields,
    peek_model_name,
    request_as_response,
    response_as_request,
    without_wanted,
    write_varint,
)

text = st.text(max_size=5)
parameters = st.dictionaries(text, st.builds(InferParameter, int64_param=st.integers(-9, 9)), max_size=2)


def tensors(kind: Any) -> st.SearchStrategy[list[Any]]:
    contents = st.fixed_dictionaries({"int_contents": st.lists(st.integers(-9, 9), max_size=3)})
    shape = st.lists(st.integers(0, 300), max_size=2)
    one = st.builds(kind, name=text, datatype=text, shape=shape, parameters=parameters, contents=contents)
    return st.lists(one, max_size=3)


header = {"model_name": text, "model_version": text, "id": text, "parameters": parameters}
raws = st.lists(st.binary(max_size=200), max_size=3)
requests = st.builds(
    ModelInferRequest,
    **header,
    inputs=tensors(ModelInferRequest.InferInputTensor),
    outputs=st.lists(st.builds(ModelInferRequest.InferRequestedOutputTensor, name=text), max_size=2),
    raw_input_contents=raws,
)
responses = st.builds(
    ModelInferResponse,
    **header,
    outputs=tensors(ModelInferResponse.InferOutputTensor),
    raw_output_contents=raws,
)


def bare(message: Message) -> list[bytes]:
    """Tensors as bytes, to compare those of requests with those of responses."""
    entries = message.inputs if isinstance(message, ModelInferRequest) else message.outputs  # type: ignore[attr-defined]
    return [entry.SerializeToString(deterministic=True) for entry in entries]


@given(requests)
def test_the_models_name_is_seen(request: ModelInferRequest) -> None:
    assert peek_model_name(request.SerializeToString()) == request.model_name


@given(responses, requests)
def test_an_answer_becomes_the_next_request(response: ModelInferResponse, request: ModelInferRequest) -> None:
    data = response_as_request(response.SerializeToString(), request.SerializeToString())
    made = ModelInferRequest.FromString(data)
    assert bare(made) == bare(response)
    assert list(made.raw_input_contents) == list(response.raw_output_contents)
    for name in (*header, "outputs"):
        assert getattr(made, name) == getattr(request, name)


@given(requests)
def test_a_request_is_handed_back(request: ModelInferRequest) -> None:
    made = ModelInferResponse.FromString(request_as_response(request.SerializeToString()))
    assert bare(made) == bare(request)
    assert list(made.raw_output_contents) == list(request.raw_input_contents)
    for name in header:
        assert getattr(made, name) == getattr(request, name)


@given(requests)
def test_wanted_outputs_are_taken_off(request: ModelInferRequest) -> None:
    data = request.SerializeToString()
    made = without_wanted(data)
    assert (made is data) is (len(request.outputs) == 0)
    del request.outputs[:]
    assert ModelInferRequest.FromString(made) == request


@given(st.lists(responses, min_size=1, max_size=3), requests)
def test_every_shards_tensors_are_gathered_and_marked(
    shards: list[ModelInferResponse], request: ModelInferRequest
) -> None:
    for shard in shards:  # as pods answer: all raw
        del shard.raw_output_contents[:]
        shard.raw_output_contents.extend(b"%d" % number for number in range(len(shard.outputs)))
    made = ModelInferRequest.FromString(
        gather([shard.SerializeToString() for shard in shards], request.SerializeToString())
    )
    marked = [(number, entry) for number, shard in enumerate(shards) for entry in shard.outputs]
    assert len(made.inputs) == len(made.raw_input_contents) == len(marked)
    for entry, (number, original) in zip(made.inputs, marked, strict=True):
        assert entry.parameters.pop("shard").int64_param == number
        original.parameters.pop("shard", None)
        assert entry.SerializeToString(deterministic=True) == original.SerializeToString(deterministic=True)
    assert (made.id, made.parameters) == (request.id, request.parameters)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Never a hang, never another error; what protobuf takes, we take, but for its old groups."""
    try:
        seen = list(fields(data))
    except TensorError as error:
        if "wire type" not in str(error):
            with pytest.raises(DecodeError):
                ModelInferRequest.FromString(data)
    else:
        assert b"".join(data[field.start : field.end] for field in seen) == data


@given(requests, st.data())
def test_messages_cut_short_are_refused(request: ModelInferRequest, draw: st.DataObject) -> None:
    data = request.SerializeToString()
    ends = {field.end for field in fields(data)} | {0}
    cut = draw.draw(st.integers(0, len(data)))
    if cut in ends:
        list(fields(data[:cut]))
    else:
        with pytest.raises(TensorError):
            list(fields(data[:cut]))


@pytest.mark.parametrize(
    "data",
    [
        b"\x0b",
        b"\x0c",
        b"\x07",
        b"\x00\x00",
        b"\x80" * 11,
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x09\x00",
        b"\x0d\x00",
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(TensorError):
        list(fields(data))


def test_a_name_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(TensorError, match="not UTF-8"):
        peek_model_name(b"\x0a\x02\xff\xff")


@given(st.integers(0, 2**64 - 1))
def test_numbers_are_written_as_they_are_read(number: int) -> None:
    (field,) = fields(b"\x08" + write_varint(number))
    assert field.end == 1 + len(write_varint(number))
