"""A worker as its clients see it: the protocol, health, reflection, errors and its end."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tests.engine.pods.house import DEADLINE, House, LivePod

from quarterdeck.engine.errors import RequestError
from quarterdeck.engine.wire.channel import bytes_call, bytes_stream, open_channel
from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.names import INFER
from quarterdeck.engine.wire.tensors import to_json

CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
SERVING, NOT_SERVING, SERVICE_UNKNOWN = b"\x08\x01", b"\x08\x02", b"\x08\x03"


@pytest.fixture(scope="module")
def echo(shared_house: House) -> LivePod:
    return shared_house.start("echo/rep-0", "Echo")


@pytest.fixture(scope="module")
def faulty(shared_house: House) -> LivePod:
    return shared_house.start("faulty/rep-0", "Faulty")


def test_triton_client_gets_all_calls_answered(echo: LivePod) -> None:
    with triton.InferenceServerClient(echo.address) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("search")
        assert client.get_server_metadata().name == "quarterdeck"
        metadata = client.get_model_metadata("search")
        assert (metadata.name, metadata.platform) == ("search", "quarterdeck_python")


@pytest.mark.parametrize(
    "dtype", ["bool", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "O"]
)
def test_triton_client_gets_every_datatype_back(echo: LivePod, dtype: str) -> None:
    sent = np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    if dtype == "O":
        sent = np.array([["grüße".encode(), b""]], dtype=object)
    given = triton.InferInput("x", list(sent.shape), triton.np_to_triton_dtype(sent.dtype))
    given.set_data_from_numpy(sent)
    with triton.InferenceServerClient(echo.address) as client:
        got = client.infer("anything", [given], request_id="nine")
    assert got.get_response().id == "nine"
    assert got.as_numpy("x").dtype == sent.dtype
    assert np.array_equal(got.as_numpy("x"), sent)


def test_triton_client_asks_for_one_output(faulty: LivePod) -> None:
    given = triton.InferInput("x", [1], "INT64")
    given.set_data_from_numpy(np.array([1]))
    with triton.InferenceServerClient(faulty.address) as client:
        wanted = [triton.InferRequestedOutput("b")]
        got = client.infer("two", [given], outputs=wanted).get_response()
        assert [output.name for output in got.outputs] == ["b"]
        with pytest.raises(triton.InferenceServerException, match="no output 'c'; it has a, b"):
            client.infer("two", [given], outputs=[triton.InferRequestedOutput("c")])


@pytest.mark.parametrize("endpoint", ["/fail", "fail"])
async def test_an_exception_names_method_type_and_message_and_the_pod_lives_on(
    faulty: LivePod, endpoint: str
) -> None:
    async with faulty.client() as client:
        for _ in range(2):
            with pytest.raises(RequestError) as caught:
                await client.infer(endpoint, {"x": [1]})
            words = "INTERNAL: faulty/rep-0: Faulty.fail: ZeroDivisionError: division by zero"
            assert words in caught.value.message
    assert 'return {"x": [1 / 0]}' in faulty.log.read_text()


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("/list", "INTERNAL: faulty/rep-0: Faulty.give_list: returned list, not a dict of named tensors"),
        ("/complex", "INTERNAL: faulty/rep-0: Faulty.give_complex: returned what can't be sent: tensor 'x'"),
        ("/no", "NOT_FOUND: faulty/rep-0: Faulty has no endpoint /no; it has /complex, /fail, /list, /two"),
    ],
)
async def test_other_faults_say_what_is_wrong(faulty: LivePod, endpoint: str, words: str) -> None:
    async with faulty.client() as client:
        with pytest.raises(RequestError) as caught:
            await client.infer(endpoint, {"x": [1]})
    assert words in caught.value.message


async def test_bytes_that_are_no_request_are_the_clients_fault(echo: LivePod) -> None:
    channel = open_channel(echo.address)
    for data in (b"\xff\xff\xff", b"\x2a\x7f", b"\x0a\x02\xff\xff"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await bytes_call(channel, INFER)(data, timeout=DEADLINE)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    await channel.close()


async def test_the_default_executor_gives_back_what_it_gets(shared_house: House) -> None:
    pod = shared_house.start("plain/rep-0")
    async with pod.client() as client:
        for raw in (True, False):
            answer = await client.infer("/any", {"x": [[1, 2]], "t": ["a"]}, raw=raw, id="ten")
            assert to_json(answer) == {"x": [[1, 2]], "t": ["a"]}
            assert (answer.id, bool(answer.raw_output_contents)) == ("ten", raw)


async def test_sync_methods_leave_health_and_async_ones_free(house: House) -> None:
    pod, gate = house.gated("slow/rep-0")
    async with pod.client() as client:
        waiting = [asyncio.ensure_future(client.infer("/sync", {})) for _ in range(2)]
        await gate.noted("in")
        channel = open_channel(pod.address)
        assert await bytes_call(channel, CHECK)(b"", timeout=DEADLINE) == SERVING
        await channel.close()
        answer = await client.infer("/", {}, {"a": 1, "b": True, "c": "x", "d": 0.5})
        assert to_json(answer) == {"parameters": ["a=1", "b=True", "c=x", "d=0.5"]}
        gate.open()
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        gate.open()
        answers = [to_json(await one) for one in waiting]
    assert answers[0]["thread"] == answers[1]["thread"] != ["MainThread"]


async def test_health_tells_services_apart(echo: LivePod) -> None:
    channel = open_channel(echo.address)
    check = bytes_call(channel, CHECK)
    known = b"inference.GRPCInferenceService"
    assert await check(bytes([10, len(known)]) + known, timeout=DEADLINE) == SERVING
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await check(b"\x0a\x01x", timeout=DEADLINE)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    watch = bytes_stream(channel, WATCH)(b"\x0a\x01x")
    assert await watch.read() == SERVICE_UNKNOWN
    watch.cancel()
    await channel.close()


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_describes_the_services(echo: LivePod, version: str) -> None:
    from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

    async def questions() -> AsyncIterator[bytes]:
        yield ServerReflectionRequest(list_services="").SerializeToString()
        symbol = "inference.GRPCInferenceService"
        yield ServerReflectionRequest(file_containing_symbol=symbol).SerializeToString()

    channel = open_channel(echo.address)
    method = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    call: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(method)
    answers = [ServerReflectionResponse.FromString(data) async for data in call(questions())]
    await channel.close()
    names = {service.name for service in answers[0].list_services_response.service}
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= names
    assert b"ModelInfer" in answers[1].file_descriptor_response.file_descriptor_proto[0]


def test_reflection_is_enough_for_a_generic_client(echo: LivePod) -> None:
    with grpc.insecure_channel(echo.address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        file = database.FindFileContainingSymbol("inference.ModelInferRequest")
        assert "raw_input_contents" in str(file)


async def test_sigterm_finishes_what_is_in_flight_and_closes_the_executor(house: House) -> None:
    pod, gate = house.gated("slow/rep-0")
    channel = open_channel(pod.address)
    watch = bytes_stream(channel, WATCH)(b"")
    assert await watch.read() == SERVING
    async with pod.client() as client:
        waiting = asyncio.ensure_future(client.infer("/sync", {}))
        await gate.noted("in")
        pod.signal(signal.SIGTERM)
        assert await watch.read() == NOT_SERVING
        async with pod.client() as late:
            assert re.search("UNAVAILABLE|CANCELLED", await _refusal(late))
        gate.open()
        assert to_json(await waiting)["thread"]
    await gate.noted("closed")
    assert await asyncio.to_thread(pod.wait) == 0
    await channel.close()


async def _refusal(client: InferenceClient) -> str:
    """What it is told at last: what comes at once is still answered, since a router may have sent it before."""
    async with asyncio.timeout(10):
        while True:
            try:
                await client.infer("/", {})
            except RequestError as error:
                return str(error)


async def test_what_outlasts_the_grace_is_cut(house: House) -> None:
    pod, gate = house.gated("slow/rep-0", grace=0.2)
    async with pod.client() as client:
        waiting = [asyncio.ensure_future(client.infer(endpoint, {})) for endpoint in ("/async", "/sync")]
        await gate.noted("in\nin")
        pod.signal(signal.SIGTERM)
        for one in waiting:
            with pytest.raises(RequestError):
                await one
    assert await asyncio.to_thread(pod.wait) == 0
    await gate.noted("closed")


async def test_a_second_sigterm_ends_at_once(house: House) -> None:
    pod, gate = house.gated("slow/rep-0", grace=3600.0)
    channel = open_channel(pod.address)
    watch = bytes_stream(channel, WATCH)(b"")
    assert await watch.read() == SERVING
    async with pod.client() as client:
        waiting = asyncio.ensure_future(client.infer("/async", {}))
        await gate.noted("in")
        pod.signal(signal.SIGTERM)
        assert await watch.read() == NOT_SERVING
        pod.signal(signal.SIGTERM)
        assert await asyncio.to_thread(pod.wait) == 128 + signal.SIGTERM
        with pytest.raises(RequestError):
            await waiting
    await channel.close()


def test_a_keyboard_interrupt_is_not_for_pods(house: House) -> None:
    pod = house.start("plain/rep-0")
    assert pod.port
    pod.signal(signal.SIGINT)
    pod.signal(signal.SIGTERM)
    assert pod.wait() == 0


def test_a_taken_port_is_told(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        pod = house.start("plain/rep-0", port=port)
        assert pod.word() == {"error": f"plain/rep-0: port {port} of 127.0.0.1 is taken", "port_taken": True}
        assert pod.wait() == 1


def test_a_host_that_is_not_ours_is_told(house: House) -> None:
    pod = house.start("plain/rep-0", host="192.0.2.1")
    assert pod.word() == {
        "error": "plain/rep-0: port 0 of 192.0.2.1 can't be used: Cannot assign requested address"
    }
    assert pod.wait() == 1


BROKEN = {
    "raises": ("class X(Executor):\n    def __init__(self):\n        raise ValueError('boom')\n",
               "user.py:4 in __init__: ValueError: boom"),
    "deep": ("import json\nclass X(Executor):\n    def __init__(self):\n        json.loads('{')\n",
             "user.py:5 in __init__: JSONDecodeError: Expecting property name"),
    "import": ("import not_there\n", "user.py:2 in <module>: ModuleNotFoundError: No module named 'not_there'"),
    "syntax": ("def x(:\n", "user.py:2: SyntaxError: invalid syntax"),
    "exits": ("import sys\nsys.exit(3)\n", "user.py:3 in <module>: SystemExit: 3"),
    "other name": ("class Y(Executor): pass\n", "has no class 'X'; it has Y"),
    "no executor": ("class X: pass\n", "X is not an executor; derive it from quarterdeck.Executor"),
    "arguments": ("class X(Executor):\n    def __init__(self, *, model): pass\n    @requests\n    def f(self): ...\n",
                  "X: missing a required argument: 'model'; uses_with gives nothing"),
    "odd method": ("class X(Executor):\n    @requests\n    def f(self, docs): ...\n",
                   "X.f takes 'docs'; a method may take parameters, shards, tensors"),
    "twice": ("class X(Executor):\n    @requests\n    def f(self): ...\n    @requests\n    def g(self): ...\n",
              "X: both f and g serve requests that no other method serves"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_an_executor_that_does_not_load_says_why_in_one_line(house: House, tmp_path: Path, case: str) -> None:
    code, words = BROKEN[case]
    file = tmp_path / "user.py"
    file.write_text("from quarterdeck import Executor, requests\n" + code)
    pod = house.start("broken/rep-0", f"{file}:X")
    error = pod.word()["error"]
    assert error.startswith("broken/rep-0: ")
    assert words in error
    assert "\n" not in error
    assert pod.wait() == 1
    assert ("Traceback" in pod.log.read_text()) is (case in ("raises", "deep", "import", "syntax", "exits"))


async def test_a_file_may_import_what_stands_beside_it_and_in_py_modules(
    house: House, tmp_path: Path
) -> None:
    for name in ("here", "there", "packed/inner"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "here" / "beside.py").write_text("A = 'beside'\n")
    (tmp_path / "there" / "other.py").write_text("B = 'other'\n")
    (tmp_path / "packed" / "inner" / "__init__.py").write_text("C = 'package'\n")
    (tmp_path / "here" / "user.py").write_text(
        "import logging\nfrom .beside import A\nimport beside, other, inner\n"
        "from quarterdeck import Executor, requests\n"
        "class X(Executor):\n"
        "    def __init__(self):\n"
        "        logging.getLogger('mine').info('made in %s', self.workspace.name)\n"
        "    @requests\n"
        "    def f(self):\n        print('called')\n        return {'x': [A, beside.A, other.B, inner.C]}\n"
    )
    modules = (str(tmp_path / "there" / "other.py"), str(tmp_path / "packed" / "inner"))
    pod = house.start(
        "user/rep-0",
        f"{tmp_path / 'here' / 'user.py'}:X",
        py_modules=modules,
        workspace=str(tmp_path / "a" / "w"),
    )
    async with pod.client() as client:
        assert to_json(await client.infer("/", {}))["x"] == ["beside", "beside", "other", "package"]
    assert "INFO mine: made in w" in pod.log.read_text()
    assert "called" in pod.log.read_text()


async def test_a_class_can_be_named_by_its_module(house: House, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from quarterdeck import Executor, requests\n"
        "class X(Executor):\n    @requests\n    async def f(self, **all):\n        return {'x': sorted(all)}\n"
    )
    pod = house.start("user/rep-0", "mine.X", py_modules=(str(tmp_path),))
    async with pod.client() as client:
        assert to_json(await client.infer("/", {}))["x"] == ["parameters", "shards", "tensors"]
    missing = house.start("user/rep-1", "mine_not_there.X")
    assert missing.word()["error"].startswith("user/rep-1: there is no module 'mine_not_there'")
