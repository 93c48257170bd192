"""Mistakes of a topology that was made in Python, where any value can stand anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from tests.fakes.topologies import topologies

from quarterdeck.engine.spec.check import check
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec, Topology


@settings(deadline=None)
@given(topologies())
def test_what_is_right_has_no_mistake(topology: Topology) -> None:
    assert check(topology) == ()


def test_one_deployment_may_go_without_a_name() -> None:
    assert check(Topology("x", (DeploymentSpec(""),), None)) == ()


def test_two_may_not() -> None:
    found = check(Topology("x", (DeploymentSpec(""), DeploymentSpec("a"))))
    assert [(mistake.key, mistake.hint) for mistake in found] == [("deployments[0].name", "give it a `name`")]


def test_ports_differ_by_address() -> None:
    specs = (DeploymentSpec("a", port=9000), DeploymentSpec("b", port=9000, host="127.0.0.2"))
    assert check(Topology("x", specs)) == ()


@pytest.mark.parametrize(
    ("fields", "key", "message"),
    [
        ({"shards": "2"}, "shards", "must be a whole number, not `2`"),
        ({"replicas": True}, "replicas", "must be a whole number, not `True`"),
        ({"replicas": None}, "replicas", "must be a whole number, not `None`"),
        ({"port": 1.5}, "port", "must be a whole number, not `1.5`"),
        ({"timeout_ready": float("nan")}, "timeout_ready", "must be a duration, not `nan`"),
        ({"timeout_send": None}, "timeout_send", "must be a duration, not `None`"),
        ({"grace": -1}, "grace", "must be from 0 to 86400 seconds, not `-1`"),
        ({"host": None}, "host", "`None` is not an address"),
        ({"name": 7}, "name", "`7` is not a name"),
        ({"uses": "Class"}, "uses", "`Class` names a class without its file or module"),
        ({"uses_after": "docker://x"}, "uses_after", "`docker://` is not built yet"),
        ({"env": {"A": 7}}, "env.A", "a variable's name and value are text"),
        ({"env": {"CUDA_VISIBLE_DEVICES": "RR1:2:0"}}, "env.CUDA_VISIBLE_DEVICES", "`RR1:2:0` steps by zero"),
        ({"needs": ("b",)}, "needs", "there is no deployment `b`"),
    ],
)
def test_a_mistake_in_a_deployment(fields: dict[str, Any], key: str, message: str) -> None:
    spec = DeploymentSpec(**{"name": "a", **fields})
    found = check(Topology("x", (spec,)))
    assert [(mistake.key, mistake.message, mistake.line) for mistake in found] == [
        (f"deployments[0].{key}", message, None)
    ]


@pytest.mark.parametrize(
    ("topology", "key"),
    [
        (Topology("", (DeploymentSpec("a"),)), "name"),
        (Topology("x", ()), "deployments"),
        (Topology("x", (DeploymentSpec("a"),), GatewaySpec(port=70000)), "gateway.port"),
        (Topology("x", (DeploymentSpec("a"),), GatewaySpec(host="10.0.0.1")), "gateway.host"),
        (Topology("x", (DeploymentSpec("a"),), GatewaySpec(protocol="http")), "gateway.protocol"),
    ],
)
def test_a_mistake_in_a_topology(topology: Topology, key: str) -> None:
    assert [mistake.key for mistake in check(topology)] == [key]


def test_every_cycle_is_told_once() -> None:
    needs = {"a": "b", "b": "a", "c": "d", "d": "e", "e": "c", "f": "a"}
    specs = tuple(DeploymentSpec(name, needs=(need,)) for name, need in needs.items())
    assert [mistake.message for mistake in check(Topology("x", specs))] == [
        "`needs` goes in a circle: a -> b -> a",
        "`needs` goes in a circle: c -> d -> e -> c",
    ]
