"""Tensors to messages and back, raw and typed, with and without numpy."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from quarterdeck.engine.wire import elements
from quarterdeck.engine.wire.datatypes import DATATYPES, TensorError
from quarterdeck.engine.wire.inference_pb2 import ModelInferRequest, ModelInferResponse
from quarterdeck.engine.wire.names import endpoint_of, model_of
from quarterdeck.engine.wire.tensors import (
    from_json,
    inputs_of,
    outputs_of,
    parameters_of,
    put_inputs,
    put_outputs,
    put_parameters,
    to_json,
    wants_raw,
)

DTYPES = [kind.numpy for kind in DATATYPES.values() if kind.name not in ("BF16", "BYTES")]
numeric = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0, max_side=4))
)
texts = arrays.arrays(object, arrays.array_shapes(min_side=0, max_side=4), elements=st.binary(max_size=9))


@pytest.fixture
def no_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without numpy."""
    monkeypatch.setattr(elements, "has_numpy", lambda: False)


@given(numeric | texts, st.booleans())
def test_arrays_come_back_as_they_were(array: np.ndarray[Any, Any], raw: bool) -> None:
    request = ModelInferRequest()
    put_inputs(request, {"x": array}, raw)
    back = inputs_of(ModelInferRequest.FromString(request.SerializeToString()))["x"]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes() if array.dtype != object else (back == array).all()
    assert back.flags.writeable
    assert bool(request.raw_input_contents) is (raw or array.dtype == np.float16)


@given(numeric, st.booleans())
def test_lists_and_arrays_hold_the_same(array: np.ndarray[Any, Any], raw: bool) -> None:
    response = ModelInferResponse()
    put_outputs(response, {"x": array}, raw)
    assert repr(to_json(response)["x"]) == repr(array.tolist())


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize(
    ("value", "datatype", "shape"),
    [
        ([1, -2], "INT64", [2]),
        ([[1], [2**64 - 1]], "UINT64", [2, 1]),
        ([1, 2.5], "FP64", [2]),
        ([True, False], "BOOL", [2]),
        (["grüße", b"\xff"], "BYTES", [2]),
        ([], "FP64", [0]),
        ([[], []], "FP64", [2, 0]),
        (3, "INT64", []),
        ("x", "BYTES", []),
        ((1, 2), "INT64", [2]),
    ],
)
def test_lists_without_numpy(no_numpy: None, value: Any, datatype: str, shape: list[int], raw: bool) -> None:
    request = ModelInferRequest()
    put_inputs(request, {"x": value}, raw)
    assert (request.inputs[0].datatype, list(request.inputs[0].shape)) == (datatype, shape)

    def plain(item: Any) -> Any:
        if isinstance(item, list | tuple):
            return [plain(one) for one in item]
        return item.encode() if isinstance(item, str) else item

    assert inputs_of(request)["x"] == plain(value)


@pytest.mark.parametrize(
    ("array", "datatype"),
    [
        (np.array(["a", "bc"]), "BYTES"),
        (np.array([b"a", b"bc"]), "BYTES"),
        (np.array(["a", b"bc"], dtype=object), "BYTES"),
        (np.arange(6, dtype=">i4").reshape(2, 3).T, "INT32"),
        ([np.float32(1), np.float32(2)], "FP32"),
        ([np.zeros(2, "i2"), np.ones(2, "i2")], "INT16"),
        (np.float64(3), "FP64"),
    ],
)
def test_what_numpy_calls_its_own(array: Any, datatype: str) -> None:
    request = ModelInferRequest()
    put_inputs(request, {"x": array})
    assert request.inputs[0].datatype == datatype
    expected = np.asarray(array)
    if datatype == "BYTES":
        expected = np.array([x.encode() if isinstance(x, str) else bytes(x) for x in expected], dtype=object)
    assert np.array_equal(inputs_of(request)["x"], expected)


def test_bfloat16_is_handed_over_as_its_bits() -> None:
    request = ModelInferRequest()
    request.inputs.add(name="x", datatype="BF16", shape=[2])
    request.raw_input_contents.append(struct.pack("<2H", 0x3F80, 0x4000))
    assert inputs_of(request)["x"].tolist() == [0x3F80, 0x4000]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([[1], [2, 3]], "tensor 'x': rows at depth 2 differ in length"),
        ([1, [2]], "rows at depth 2 differ in length"),
        ([[1], 2], "rows at depth 2 differ in length"),
        (["a", 1], "texts and numbers can't share a tensor"),
        ([None], "elements of type NoneType can't be sent"),
        ([{"a": 1}], "elements of type dict can't be sent"),
        ([-1, 2**63], f"{2**63} does not fit into 64 bits"),
        ([2**64], "does not fit into 64 bits"),
        (np.array([1j]), "numpy's complex128 has no datatype on the wire"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "has no datatype"),
        (np.array([None]), "NoneType is neither text nor bytes"),
        ([np.zeros(2), np.zeros(3)], "rows differ in shape"),
    ],
)
def test_what_cannot_be_sent_is_named(value: Any, words: str) -> None:
    with pytest.raises(TensorError) as caught:
        put_inputs(ModelInferRequest(), {"x": value})
    assert words in str(caught.value)
    assert "'x'" in str(caught.value)


