"""A plan as a picture."""

from __future__ import annotations

from typing import Any

import pytest

from quarterdeck.engine.plan.gpus import GpuView
from quarterdeck.engine.plan.mermaid import picture
from quarterdeck.engine.plan.planner import plan
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec, Topology


def lines(*specs: DeploymentSpec) -> list[str]:
    """The picture without its styles."""
    drawn = picture(plan(Topology("demo", specs, folder="/srv/app"), GpuView())).splitlines()
    return [line for line in drawn if not line.startswith("classDef")]


def test_replicas_stand_side_by_side_and_needs_join_deployments() -> None:
    assert lines(
        DeploymentSpec("clean", replicas=2), DeploymentSpec("index", uses="m.Index", needs=("clean",))
    ) == [
        "flowchart LR",
        'subgraph clean["clean"]',
        "direction LR",
        'clean/rep-0["default executor"]:::pod',
        'clean/rep-1["default executor"]:::pod',
        "end",
        'subgraph index["index"]',
        "direction LR",
        'index/rep-0["m.Index"]:::pod',
        "end",
        "clean --> index",
    ]


def test_shards_stand_between_head_and_tail() -> None:
    spec = DeploymentSpec(
        "index", uses="/srv/app/s.py:S", shards=2, uses_before="m.Before", uses_after="m.After"
    )
    assert lines(spec)[1:] == [
        'subgraph index["index"]',
        "direction LR",
        'subgraph index/shard-0["shard-0"]',
        "direction TB",
        'index/shard-0/rep-0["s.py:S"]:::pod',
        "end",
        'subgraph index/shard-1["shard-1"]',
        "direction TB",
        'index/shard-1/rep-0["s.py:S"]:::pod',
        "end",
        'index-head["m.Before"]:::HEADTAIL',
        "index-head --> index/shard-0",
        "index-head --> index/shard-1",
        'index-tail["m.After"]:::HEADTAIL',
        "index/shard-0 --> index-tail",
        "index/shard-1 --> index-tail",
        "end",
    ]


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("end", "_end"),
        ("end-of-line", "_end_2dof_2dline"),
        ("ending", "ending"),
        ("a--b", "_a_2d_2db"),
        ("v1.2-x", "v1.2-x"),
        ("a.", "_a_2e"),
        ("class", "_class"),
    ],
)
def test_no_name_is_read_as_a_word_of_mermaid_s(name: str, node: str) -> None:
    assert lines(DeploymentSpec(name))[1] == f'subgraph {node}["{name}"]'


def test_a_deployment_may_be_named_like_another_s_head() -> None:
    drawn = lines(DeploymentSpec("a", shards=2, uses_before="m.B"), DeploymentSpec("a-head"))
    assert '_a-head["m.B"]:::HEADTAIL' in drawn
    assert 'subgraph a-head["a-head"]' in drawn


def test_a_deployment_without_a_name() -> None:
    assert lines(DeploymentSpec("", shards=2))[1:4] == [
        'subgraph _deployment[""]', "direction LR", 'subgraph shard-0["shard-0"]',
    ]  # fmt: skip


def test_labels_hold_no_secret_and_no_markup() -> None:
    spec = DeploymentSpec("a", uses='/srv/app/s3cret"<b>/x.py:X', env={"MY_KEY": "s3cret"})
    assert lines(spec)[3] == 'a/rep-0["***#quot;#lt;b#gt;/x.py:X"]:::pod'


def external(name: str, **more: Any) -> DeploymentSpec:
    return DeploymentSpec(name, external=True, hosts=("far",), ports=(80,), **more)


def test_what_is_external_is_only_joined() -> None:
    drawn = lines(DeploymentSpec("a"), external("far", needs=("a",)), DeploymentSpec("b", needs=("far",)))
    assert [line for line in drawn if "far" in line] == ["a --> far", "far --> b"]
    assert drawn.count("end") == 2


def test_an_external_deployment_s_name_is_readable_where_it_is_no_node_s() -> None:
    assert lines(external("end"), DeploymentSpec("b", needs=("end",)))[-1] == '_end["end"] --> b'


def test_a_gateway_is_not_drawn() -> None:
    specs = (DeploymentSpec("a"), DeploymentSpec("b", needs=("a",)))
    with_gateway, without = (
        picture(plan(Topology("demo", specs, door), GpuView())) for door in (GatewaySpec(), None)
    )
    assert with_gateway == without
