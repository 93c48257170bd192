"""`partial: allow`: an answer without the shards that are not there, and the metadata that names them."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import grpc
import pytest
from grpc import aio
from tests.engine.pods.house import DEADLINE, House, LivePod, node

from quarterdeck.engine.errors import RequestError
from quarterdeck.engine.wire.channel import bytes_call, open_channel
from quarterdeck.engine.wire.inference_pb2 import ModelInferRequest, ModelInferResponse
from quarterdeck.engine.wire.names import INFER
from quarterdeck.engine.wire.tensors import put_inputs, to_json

SHARDS = 4


class Index:
    """A gateway, a head, four shards of one replica, and a `uses_after`."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.gateway = house.start("gateway", role="gateway")
        self.head = house.start("index/head", role="head")
        self.after = house.start("index/uses_after-0", "After")
        self.workers = house.workers("index", "Hidden", shards=SHARDS, replicas=1)

    async def route(self, *gone: int, after: bool = False, **more: Any) -> None:
        """Put tables in force that lack these shards' replicas."""
        shards: list[list[LivePod]] = [
            [] if number in gone else shard for number, shard in enumerate(self.workers)
        ]
        end = {"after": self.after} if after else {}
        given = {"polling": {"*": "ALL"}, "partial": True, "timeout_send": 0.2, **end, **more}
        await self.house.route(self.head, node("index", shards, **given))
        await self.house.route(self.gateway, node("index", [[self.head]], partial=True))


@pytest.fixture(scope="module")
def index(shared_house: House) -> Index:
    return Index(shared_house)


async def ask(
    address: str, model: str = "search", timeout: float = DEADLINE
) -> tuple[dict[str, Any], str | bytes]:
    """The answer, and what it does without."""
    request = ModelInferRequest(model_name=model)
    put_inputs(request, {"query": ["x"]})
    channel = open_channel(address)
    try:
        call = bytes_call(channel, INFER)(request.SerializeToString(), timeout=timeout)
        answer = to_json(ModelInferResponse.FromString(await call))
        found = [value for key, value in await call.trailing_metadata() if key == "quarterdeck-missing"]
        assert len(found) <= 1
        return answer, "".join(map(str, found))
    finally:
        await channel.close()


@pytest.mark.parametrize("front", ["head", "gateway"])
@pytest.mark.parametrize("after", [False, True])
async def test_the_others_answer_and_what_is_missing_is_named(index: Index, front: str, after: bool) -> None:
    await index.route(1, 3, after=after)
    answer, missing = await ask(getattr(index, front).address)
    documents = ["document of shard 0", "document of shard 2"]
    assert answer["documents"] == (documents[::-1] if after else documents)
    assert answer.get("shards") == ([2] if after else None)
    assert missing == "shard 1, shard 3"
    await index.route(after=after)
    answer, missing = await ask(getattr(index, front).address)
    assert len(answer["documents"]) == SHARDS
    assert missing == ""


async def test_without_it_or_with_nobody_left_the_request_fails(index: Index) -> None:
    await index.route(1, 3, partial=False)
    with pytest.raises(aio.AioRpcError, match=r"shard \d has no ready replica") as caught:
        await ask(index.gateway.address)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    await index.route(*range(SHARDS))
    with pytest.raises(aio.AioRpcError, match="shard 0 has no ready replica"):
        await ask(index.gateway.address)


async def test_a_shard_that_answers_wrongly_is_not_missing(index: Index) -> None:
    await index.route(1)
    with pytest.raises(aio.AioRpcError, match="Hidden has no endpoint /none") as caught:
        await ask(index.head.address, "none")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_partial_answer_is_there_before_the_deadline(index: Index) -> None:
    await index.route(2, timeout_send=DEADLINE)
    began = time.monotonic()
    answer, missing = await ask(index.gateway.address, timeout=2.0)
    assert time.monotonic() - began < 2.0
    assert (len(answer["documents"]), missing) == (SHARDS - 1, "shard 2")


async def test_who_is_back_in_time_is_not_missing(index: Index) -> None:
    await index.route(2, timeout_send=DEADLINE)
    waiting = asyncio.ensure_future(ask(index.head.address))
    await index.route(timeout_send=DEADLINE)
    assert await waiting == (
        {"documents": [f"document of shard {n}" for n in range(SHARDS)], "query": ["x"] * SHARDS},
        "",
    )


async def test_a_shard_that_dies_with_the_request_is_missing(house: House) -> None:
    head = house.start("echo/head", role="head")
    good, (slow, gate) = house.start("echo/shard-0/rep-0", "Echo"), house.gated("echo/shard-1/rep-0")
    table = node("echo", [[good], [slow]], polling={"*": "ALL"}, partial=True, timeout_send=0.5)
    await house.route(head, table)
    waiting = asyncio.ensure_future(ask(head.address, "async"))
    await gate.noted("in")
    slow.signal(signal.SIGKILL)
    answer, missing = await waiting
    assert (answer["pod"], missing) == (["echo/shard-0/rep-0"], "shard 1")


async def test_a_gateway_of_several_deployments_says_whose_shards(index: Index) -> None:
    await index.route(0)
    plain = index.house.start("plain/rep-0")
    nodes = node("plain", [[plain]]), node("index", [[index.head]], needs=("plain",))
    await index.house.route(index.gateway, *nodes)
    _, missing = await ask(index.gateway.address)
    assert missing == "index: shard 0"
    async with index.gateway.client() as client:
        with pytest.raises(RequestError, match="NOT_FOUND"):
            await client.infer("/none", {"query": ["x"]}, timeout=DEADLINE)
