"""Calls of streams: an executor's own, and anybody's through heads and gateways."""

from __future__ import annotations

import asyncio
import queue
import signal
from collections.abc import AsyncIterator
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from grpc import aio
from tests.engine.pods.house import DEADLINE, House, LivePod, node
from tests.engine.pods.plain import plain_server

from quarterdeck.engine.errors import RequestError
from quarterdeck.engine.plan.routes import Replica
from quarterdeck.engine.wire.channel import bytes_both, bytes_call, open_channel

CHAT = "/their.Service/Chat"
Context = aio.ServicerContext[bytes, bytes]


def counted(address: str, model: str, to: int, **parameters: Any) -> list[Any]:
    """What Triton's client gets of a stream: numbers, or errors; until as many came as were asked for."""
    got: queue.Queue[tuple[Any, Any]] = queue.Queue()
    given = triton.InferInput("to", [1], "INT64")
    given.set_data_from_numpy(np.array([to]))
    found: list[Any] = []
    with triton.InferenceServerClient(address) as client:
        client.start_stream(lambda result, error: got.put((result, error)))
        client.async_stream_infer(model, [given], request_id="nine", parameters=parameters)
        client.async_stream_infer("once", [given])
        while True:
            result, error = got.get(timeout=DEADLINE)
            found.append(error.message() if error else int(result.as_numpy("number")[0]))
            if found[-1] == -1:
                client.stop_stream()
                return found


@pytest.fixture(scope="module")
def streams(shared_house: House) -> LivePod:
    return shared_house.start("chat/rep-0", "Streams")


async def test_each_item_of_an_async_generator_is_an_answer(streams: LivePod, house: House) -> None:
    """Asked directly, and through a gateway and a head, by somebody else's client."""
    gateway, head = house.start("gateway", role="gateway"), house.start("chat/head", role="head")
    await house.route(head, node("chat", [[streams]]))
    await house.route(gateway, node("chat", [[head]]))
    for pod in (streams, head, gateway):
        assert await asyncio.to_thread(counted, pod.address, "count", 3) == [0, 1, 2, -1]
    failed = await asyncio.to_thread(counted, gateway.address, "count", 2, bad=True)
    assert failed == [0, 1, "chat/rep-0: Streams.count: ValueError: no more", -1]
    *_, wrong, last = await asyncio.to_thread(counted, gateway.address, "none", 1)
    assert (wrong, last) == ("chat/rep-0: Streams has no endpoint /none; it has /count, /once", -1)
    assert "ValueError: no more" in streams.log.read_text()


async def test_a_stream_asked_for_as_one_answer_says_what_to_call(streams: LivePod) -> None:
    async with streams.client() as client:
        with pytest.raises(
            RequestError, match=r"UNIMPLEMENTED: .*Streams.count answers with a stream: call Mod"
        ):
            await client.infer("/count", {"to": [1]}, timeout=DEADLINE)


