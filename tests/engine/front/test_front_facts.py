"""What a deployment answers: before start what is planned, after it what is bound."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from tests.fakes.executors_for_engines import Fine

from quarterdeck import Deployment, Topology
from quarterdeck.engine.errors import SpecError
from quarterdeck.engine.model import Role
from quarterdeck.engine.plan.pods import PodPlan

PLACE = __file__.rpartition("/tests/")[0] + "/tests/fakes/executors_for_engines.py:Fine"


def whole() -> Deployment:
    """One with all kinds of pods."""
    return Deployment(Fine, name="a", shards=2, replicas=2, uses_before=Fine, uses_after=Fine, port=9123)


def names(pods: tuple[PodPlan | None, ...]) -> list[str | None]:
    return [None if pod is None else pod.name for pod in pods]


def test_pods_of_a_sharded_deployment_as_planned() -> None:
    a = whole()
    assert names((a.head_args, a.uses_before_args, a.uses_after_args)) == [
        "a/head",
        "a/uses_before-0",
        "a/uses_after-0",
    ]
    assert names(a.all_args) == [
        "a/uses_before-0",
        "a/uses_after-0",
        "a/head",
        "a/shard-0/rep-0",
        "a/shard-0/rep-1",
        "a/shard-1/rep-0",
        "a/shard-1/rep-1",
    ]
    assert a.first_pod_args == a.all_args[3]
    assert a.first_pod_args.uses == PLACE
    assert (a.num_pods, a.role, a.needs, a.external) == (7, Role.HEAD, (), False)
    assert (a.head_host, a.head_port, a.ports) == ("127.0.0.1", 9123, (9123,))
    assert (a.host, a.port) == ("127.0.0.1", None)  # the first worker's, which is free
    assert (a.protocol, a.tls_enabled, a.is_sandbox, a.dockerized_uses) == ("grpc", False, False, False)
    assert not a.is_ready


def test_pods_of_one_without_shards() -> None:
    b = Deployment(Fine, name="b", replicas=3, uses_before=Fine)
    assert (b.head_args, b.uses_before_args, b.uses_after_args) == (None, None, None)
    assert (b.head_host, b.head_port, b.role) == (None, None, Role.WORKER)
    assert (b.num_pods, b.ports) == (3, (None, None, None))
    assert names(b.all_args) == ["b/rep-0", "b/rep-1", "b/rep-2"]


def test_what_is_known_can_not_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        whole().first_pod_args.port = 1  # type: ignore[misc]


def test_one_that_somebody_else_runs() -> None:
    c = Deployment(name="c", external=True, host="example.org", port=[1, 2], tls=True)
    assert (c.external, c.num_pods, c.protocol, c.tls_enabled) == (True, 0, "grpcs", True)
    assert c.needs == ()


def test_the_picture_has_its_shards_and_its_ends() -> None:
    picture = whole().mermaid
    assert picture.startswith("flowchart LR\nsubgraph a[")
    assert "a-head --> a/shard-1" in picture
    assert "a/shard-0 --> a-tail" in picture
    top = Topology("t", [Deployment(Fine, name="x"), Deployment(Fine, name="y", needs="x")])
    assert "x --> y" in top.mermaid


def test_two_are_equal_when_name_plan_and_number_of_pods_are() -> None:
    assert whole() == whole()
    assert len({whole(), whole()}) == 1
    assert Topology("t", [whole()]) == Topology("t", [whole()])
    others: list[dict[str, Any]] = [{"name": "b"}, {"replicas": 2}, {"env": {"A": "1"}}, {"grace": 1}]
    for other in others:
        assert Deployment(Fine, **{"name": "a", **other}) != Deployment(Fine, name="a")
    assert Topology("t", [whole()]) != Topology("u", [whole()])
    assert Topology("t", [whole()]) != whole()


def test_devices_are_dealt_in_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_TOTAL_DEVICES", "2")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    dealt = Deployment(Fine, replicas=3, env={"CUDA_VISIBLE_DEVICES": "RR"})
    assert [pod.gpu for pod in dealt.all_args] == ["0", "1", "0"]
    with pytest.raises(SpecError, match="selects no device"):
        _ = Deployment(Fine, env={"CUDA_VISIBLE_DEVICES": "RR7:"}).plan


def test_after_start_it_answers_what_is_bound() -> None:
    with Deployment(Fine, name="a", shards=2, uses_after=Fine) as a:
        bound = {pod.name: pod.port for pod in a.pods}
        assert all(bound.values())
        assert {pod.name: pod.port for pod in a.all_args} == bound
        assert a.ports == (bound["a/head"],) == (a.head_port,)
        assert a.port == bound["a/shard-0/rep-0"]
        assert a.address == f"127.0.0.1:{bound['a/head']}"
        assert repr(a) == "<Deployment a: 4 of 4 pods ready>"
    assert a.ports == (None,)
    assert a.address is None


def test_a_topology_knows_its_deployments() -> None:
    words, echo = Deployment(Fine, name="words", replicas=2), Deployment(name="echo", needs="words")
    top = Topology("top", [echo, words])
    assert [one.name for one in top.deployments] == ["echo", "words"]
    assert top.deployments[0].needs == echo.needs == ("words",)
    assert (top.num_pods, top.port, top.address) == (4, None, None)
    with top:
        echo_here, words_here = top.deployments
        assert [pod.name for pod in words_here.pods] == ["words/rep-0", "words/rep-1"]
        assert words_here.is_ready
        assert len(set(words_here.ports)) == 2
        assert echo_here.address == f"127.0.0.1:{echo_here.port}"
        assert top.address == f"127.0.0.1:{top.port}"
    assert not top.deployments[0].is_ready
