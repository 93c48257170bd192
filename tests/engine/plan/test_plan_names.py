"""What a topology becomes: names, roles, ports, hosts, environments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quarterdeck.engine.errors import SpecError
from quarterdeck.engine.model import Phase, Role, Runtime
from quarterdeck.engine.plan.gpus import GpuView
from quarterdeck.engine.plan.planner import plan
from quarterdeck.engine.plan.pods import Plan
from quarterdeck.engine.plan.status import deployment_status, planned, topology_status
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec, Polling, Topology

SEARCH = "/srv/app/search.py:Search"


def plan_of(*specs: DeploymentSpec, gateway: GatewaySpec | None = None) -> Plan:
    return plan(Topology("demo", specs, gateway, "/srv/app/topology.yml", "/srv/app"), GpuView())


def names(*specs: DeploymentSpec) -> list[str]:
    return [pod.name for pod in plan_of(*specs).pods]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (DeploymentSpec("a"), ["a/rep-0"]),
        (DeploymentSpec("a", replicas=2), ["a/rep-0", "a/rep-1"]),
        (DeploymentSpec("a", shards=2), ["a/head", "a/shard-0/rep-0", "a/shard-1/rep-0"]),
        (
            DeploymentSpec("a", shards=2, replicas=2, uses_before="m.B", uses_after="m.A"),
            [
                "a/head", "a/uses_before-0", "a/uses_after-0",
                "a/shard-0/rep-0", "a/shard-0/rep-1", "a/shard-1/rep-0", "a/shard-1/rep-1",
            ],
        ),
        (DeploymentSpec("a", uses_before="m.B", uses_after="m.A"), ["a/rep-0"]),
        (DeploymentSpec("a", shards=2, uses_before="none", uses_after=None),
         ["a/head", "a/shard-0/rep-0", "a/shard-1/rep-0"]),
        (DeploymentSpec(""), ["0"]),
        (DeploymentSpec("", replicas=3), ["0", "1", "2"]),
        (
            DeploymentSpec("", shards=2, uses_before="m.B", uses_after="m.A"),
            ["head", "uses_before-0", "uses_after-0", "shard-0/rep-0", "shard-1/rep-0"],
        ),
    ],
)  # fmt: skip
def test_names(spec: DeploymentSpec, expected: list[str]) -> None:
    assert names(spec) == expected


def test_the_gateway_comes_first() -> None:
    made = plan_of(DeploymentSpec("a"), gateway=GatewaySpec("127.0.0.2", 8080))
    gateway = made.gateway
    assert gateway is not None
    assert made.pods[0] is gateway
    assert (gateway.name, gateway.role, gateway.host, gateway.port) == (
        "gateway",
        Role.GATEWAY,
        "127.0.0.2",
        8080,
    )
    assert str(gateway.key) == "demo/gateway"


def test_deployments_come_after_those_they_need_and_else_as_written() -> None:
    specs = (
        DeploymentSpec("rank", needs=("text", "image")),
        DeploymentSpec("text", needs=("clean",)),
        DeploymentSpec("lone"),
        DeploymentSpec("image", needs=("clean",)),
        DeploymentSpec("clean"),
    )
    order = [deployment.spec.name for deployment in plan_of(*specs).deployments]
    assert order == ["lone", "clean", "text", "image", "rank"]


def test_a_chain_longer_than_the_stack_is_planned() -> None:
    specs = [DeploymentSpec(f"d{n}", needs=(f"d{n + 1}",)) for n in range(3000)]
    made = plan_of(*specs, DeploymentSpec("d3000"))
    assert [deployment.spec.name for deployment in made.deployments] == [f"d{n}" for n in range(3000, -1, -1)]


@pytest.mark.parametrize(
    ("spec", "port", "ports"),
    [
        (DeploymentSpec("a", port=9000), 9000, [9000]),
        (DeploymentSpec("a"), None, [None]),
        (DeploymentSpec("a", replicas=2), None, [None, None]),
        (DeploymentSpec("a", shards=2, port=9000, uses_before="m.B"), 9000, [9000, None, None, None]),
    ],
)
def test_ports(spec: DeploymentSpec, port: int | None, ports: list[int | None]) -> None:
    (deployment,) = plan_of(spec).deployments
    assert deployment.port == port
    assert [pod.port for pod in deployment.pods] == ports


def test_before_and_after_live_on_the_default_host() -> None:
    (deployment,) = plan_of(
        DeploymentSpec("a", uses=SEARCH, uses_with={"k": 1}, shards=2, host="127.0.0.3", uses_before="m.B")
    ).deployments
    assert deployment.before is not None
    assert deployment.before.host == "127.0.0.1"
    assert (deployment.before.uses, deployment.before.uses_with) == ("m.B", {})
    assert (deployment.before.role, deployment.before.shard, deployment.before.replica) == (
        Role.WORKER,
        None,
        None,
    )
    assert deployment.head is not None
    assert (deployment.head.host, deployment.head.uses) == ("127.0.0.3", None)
    assert {worker.host for worker in deployment.workers} == {"127.0.0.3"}
    assert deployment.workers[0].uses_with == {"k": 1}


def test_env_and_workspace_are_those_of_the_deployment() -> None:
    made = plan_of(DeploymentSpec("a", shards=2, uses_after="m.A", env={"MODE": "x"}, workspace="/srv/data"))
    assert {pod.env["MODE"] for pod in made.pods} == {"x"}
    assert {pod.workspace for pod in made.pods if pod.role is Role.WORKER} == {"/srv/data"}


def test_what_is_wrong_is_not_planned() -> None:
    with pytest.raises(SpecError, match="goes in a circle: a -> b -> a"):
        plan_of(DeploymentSpec("a", needs=("b",)), DeploymentSpec("b", needs=("a",)))


# The same in the words of the model


def test_planned_pods_are_pending() -> None:
    made = plan_of(DeploymentSpec("a", uses=SEARCH, shards=2, port=9000), gateway=GatewaySpec())
    pods = planned(made)
    assert {pod.phase for pod in pods} == {Phase.PENDING}
    assert [(pod.name, pod.role, pod.shard, pod.replica, pod.port, pod.uses) for pod in pods] == [
        ("gateway", Role.GATEWAY, None, None, None, ""),
        ("a/head", Role.HEAD, None, None, 9000, ""),
        ("a/shard-0/rep-0", Role.WORKER, 0, 0, None, "search.py:Search"),
        ("a/shard-1/rep-0", Role.WORKER, 1, 0, None, "search.py:Search"),
    ]


@pytest.mark.parametrize(
    ("uses", "shown"),
    [
        (None, ""),
        ("m.Class", "m.Class"),
        ("/srv/app/deep/search.py:Search", "deep/search.py:Search"),
        ("/srv/apple/search.py:Search", "/srv/apple/search.py:Search"),
        ("/srv/app/hunter2/search.py:Search", "***/search.py:Search"),
    ],
)
def test_an_executor_is_shown_as_seen_from_the_file_and_without_secrets(uses: str | None, shown: str) -> None:
    (pod,) = planned(plan_of(DeploymentSpec("a", uses=uses, env={"API_TOKEN": "hunter2"})))
    assert pod.uses == shown


@pytest.mark.parametrize(
    ("shards", "polling", "shown"),
    [
        (1, {"*": Polling.ALL}, "ANY"),
        (2, {"*": Polling.ALL}, "ALL"),
        (2, {"*": Polling.ANY, "/search": Polling.ALL}, "* ANY, /search ALL"),
    ],
)
def test_a_deployment_as_planned(shards: int, polling: dict[str, Polling], shown: str) -> None:
    specs = (
        DeploymentSpec("a"),
        DeploymentSpec("b", shards=shards, polling=polling, needs=("a",), port=9000),
    )
    status = deployment_status(plan_of(*specs))[1]
    assert (status.topology, status.name, status.needs, status.polling) == ("demo", "b", ("a",), shown)
    assert (status.port, status.shards, status.restart) == (9000, shards, "on-failure")


def test_a_topology_as_planned() -> None:
    status = topology_status(plan_of(DeploymentSpec("a")), 12.0)
    assert (status.name, status.source, status.created_at, status.gateway) == (
        "demo", "/srv/app/topology.yml", 12.0, False,
    )  # fmt: skip


# What is not a process of ours


def external(name: str, *places: tuple[str, int], **more: Any) -> DeploymentSpec:
    hosts, ports = tuple(host for host, _ in places), tuple(port for _, port in places)
    return DeploymentSpec(
        name, external=True, host=hosts[0], hosts=hosts, ports=ports, replicas=len(hosts), **more
    )


def test_an_external_deployment_has_a_pod_for_each_address() -> None:
    spec = external("far", ("a.example", 80), ("a.example", 81), ("10.0.0.7", 80))
    (deployment,) = plan_of(spec).deployments
    assert [(pod.name, pod.host, pod.port, pod.runtime) for pod in deployment.pods] == [
        ("far/rep-0", "a.example", 80, Runtime.EXTERNAL),
        ("far/rep-1", "a.example", 81, Runtime.EXTERNAL),
        ("far/rep-2", "10.0.0.7", 80, Runtime.EXTERNAL),
    ]
    assert (deployment.head, spec.num_pods, deployment.port) == (None, 0, None)
    assert {(pod.gpu, *pod.env, pod.uses, pod.workspace) for pod in deployment.pods} == {(None, None, None)}
    assert names(external("", ("a", 1), ("a", 2))) == ["0", "1"]


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"command": ("serve", "{port}")}, Runtime.COMMAND),
        ({"runtime": Runtime.THREAD}, Runtime.THREAD),
        ({}, Runtime.PROCESS),
    ],
)
def test_workers_alone_run_as_their_deployment_says(more: dict[str, Any], kind: Runtime) -> None:
    (deployment,) = plan_of(
        DeploymentSpec("a", shards=2, uses_before="m.B", uses_after="m.A", **more)
    ).deployments
    assert [pod.runtime for pod in deployment.pods] == [Runtime.PROCESS] * 3 + [kind] * 2


HTTP = DeploymentSpec("web", command=("serve", "{port}"), protocol="http", replicas=2)


def test_where_nothing_speaks_grpc_there_is_no_gateway() -> None:
    made = plan_of(HTTP, external("far", ("a", 1), protocol="http"), gateway=GatewaySpec())
    assert made.gateway is None
    assert made.notes == ("no deployment speaks grpc, so there is no gateway",)
    assert not topology_status(made, 0.0).gateway
    assert plan_of(HTTP).notes == ()  # none was asked for
    beside = plan_of(HTTP, DeploymentSpec("a"), gateway=GatewaySpec())
    assert (beside.gateway is not None, beside.notes) == (True, ())


def test_one_port_is_not_that_of_several_http_replicas() -> None:
    with pytest.raises(SpecError, match="`port: 9000` can't be that of 2 replicas"):
        plan_of(replace(HTTP, port=9000))
