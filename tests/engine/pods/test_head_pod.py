"""A head in front of shards: polling, reducing, before and after, waiting, and what goes along."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import grpc
import numpy as np
import pytest
from tests.engine.pods.house import DEADLINE, House, node

from quarterdeck.engine.errors import RequestError
from quarterdeck.engine.wire.channel import bytes_call, open_channel
from quarterdeck.engine.wire.inference_pb2 import ModelInferRequest, ModelInferResponse
from quarterdeck.engine.wire.names import INFER
from quarterdeck.engine.wire.tensors import outputs_of, put_inputs, to_json

POLLING = {"/search": "ALL", "/ragged": "ALL", "*": "ANY"}


class Index:
    """A head, two shards of two replicas, before and after."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.head = house.start("index/head", role="head")
        self.before = house.start("index/uses_before-0", "Before")
        self.after = house.start("index/uses_after-0", "After")
        self.workers = house.workers("index", "Hidden", shards=2, replicas=2)


@pytest.fixture(scope="module")
def index(shared_house: House) -> Index:
    return Index(shared_house)


async def test_any_goes_to_one_shard_after_another(index: Index) -> None:
    await index.house.route(index.head, node("index", index.workers, polling=POLLING))
    async with index.head.client() as client:
        answers = [to_json(await client.infer("/index", {"query": ["x"]})) for _ in range(4)]
    assert Counter(answer["documents"][0] for answer in answers) == {
        "document of shard 0": 2,
        "document of shard 1": 2,
    }
    assert [answers[0]["documents"], answers[1]["documents"]] in (
        [["document of shard 0"], ["document of shard 1"]],
        [["document of shard 1"], ["document of shard 0"]],
    )


@pytest.mark.parametrize("raw", [True, False])
async def test_all_joins_every_shard_in_order(index: Index, raw: bool) -> None:
    await index.house.route(index.head, node("index", index.workers, polling=POLLING))
    async with index.head.client() as client:
        answer = await client.infer("/search", {"query": ["x"]}, raw=raw, id="seven")
    assert to_json(answer) == {
        "documents": ["document of shard 0", "document of shard 1"],
        "query": ["x", "x"],
    }
    assert bool(answer.raw_output_contents) is raw
    assert (answer.model_name, answer.id) == ("search", "seven")


async def test_what_cannot_be_joined_names_shard_output_and_shapes(index: Index) -> None:
    await index.house.route(index.head, node("index", index.workers, polling=POLLING))
    async with index.head.client() as client:
        with pytest.raises(RequestError) as caught:
            await client.infer("/ragged", {})
    for part in ("INTERNAL: index:", "'vectors'", "[1, 2] of shard 0", "[1, 3] of shard 1"):
        assert part in caught.value.message


@pytest.mark.parametrize("raw", [True, False])
async def test_before_changes_the_request_and_after_sees_all_shards(index: Index, raw: bool) -> None:
    table = node("index", index.workers, polling=POLLING, before=index.before, after=index.after)
    await index.house.route(index.head, table)
    async with index.head.client() as client:
        answer = await client.infer("/search", {"query": ["x"]}, {"told": "all"}, raw=raw, id="eight")
    assert to_json(answer) == {
        "documents": ["document of shard 1", "document of shard 0"],
        "query": ["X"],
        "shards": [2],
        "told": ["all"],
    }
    assert answer.id == "eight"


async def test_only_the_wanted_outputs_come_back(index: Index) -> None:
    table = node("index", index.workers, polling=POLLING, before=index.before, after=index.after)
    await index.house.route(index.head, table)
    request = ModelInferRequest(model_name="search")
    put_inputs(request, {"query": ["x"]})
    request.outputs.add(name="shards")
    channel = open_channel(index.head.address)
    data = await bytes_call(channel, INFER)(request.SerializeToString(), timeout=DEADLINE)
    await channel.close()
    assert list(outputs_of(ModelInferResponse.FromString(data))) == ["shards"]


async def test_a_shard_without_replicas_is_waited_for_and_then_named(index: Index) -> None:
    full = index.workers
    await index.house.route(index.head, node("index", [full[0], []], polling=POLLING, timeout_send=0.2))
    async with index.head.client() as client:
        with pytest.raises(RequestError, match=r"UNAVAILABLE: index: shard 1 has no ready replica"):
            await client.infer("/search", {"query": ["x"]})
        await client.infer("/index", {"query": ["x"]})  # any shard will do

        await index.house.route(index.head, node("index", [full[0], []], polling=POLLING))
        waiting = asyncio.ensure_future(client.infer("/search", {"query": ["x"]}))
        await client.infer("/index", {"query": ["x"]})
        assert not waiting.done()
        await index.house.route(index.head, node("index", full, polling=POLLING))
        assert len(to_json(await waiting)["documents"]) == 2


async def test_errors_of_a_worker_reach_the_client_as_they_are(index: Index) -> None:
    await index.house.route(index.head, node("index", index.workers, polling=POLLING))
    async with index.head.client() as client:
        with pytest.raises(RequestError, match=r"NOT_FOUND: index/shard-\d/rep-\d: Hidden has no endpoint"):
            await client.infer("/no", {"query": ["x"]})
        with pytest.raises(RequestError, match=r"INTERNAL: index/shard-\d/rep-\d: Hidden.search: KeyError"):
            await client.infer("/index", {"other": ["x"]})


async def test_sixty_four_mebibytes_pass(house: House) -> None:
    head, workers = house.start("big/head", role="head"), house.workers("big", None, shards=2, replicas=1)
    await house.route(head, node("big", workers, polling={"*": "ANY"}))
    sent = np.frombuffer(os.urandom(64 << 20), dtype=np.uint8)
    async with head.client() as client:
        answer = await client.infer("/", {"x": sent}, timeout=DEADLINE)
    assert np.array_equal(outputs_of(answer)["x"], sent)


async def test_a_deadline_passes_through(house: House) -> None:
    worker, gate = house.gated("slow/rep-0")
    head = house.start("slow/head", role="head")
    await house.route(head, node("slow", [[worker]]))
    async with head.client() as client:
        with pytest.raises(RequestError, match="DEADLINE_EXCEEDED"):
            await client.infer("/async", {}, timeout=0.5)
    await gate.noted("cancelled")


async def test_cancelling_passes_through(house: House) -> None:
    worker, gate = house.gated("slow/rep-0")
    head = house.start("slow/head", role="head")
    await house.route(head, node("slow", [[worker]]))
    async with head.client() as client:
        call = asyncio.ensure_future(client.infer("/async", {}))
        await gate.noted("in")
        call.cancel()
        await gate.noted("cancelled")


async def test_a_table_older_than_the_one_in_force_is_refused(index: Index) -> None:
    await index.house.route(index.head, node("index", index.workers))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await index.house.route(index.head, node("index", index.workers), version=0)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
