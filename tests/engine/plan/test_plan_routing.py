"""The tables that heads and gateways work by."""

from __future__ import annotations

import pytest

from quarterdeck.engine.model import PodKey
from quarterdeck.engine.plan.gpus import GpuView
from quarterdeck.engine.plan.planner import plan
from quarterdeck.engine.plan.routes import Node, Replica, Routes
from quarterdeck.engine.plan.routing import routes_for
from quarterdeck.engine.spec.topology import DeploymentSpec, Polling, Topology

PLAN = plan(
    Topology(
        "demo",
        (
            DeploymentSpec(
                "index",
                shards=2,
                replicas=2,
                uses_before="m.B",
                uses_after="m.A",
                polling={"*": Polling.ANY, "/search": Polling.ALL},
                needs=("clean",),
                idempotent=False,
                timeout_send=5.0,
            ),
            DeploymentSpec("clean", replicas=2, polling={"*": Polling.ALL}),
        ),
    ),
    GpuView(),
)
GATEWAY = PodKey("demo", "gateway")
HEAD = PodKey("demo", "index/head")


def ready(*names: str) -> dict[PodKey, tuple[str, int]]:
    return {PodKey("demo", name): (f"127.0.0.1:{len(name)}", 3) for name in names}


def replica(name: str) -> Replica:
    return Replica(name, f"127.0.0.1:{len(name)}", 3)


def test_a_gateway_sees_replicas_or_their_head() -> None:
    up = ready("clean/rep-1", "index/head", "index/shard-0/rep-0", "index/uses_after-0")
    assert routes_for(PLAN, GATEWAY, up, 4) == Routes(
        4,
        (
            Node("clean", (), {"*": "ANY"}, ((replica("clean/rep-1"),),)),
            Node(
                "index",
                ("clean",),
                {"*": "ANY"},
                ((replica("index/head"),),),
                idempotent=False,
                timeout_send=5.0,
            ),
        ),
    )


def test_a_gateway_waits_for_what_is_not_ready() -> None:
    assert [node.shards for node in routes_for(PLAN, GATEWAY, {}, 1).nodes] == [((),), ((),)]


def test_a_head_sees_its_shards_and_what_stands_beside_it() -> None:
    up = ready(
        "index/shard-0/rep-0", "index/shard-0/rep-1", "index/uses_before-0", "clean/rep-0", "index/head"
    )
    assert routes_for(PLAN, HEAD, up, 9) == Routes(
        9,
        (
            Node(
                name="index",
                needs=(),
                polling={"*": "ANY", "/search": "ALL"},
                shards=((replica("index/shard-0/rep-0"), replica("index/shard-0/rep-1")), ()),
                before=replica("index/uses_before-0"),
                after=None,
                has_before=True,
                has_after=True,
                idempotent=False,
                timeout_send=5.0,
            ),
        ),
    )


@pytest.mark.parametrize(
    "key", [PodKey("demo", "clean/rep-0"), PodKey("other", "gateway"), PodKey("demo", "x")]
)
def test_nothing_else_has_a_table(key: PodKey) -> None:
    with pytest.raises(KeyError):
        routes_for(PLAN, key, {}, 1)


def test_what_speaks_http_is_called_by_no_gateway() -> None:
    made = plan(
        Topology("demo", (DeploymentSpec("web", command=("x",), protocol="http"), DeploymentSpec("a"))),
        GpuView(),
    )
    up = ready("web/rep-0", "a/rep-0")
    assert [node.name for node in routes_for(made, GATEWAY, up, 1).nodes] == ["a"]


def test_external_replicas_are_balanced_over_by_the_gateway() -> None:
    far = DeploymentSpec(
        "far", external=True, hosts=("h", "h"), ports=(1, 2), replicas=2, tls=True, ssl_cafile="/ca.pem"
    )
    made = plan(Topology("demo", (far,)), GpuView())
    (node,) = routes_for(made, GATEWAY, ready("far/rep-0", "far/rep-1"), 1).nodes
    assert node.shards == ((replica("far/rep-0"), replica("far/rep-1")),)
    assert (node.tls, node.ca, node.cert) == (True, "/ca.pem", "")
