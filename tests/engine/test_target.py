"""What a person means by a target."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.engine.errors import TargetError
from quarterdeck.engine.model import Fleet, Phase, PodStatus, Role, Runtime, TopologyStatus
from quarterdeck.engine.target import find, resolve

PODS = {
    "search": ["gateway", "clean/rep-0", "index/head", "index/shard-0/rep-0", "index/shard-0/rep-1",
               "index/shard-1/rep-0", "index/shard-1/rep-1"],
    "chat": ["gateway", "clean/rep-0", "clean-up/rep-0", "chat/rep-0"],
}  # fmt: skip


def fleet(pods: dict[str, list[str]] = PODS) -> Fleet:
    return Fleet(
        1,
        tuple(TopologyStatus(name, "x.yml", "d", 0.0) for name in pods),
        (),
        tuple(
            PodStatus(
                topology, name, name.split("/")[0], Role.WORKER, None, None, Runtime.PROCESS, Phase.READY
            )
            for topology, names in pods.items()
            for name in names
        ),
    )


FLEET = fleet()
SEARCH = [f"search/{name}" for name in PODS["search"]]
CHAT = [f"chat/{name}" for name in PODS["chat"]]


def names(*targets: str) -> list[str]:
    return [str(pod.key) for pod in resolve(FLEET, targets)]


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("search", SEARCH),
        ("search/", SEARCH),
        ("/search/", SEARCH),
        ("search/gateway", ["search/gateway"]),
        ("search/index", SEARCH[2:]),
        ("search/index/shard-1", SEARCH[5:]),
        ("search/index/shard-1/rep-0", ["search/index/shard-1/rep-0"]),
        ("index", SEARCH[2:]),
        ("index/head", ["search/index/head"]),
        ("index/shard-0/rep-1", ["search/index/shard-0/rep-1"]),
        ("clean-up", ["chat/clean-up/rep-0"]),
        ("chat/clean", ["chat/clean/rep-0"]),
        ("chat/chat", ["chat/chat/rep-0"]),
        ("chat/rep-0", ["chat/chat/rep-0"]),
        ("search/index/*/rep-0", ["search/index/shard-0/rep-0", "search/index/shard-1/rep-0"]),
        (
            "search/*/rep-0",
            ["search/clean/rep-0", "search/index/shard-0/rep-0", "search/index/shard-1/rep-0"],
        ),
        ("search/*", SEARCH),
        ("index/shard-?/rep-1", ["search/index/shard-0/rep-1", "search/index/shard-1/rep-1"]),
        ("index/shard-[1-9]/*", SEARCH[5:]),
        ("*/gateway", ["search/gateway", "chat/gateway"]),
        ("gatewa[y]", ["search/gateway", "chat/gateway"]),
        ("*", SEARCH + CHAT),
    ],
)
def test_what_a_target_names(target: str, meant: list[str]) -> None:
    assert names(target) == meant


def test_a_topology_goes_before_a_deployment_of_its_name() -> None:
    assert names("chat") == CHAT


def test_several_targets_in_the_trees_order_each_pod_once() -> None:
    assert names("chat/clean", "index/head", "search/index/head") == ["search/index/head", "chat/clean/rep-0"]
    assert names() == []


@pytest.mark.parametrize(
    ("target", "message", "hint"),
    [
        ("clean", "clean could mean several things: chat/clean, search/clean", "name the topology too"),
        (
            "gateway",
            "gateway could mean several things: chat/gateway, search/gateway",
            "name the topology too",
        ),
        (
            "clean/rep-0",
            "could mean several things: chat/clean/rep-0, search/clean/rep-0",
            "name the topology too",
        ),
        ("serch", "serch names nothing that is up", "did you mean search?"),
        ("search/indx", "search/indx names nothing that is up", "did you mean search/index?"),
        ("index/shard-2", "index/shard-2 names nothing that is up", "did you mean index/shard-"),
        ("inde", "inde names nothing that is up", "did you mean index?"),
        ("zzzzzz", "zzzzzz names nothing that is up", "up are: search, chat"),
        ("search/x*", "names nothing that is up", ""),
        ("", "names nothing that is up", "up are: search, chat"),
        ("/", "names nothing that is up", "up are: search, chat"),
    ],
)
def test_what_names_nothing_or_too_much(target: str, message: str, hint: str) -> None:
    with pytest.raises(TargetError) as caught:
        find(FLEET, target)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_one_wrong_target_spoils_the_lot() -> None:
    with pytest.raises(TargetError):
        names("search", "nope")


def test_where_nothing_is_up_it_says_how_to_begin() -> None:
    with pytest.raises(TargetError, match="nothing is up; start something with: qd up FILE"):
        find(Fleet(), "search")


def test_many_topologies_are_not_all_listed() -> None:
    many = fleet({f"topology-number-{n}": ["gateway"] for n in range(30)})
    with pytest.raises(TargetError) as caught:
        find(many, "qqqqqq")
    assert caught.value.hint.endswith(" …")
    assert len(caught.value.hint) < 250


@given(st.text(max_size=12))
def test_whatever_is_typed_ends_in_pods_or_in_advice(target: str) -> None:
    try:
        found: object = find(FLEET, target)
    except TargetError as error:
        found = error.hint
    assert found


@given(st.sampled_from(FLEET.pods))
def test_every_pod_is_named_by_its_key(pod: PodStatus) -> None:
    assert find(FLEET, str(pod.key)) == (pod,)