class Chat:
    """Somebody else's service: says each word back at once, and at the end who it is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ended = asyncio.Event()
        self.seconds: float | None = None

    async def chat(self, requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        self.seconds = context.time_remaining()
        await context.send_initial_metadata((("x-hello", self.name),))
        try:
            async for word in requests:
                if word == b"wait":
                    await asyncio.Event().wait()
                if word == b"fail":
                    await context.abort(grpc.StatusCode.DATA_LOSS, "lost it", (("x-why", "rust"),))
                yield word.upper()
            context.set_trailing_metadata((("x-bye", self.name),))
        finally:
            self.ended.set()

    async def once(self, request: bytes, context: Context) -> bytes:
        return request[::-1]


async def test_words_go_both_ways_while_the_stream_is_open(house: House) -> None:
    gateway, head = house.start("gateway", role="gateway"), house.start("chat/head", role="head")
    theirs = [Chat("a"), Chat("b")]
    async with (
        plain_server({"/their.Service/Once": theirs[0].once}, {CHAT: theirs[0].chat}) as first,
        plain_server({"/their.Service/Once": theirs[1].once}, {CHAT: theirs[1].chat}) as second,
    ):
        replicas = [Replica(f"chat/rep-{number}", at, 1) for number, at in enumerate((first, second))]
        await house.route(head, node("chat", [replicas]))
        await house.route(gateway, node("chat", [[head]]))
        channel = open_channel(gateway.address)
        chat = bytes_both(channel, CHAT)
        calls = [chat(timeout=DEADLINE, metadata=(("x-mine", "1"),)) for _ in range(2)]
        hello: set[str | bytes] = set()
        for call in calls:  # each stream holds one replica, so the second goes to the other
            hello.add(dict(await call.initial_metadata())["x-hello"])
            for word in (b"one", b"two"):
                await call.write(word)
                assert await call.read() == word.upper()
        assert hello == {"a", "b"}
        assert await bytes_call(channel, "/their.Service/Once")(b"abc", timeout=DEADLINE) == b"cba"
        await calls[0].done_writing()
        assert await calls[0].read() is aio.EOF
        assert dict(await calls[0].trailing_metadata())["x-bye"] in hello
        await calls[1].write(b"fail")
        with pytest.raises(aio.AioRpcError) as caught:
            await calls[1].read()
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.DATA_LOSS, "lost it")
        assert ("x-why", "rust") in list(caught.value.trailing_metadata() or ())
        await channel.close()
    seconds = [one.seconds or 0.0 for one in theirs]
    assert all(0 < left < DEADLINE + 1 for left in seconds), seconds


@pytest.mark.parametrize("how", ["cancelled", "deadline"])
async def test_the_end_of_a_client_ends_the_replicas_call(house: House, how: str) -> None:
    gateway, theirs = house.start("gateway", role="gateway"), Chat("a")
    async with plain_server(streams={CHAT: theirs.chat}) as address:
        await house.route(gateway, node("chat", [[Replica("chat/rep-0", address, 1)]]))
        channel = open_channel(gateway.address)
        call = bytes_both(channel, CHAT)(timeout=1.0 if how == "deadline" else DEADLINE)
        await call.write(b"wait")
        if how == "cancelled":
            await call.initial_metadata()
            call.cancel()
        async with asyncio.timeout(DEADLINE):
            await theirs.ended.wait()
        if how == "deadline":
            with pytest.raises(aio.AioRpcError) as caught:
                await call.read()
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await channel.close()


async def test_a_stream_goes_to_another_replica_only_before_it_is_connected(house: House) -> None:
    head = house.start("slow/head", role="head")
    dead, live = house.start("chat/rep-0", "Streams"), house.start("chat/rep-1", "Streams")
    nodes = node("chat", [[dead, live]])
    dead.signal(signal.SIGKILL)
    dead.wait()
    await house.route(head, nodes)
    for _ in range(3):
        assert await asyncio.to_thread(counted, head.address, "count", 1) == [0, -1]
    channel = open_channel(head.address)
    call = bytes_both(channel, "/inference.GRPCInferenceService/ModelStreamInfer")(timeout=DEADLINE)
    await call.write(b"\xff")  # is answered, so it has arrived
    answered = await call.read()
    assert isinstance(answered, bytes)
    assert b"chat/rep-1" in answered
    live.signal(signal.SIGKILL)
    with pytest.raises(aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    await channel.close()


async def test_what_can_go_nowhere_is_unimplemented(house: House, streams: LivePod) -> None:
    gateway = house.start("gateway", role="gateway")
    await house.route(gateway, node("a", [[streams]]), node("b", [[streams]], needs=("a",)))
    channel = open_channel(gateway.address)
    chat = bytes_both(channel, CHAT)
    with pytest.raises(aio.AioRpcError) as caught:
        await chat(timeout=DEADLINE).read()
    words = "gateway: /their.Service/Chat can go to a deployment that stands alone; behind it: a, b"
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.UNIMPLEMENTED, words)
    await house.route(gateway, node("a", [[streams]]))
    with pytest.raises(aio.AioRpcError) as caught:
        await chat(timeout=DEADLINE).read()
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED  # the pod knows no such call
    await house.route(gateway, node("a", [[]], timeout_send=0.1))
    with pytest.raises(aio.AioRpcError) as caught:
        await chat(timeout=DEADLINE).read()
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.UNAVAILABLE,
        "a: no ready replica; waited 0.1 s",
    )
    await channel.close()
