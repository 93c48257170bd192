"""A gateway that walks needs, with and without heads behind it."""

from __future__ import annotations

import asyncio
import signal

import numpy as np
import pytest
import tritonclient.grpc as triton
from tests.engine.pods.house import DEADLINE, House, LivePod, node

from quarterdeck.engine.errors import RequestError
from quarterdeck.engine.plan.routes import Node
from quarterdeck.engine.wire.tensors import to_json

STEPS = "abcd"


class Front:
    """A gateway and four workers that each add a step."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.gateway = house.start("gateway", role="gateway")
        self.steps = {name: house.start(f"{name}/rep-0", "Steps", uses_with={"step": name}) for name in STEPS}

    async def route(self, **needs: str) -> None:
        """Nodes by name, each with the names it needs."""
        nodes = [node(name, [[self.steps[name]]], needs=tuple(others)) for name, others in needs.items()]
        await self.house.route(self.gateway, *nodes)


@pytest.fixture(scope="module")
def front(shared_house: House) -> Front:
    return Front(shared_house)


WALKS: dict[str, tuple[dict[str, str], list[str]]] = {
    "one": ({"a": ""}, ["in>a"]),
    "chain": ({"a": "", "b": "a", "c": "b"}, ["in>a>b>c"]),
    "diamond": ({"a": "", "b": "a", "c": "a", "d": "bc"}, ["in>a>b>d", "in>a>c>d"]),
    "order of needs": ({"a": "", "b": "a", "c": "a", "d": "cb"}, ["in>a>c>d", "in>a>b>d"]),
    "two leaves": ({"a": "", "b": "a", "c": "a"}, ["in>a>b", "in>a>c"]),
    "two roots": ({"a": "", "b": "", "c": "ab"}, ["in>a>c", "in>b>c"]),
    "apart": ({"a": "", "b": ""}, ["in>a", "in>b"]),
}


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("walk", WALKS)
async def test_needs_are_walked(front: Front, walk: str, raw: bool) -> None:
    needs, way = WALKS[walk]
    await front.route(**needs)
    async with front.gateway.client() as client:
        answer = await client.infer("/", {"way": ["in"]}, {"told": "all"}, DEADLINE, raw=raw, id="one")
    content = to_json(answer)
    assert content.pop("way") == way
    assert set().union(*content.values()) == {"all"}  # every step was told the parameter
    assert (answer.id, bool(answer.raw_output_contents)) == ("one", raw)


async def test_triton_client_gets_through_and_may_choose(front: Front) -> None:
    await front.route(a="", b="a", c="a")
    given = triton.InferInput("way", [1], "BYTES")
    given.set_data_from_numpy(np.array([b"in"], dtype=object))
    wanted = [triton.InferRequestedOutput("c"), triton.InferRequestedOutput("way")]

    def ask() -> list[str]:
        with triton.InferenceServerClient(front.gateway.address) as client:
            assert client.is_server_ready()
            assert client.is_model_ready("anything")
            answer = client.infer("anything", [given], outputs=wanted).get_response()
            with pytest.raises(triton.InferenceServerException, match="no output 'z'"):
                client.infer("anything", [given], outputs=[triton.InferRequestedOutput("z")])
            return [output.name for output in answer.outputs]

    assert await asyncio.to_thread(ask) == ["c", "way"]


async def test_independent_nodes_run_side_by_side(house: House) -> None:
    gateway = house.start("gateway", role="gateway")
    slow = [house.gated(f"{name}/rep-0") for name in "ab"]
    await house.route(gateway, *(node(name, [[pod]]) for name, (pod, _) in zip("ab", slow, strict=True)))
    async with gateway.client() as client:
        call = asyncio.ensure_future(client.infer("/sync", {}))
        for _, gate in slow:
            await gate.noted("in")  # both, before either may end
        for _, gate in slow:
            gate.open()
        assert to_json(await call)["thread"]


async def test_a_failure_cancels_what_runs_beside_it(house: House) -> None:
    gateway, faulty = house.start("gateway", role="gateway"), house.start("b/rep-0", "Faulty")
    slow, gate = house.gated("a/rep-0")
    await house.route(gateway, node("a", [[slow]]), node("b", [[]]))
    async with gateway.client() as client:
        call = asyncio.ensure_future(client.infer("/async", {}))
        await gate.noted("in")
        await house.route(gateway, node("a", [[slow]]), node("b", [[faulty]]))
        with pytest.raises(RequestError, match="NOT_FOUND: b/rep-0"):
            await call
        await gate.noted("cancelled")


async def test_a_head_behind_the_gateway_is_one_shard(house: House) -> None:
    gateway, head = house.start("gateway", role="gateway"), house.start("index/head", role="head")
    workers = house.workers("index", "Hidden", shards=2, replicas=1)
    polling = {"/search": "ALL", "*": "ANY"}
    await house.route(head, node("index", workers, polling=polling))
    await house.route(gateway, node("index", [[head]], polling=polling))
    async with gateway.client() as client:
        found = to_json(await client.infer("/search", {"query": ["x"]}))["documents"]
        assert found == ["document of shard 0", "document of shard 1"]
        # What the head decides is final: the gateway does not ask it again.
        await house.route(head, node("index", [workers[0], []], polling=polling, timeout_send=0.1))
        with pytest.raises(RequestError, match="UNAVAILABLE: index: shard 1 has no ready replica"):
            await client.infer("/search", {"query": ["x"]})
        assert to_json(await client.infer("/index", {"query": ["x"]}))["documents"]


async def test_readiness_is_that_of_every_node(front: Front, house: House) -> None:
    gateway = house.start("gateway", role="gateway")

    def ready() -> bool:
        with triton.InferenceServerClient(gateway.address) as client:
            assert client.is_server_live()
            return bool(client.is_server_ready() and client.is_model_ready("x"))

    a = node("a", [[front.steps["a"]]])
    tables: list[tuple[tuple[Node, ...], bool]] = [
        ((), False),
        ((a,), True),
        ((a, node("b", [[]])), False),
        ((a, node("b", [[front.steps["b"]], []])), False),
        ((node("a", [[front.steps["a"]]], has_before=True),), False),
        ((node("a", [[front.steps["a"]]], has_after=True),), False),
        ((node("a", [[front.steps["a"]]], after=front.steps["b"]),), True),
    ]
    assert not await asyncio.to_thread(ready)
    for nodes, expected in tables:
        await house.route(gateway, *nodes)
        assert await asyncio.to_thread(ready) is expected


async def test_a_request_waits_for_the_first_table(house: House, front: Front) -> None:
    gateway = house.start("gateway", role="gateway")
    async with gateway.client() as client:
        early = asyncio.ensure_future(client.infer("/", {"way": ["in"]}, timeout=DEADLINE))
        await house.route(gateway, node("a", [[front.steps["a"]]]))
        assert to_json(await early)["way"] == ["in>a"]


async def test_replicas_behind_a_gateway_share_the_load_and_lose_nothing(house: House) -> None:
    gateway = house.start("gateway", role="gateway")
    pods: list[LivePod] = [house.start(f"echo/rep-{number}", "Echo") for number in range(3)]
    await house.route(gateway, node("echo", [pods]))
    async with gateway.client() as client:
        answers = [await client.infer("/", {"x": [number]}) for number in range(6)]
        assert [to_json(answer)["pod"][0][-1] for answer in answers] == ["0", "1", "2"] * 2
        pods[1].signal(signal.SIGKILL)
        answers = [await client.infer("/", {"x": [number]}, timeout=DEADLINE) for number in range(20)]
        assert [to_json(answer)["x"] for answer in answers] == [[number] for number in range(20)]
