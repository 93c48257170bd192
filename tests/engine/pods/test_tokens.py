"""Tokens and metadata: who is let in, and what goes along to whom."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from grpc import aio
from tests.engine.pods.house import DEADLINE, House, LivePod, node
from tests.engine.pods.plain import plain_server
from tests.fakes.certificates import Authority

from quarterdeck.engine.errors import RequestError
from quarterdeck.engine.plan.routes import SET_ROUTES, Replica, Routes
from quarterdeck.engine.supervise import health
from quarterdeck.engine.wire.channel import bytes_both, bytes_call, open_channel
from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.names import INFER
from quarterdeck.engine.wire.scan import request_as_response
from quarterdeck.engine.wire.tensors import to_json
from quarterdeck.engine.wire.way import way_of

REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
TOKEN = "s3cret"
REFUSED = (
    "UNAUTHENTICATED: it asks for a token, and got none; send the metadata `authorization: Bearer TOKEN`"
)


@pytest.fixture(scope="module")
def guarded(shared_house: House) -> LivePod:
    return shared_house.start("echo/rep-0", "Echo", token=TOKEN)


async def test_who_has_the_token_is_let_in(guarded: LivePod) -> None:
    async with InferenceClient(guarded.address, token=TOKEN) as client:
        assert to_json(await client.infer("/", {"x": [1]}, timeout=DEADLINE))["x"] == [1]


@pytest.mark.parametrize("token", ["", "another", TOKEN + "x", TOKEN[:-1]])
async def test_who_has_another_is_not(guarded: LivePod, token: str) -> None:
    pairs = (("authorization", f"Bearer {token}"),)
    channel = open_channel(guarded.address)
    with pytest.raises(aio.AioRpcError) as caught:
        await bytes_call(channel, INFER)(b"", timeout=DEADLINE, metadata=pairs)
    await channel.close()
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "the token in `authorization` is another" in (caught.value.details() or "")


async def test_without_a_token_nothing_is_open_but_health(guarded: LivePod, house: House) -> None:
    async with guarded.client() as client:
        with pytest.raises(RequestError) as caught:
            await client.infer("/", {"x": [1]}, timeout=DEADLINE)
    assert REFUSED in caught.value.message
    assert "--token" in caught.value.hint
    channel = open_channel(guarded.address)
    for method in (REFLECTION, "/some.Service/Method"):
        with pytest.raises(aio.AioRpcError) as refused:
            await bytes_both(channel, method)(timeout=DEADLINE).read()
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    await channel.close()
    assert (await health.check("127.0.0.1", guarded.port)).ok
    head = house.start("echo/head", role="head", token=TOKEN)
    channel = open_channel(head.address)
    with pytest.raises(aio.AioRpcError) as refused:
        await bytes_call(channel, SET_ROUTES)(Routes(1, ()).dump(), timeout=DEADLINE)
    await channel.close()
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_engines_health_call_carries_a_long_token_to_who_asks_for_one() -> None:
    token = "t" * 300

    async def check(request: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        shown = dict(context.invocation_metadata() or ())
        return b"\x08\x01" if shown.get("authorization") == f"Bearer {token}" else b"\x08\x02"

    async with plain_server({"/grpc.health.v1.Health/Check": check}) as address:
        host, _, port = address.rpartition(":")
        way = way_of(token=token, metadata={"x-team": "a"})
        assert (await health.check(host, int(port), way=way)).ok
        assert (await health.check(host, int(port))).answer == "health says not serving"


class Theirs:
    """What somebody else's server does: notes the metadata of each call, and answers beside the input."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[dict[str, str | bytes]] = []

    async def infer(self, request: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        seen = dict(context.invocation_metadata() or ())
        self.seen.append(seen)
        context.set_trailing_metadata((("x-cost", "7"), ("x-server", self.name), ("x-raw-bin", b"\0\xff")))
        if "x-fail" in seen:
            trailing = (("x-why", "quota"), ("grpc-status-details-bin", b"\x08\x08"))
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no more today", trailing)
        return request_as_response(request)


async def test_an_external_deployment_of_two_addresses_under_tls(house: House, tmp_path: Path) -> None:
    """Through a gateway that has a token of its own: each gets its own token, and not the other's."""
    authority = Authority.new(tmp_path)
    shown = authority.sign("localhost")
    gateway = house.start("gateway", role="gateway", token=TOKEN)
    one, two = Theirs("one"), Theirs("two")
    async with (
        plain_server({INFER: one.infer}, shown=shown) as first,
        plain_server({INFER: two.infer}, shown=shown) as second,
    ):
        replicas = tuple(
            Replica(f"theirs/rep-{number}", address.replace("127.0.0.1", "localhost"), 1)
            for number, address in enumerate((first, second))
        )
        theirs = node(
            "theirs", [replicas], tls=True, ca=authority.ca,
            metadata={"Authorization": "Bearer theirs", "x-team": "a"}, options={"grpc.keepalive_time_ms": 60000},
        )  # fmt: skip
        await house.route(gateway, theirs)
        metadata = {"x-mine": "b", "x-team": "z"}
        async with InferenceClient(gateway.address, token=TOKEN, metadata=metadata) as client:
            for number in range(4):
                answer = await client.infer("/", {"x": [number]}, timeout=DEADLINE)
                assert to_json(answer) == {"x": [number]}
        # Without metadata of its own for it, a gateway with a token still keeps its callers' to itself.
        await house.route(gateway, node("theirs", [replicas], tls=True, ca=authority.ca))
        async with InferenceClient(gateway.address, token=TOKEN) as client:
            await client.infer("/", {"x": [1]}, timeout=DEADLINE)
    assert len(one.seen) + len(two.seen) == 5
    assert (one.seen[0]["x-team"], one.seen[0]["x-mine"]) == ("a", "b")
    claimed = [seen for seen in one.seen + two.seen if "x-team" in seen]
    assert {seen["authorization"] for seen in claimed} == {"Bearer theirs"}
    assert [seen.get("authorization") for seen in one.seen + two.seen if "x-team" not in seen] == [None]


async def test_a_callers_metadata_passes_where_nobody_claims_it(house: House) -> None:
    gateway, theirs = house.start("gateway", role="gateway"), Theirs("one")
    async with plain_server({INFER: theirs.infer}) as address:
        await house.route(gateway, node("theirs", [[Replica("theirs/rep-0", address, 1)]]))
        metadata = {"authorization": "Basic x", "x-mine-bin": "b"}
        async with InferenceClient(gateway.address, metadata=metadata) as client:
            await client.infer("/", {"x": [1]}, timeout=DEADLINE)
    assert (theirs.seen[0]["authorization"], theirs.seen[0]["x-mine-bin"]) == ("Basic x", b"b")


async def test_trailing_metadata_and_errors_come_back_through_head_and_gateway(house: House) -> None:
    gateway, head = house.start("gateway", role="gateway"), house.start("theirs/head", role="head")
    async with (
        plain_server({INFER: Theirs("one").infer}) as first,
        plain_server({INFER: Theirs("two").infer}) as second,
    ):
        shards = [[Replica(f"theirs/shard-{number}", at, 1)] for number, at in enumerate((first, second))]
        await house.route(head, node("theirs", shards, polling={"*": "ALL"}))
        await house.route(gateway, node("theirs", [[head]]))
        channel = open_channel(gateway.address)
        infer = bytes_call(channel, INFER)
        call = infer(b"", timeout=DEADLINE)
        await call
        pairs = list(await call.trailing_metadata())
        assert sorted(pairs) == [
            ("x-cost", "7"),
            ("x-raw-bin", b"\0\xff"),
            ("x-server", "one"),
            ("x-server", "two"),
        ]
        with pytest.raises(aio.AioRpcError) as caught:
            await infer(b"", timeout=DEADLINE, metadata=(("x-fail", "1"),))
        await channel.close()
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "no more today",
    )
    found = dict(caught.value.trailing_metadata() or ())
    assert (found["x-why"], found["grpc-status-details-bin"]) == ("quota", b"\x08\x08")