def wrong(name: str, shape: list[int], datatype: str = "INT32", **contents: Any) -> ModelInferRequest:
    request = ModelInferRequest()
    raws = contents.pop("raw", [])
    request.inputs.add(name=name, datatype=datatype, shape=shape, contents=contents)
    request.raw_input_contents.extend(raws)
    return request


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (wrong("x", [2], raw=[b"1234"]), "tensor 'x': 4 bytes, but INT32 [2] takes 8"),
        (wrong("x", [2], int_contents=[1]), "tensor 'x': 1 int_contents, but shape [2] takes 2"),
        (wrong("x", [2], fp32_contents=[1, 2]), "tensor 'x': 0 int_contents"),
        (wrong("x", [2], "FP8"), "tensor 'x': 'FP8' is not a datatype; there are BOOL"),
        (wrong("x", [2], "FP16"), "tensor 'x': FP16 travels in raw contents only"),
        (wrong("x", [-1], int_contents=[1]), "shape [-1] has a negative size"),
        (wrong("x", [1], raw=[b"1234", b"1234"]), "there are 1 tensors but 2 raw contents"),
        (wrong("x", [2], "BYTES", raw=[b"\x01\0\0\0a"]), "1 texts, but shape [2] takes 2"),
        (wrong("x", [1], "BYTES", raw=[b"\x02\0\0\0a"]), "element 0 of its bytes is cut short"),
        (wrong("x", [1], "BYTES", raw=[b"\x02\0"]), "element 0 of its bytes is cut short"),
    ],
)
@pytest.mark.parametrize("numpy", [True, False])
def test_messages_that_do_not_add_up_are_refused(
    request_: ModelInferRequest, words: str, numpy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elements, "has_numpy", lambda: numpy)
    with pytest.raises(TensorError) as caught:
        inputs_of(request_)
    assert words in str(caught.value)


def test_two_tensors_of_one_name_are_refused() -> None:
    request = ModelInferRequest()
    put_inputs(request, {"x": [1]})
    put_inputs(request, {"x": [2]})
    with pytest.raises(TensorError, match="two tensors have the same name"):
        inputs_of(request)


def test_answers_are_raw_when_the_request_was() -> None:
    for raw in (True, False):
        request = ModelInferRequest()
        put_inputs(request, {"x": [1]}, raw)
        assert wants_raw(request) is raw
    assert wants_raw(ModelInferRequest())


def test_parameters_keep_their_types() -> None:
    given: dict[str, bool | int | float | str] = {"a": True, "b": -1, "c": 2**63, "d": 0.5, "e": "x"}
    request = ModelInferRequest()
    put_parameters(request.parameters, given)
    assert parameters_of(request.parameters) == given
    assert request.parameters["c"].uint64_param == 2**63
    with pytest.raises(TensorError, match="parameter 'f'"):
        put_parameters(request.parameters, {"f": None})  # type: ignore[dict-item]


def test_json_objects_are_tensors() -> None:
    response = ModelInferResponse()
    tensors = from_json({"query": ["context manager"], "k": 3, "deep": [[1.5], [2]], "yes": [True]})
    put_outputs(response, tensors)
    assert to_json(response) == {
        "query": ["context manager"],
        "k": [3],
        "deep": [[1.5], [2.0]],
        "yes": [True],
    }
    put_outputs(response, {"odd": [b"\xff"]})
    assert to_json(response)["odd"] == ["\ufffd"]


@pytest.mark.parametrize("document", [[1], "x", None, {"x": [[1], 2]}, {"x": None}, {"x": {"a": 1}}])
def test_other_json_is_refused(document: Any) -> None:
    with pytest.raises(TensorError):
        from_json(document)


def test_outputs_are_read_like_inputs() -> None:
    response = ModelInferResponse()
    put_outputs(response, {"x": [1], "y": ["a"]}, raw=False)
    assert {name: value.tolist() for name, value in outputs_of(response).items()} == {"x": [1], "y": [b"a"]}


@pytest.mark.parametrize(("endpoint", "model"), [("/search", "search"), ("/", "default"), ("/a/b", "a/b")])
def test_endpoints_are_models_without_the_slash(endpoint: str, model: str) -> None:
    assert model_of(endpoint) == model == model_of(model)
    assert endpoint_of(model) == endpoint == endpoint_of(endpoint)
