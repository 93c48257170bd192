"""Reducing: outputs of the same name along the first axis, in order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.engine.wire.datatypes import DATATYPES, TensorError
from quarterdeck.engine.wire.inference_pb2 import ModelInferRequest, ModelInferResponse
from quarterdeck.engine.wire.join import choose, gather, join, join_parts, shards_of
from quarterdeck.engine.wire.tensors import outputs_of, put_outputs, to_json, values_of

DTYPES = [kind.numpy for kind in DATATYPES.values() if kind.name not in ("BF16", "BYTES")]


def answer(raw: bool = True, **tensors: Any) -> bytes:
    response = ModelInferResponse(model_name="m", id="i")
    put_outputs(response, tensors, raw)
    return response.SerializeToString()


def joined(*answers: bytes) -> ModelInferResponse:
    return ModelInferResponse.FromString(join(answers, [f"shard {i}" for i in range(len(answers))]))


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=4),
    st.lists(st.integers(1, 3), max_size=2),
    st.sampled_from(DTYPES),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_as_numpy_concatenates(lengths: list[int], rest: list[int], dtype: str, raws: list[bool]) -> None:
    arrays = [np.arange(length * 9)[: length * int(np.prod(rest))] for length in lengths]
    arrays = [a.reshape(length, *rest).astype(dtype) for a, length in zip(arrays, lengths, strict=True)]
    parts = [answer(raw, x=array) for raw, array in zip(raws, arrays, strict=False)]
    got = outputs_of(joined(*parts))["x"]
    assert got.dtype == np.dtype(dtype)
    assert np.array_equal(got, np.concatenate(arrays))


@pytest.mark.parametrize("raw", [True, False])
def test_texts_join_and_raw_stays_raw(raw: bool) -> None:
    response = joined(answer(raw, t=["a", "bc"]), answer(raw, t=["d"]))
    assert to_json(response) == {"t": ["a", "bc", "d"]}
    assert bool(response.raw_output_contents) is raw
    assert (response.model_name, response.id) == ("m", "i")


def test_an_output_that_only_some_have_is_joined_from_those() -> None:
    assert to_json(joined(answer(a=[1]), answer(b=["x"]), answer(a=[2]))) == {"a": [1, 2], "b": ["x"]}


def test_nothing_found_has_no_say_in_the_type() -> None:
    assert to_json(joined(answer(t=[]), answer(t=["x"]), answer(t=[]))) == {"t": ["x"]}
    assert to_json(joined(answer(t=[]), answer(t=[]))) == {"t": []}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (
            [[1, 2]],
            [[1, 2, 3]],
            "output 'x' can't be joined: INT64 [1, 2] of shard 0, INT64 [1, 3] of shard 1",
        ),
        ([1], ["a"], "INT64 [1] of shard 0, BYTES [1] of shard 1"),
        ([1], [[1]], "INT64 [1] of shard 0, INT64 [1, 1] of shard 1"),
        ([1], 2, "output 'x' of shard 1 is a single value without an axis to join along"),
    ],
)
def test_what_does_not_fit_is_named(first: Any, second: Any, words: str) -> None:
    with pytest.raises(TensorError) as caught:
        joined(answer(x=first), answer(x=second))
    assert words in str(caught.value)


def test_what_is_gathered_is_told_apart_again() -> None:
    request = ModelInferRequest(model_name="m", id="i")
    data = gather([answer(a=[1, 2], b=["x"]), answer(a=[3])], request.SerializeToString())
    shards = shards_of(ModelInferRequest.FromString(data))
    assert shards is not None
    values = [{name: value.tolist() for name, value in values_of(parts).items()} for _, parts in shards]
    assert values == [{"a": [1, 2], "b": [b"x"]}, {"a": [3]}]
    assert [label for label, _ in shards] == ["shard 0", "shard 1"]
    assert values_of(join_parts(shards))["a"].tolist() == [1, 2, 3]
    assert shards_of(request) is None


def test_raw_and_typed_answers_cannot_be_gathered() -> None:
    with pytest.raises(TensorError, match="some shards answered with raw contents"):
        gather([answer(True, a=[1]), answer(False, a=[1])], b"")


@pytest.mark.parametrize("raw", [True, False])
def test_wanted_outputs_are_chosen_in_their_order(raw: bool) -> None:
    request = ModelInferRequest()
    response = answer(raw, a=[1], b=["x"], c=[2])
    assert choose(response, request.SerializeToString()) == response
    for name in "cb":
        request.outputs.add(name=name)
    chosen = ModelInferResponse.FromString(choose(response, request.SerializeToString()))
    assert to_json(chosen) == {"c": [2], "b": ["x"]}
    assert [output.name for output in chosen.outputs] == ["c", "b"]
    request.outputs.add(name="z")
    with pytest.raises(TensorError, match="there is no output 'z'; there are a, b, c"):
        choose(response, request.SerializeToString())
