"""What another text changes of what runs: which pods come, go, are replaced or kept, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.engine.control import Difference
from quarterdeck.engine.home import Home
from quarterdeck.engine.plan.gpus import GpuView
from quarterdeck.engine.plan.planner import plan
from quarterdeck.engine.spec.topology import (
    DeploymentSpec,
    GatewaySpec,
    Limits,
    Partial,
    Polling,
    Probe,
    ProbeKind,
    Restart,
    Topology,
)
from quarterdeck.engine.supervise.change import differ

HOME = Home(Path("/somewhere/home"))
DOOR = GatewaySpec(port=6000)
SHARDED = DeploymentSpec("index", "pkg.Index", shards=2, replicas=2)
CLEAN = DeploymentSpec("clean", "pkg.Clean", replicas=3, env={"CUDA_VISIBLE_DEVICES": "RR"})
ALL = (
    "gateway", "index/head", "index/shard-0/rep-0", "index/shard-0/rep-1",
    "index/shard-1/rep-0", "index/shard-1/rep-1", "clean/rep-0", "clean/rep-1", "clean/rep-2",
)  # fmt: skip
INDEX = ALL[2:6]


def top(*specs: DeploymentSpec, gateway: GatewaySpec | None = DOOR) -> Topology:
    return Topology("top", specs, gateway)


OLD = top(SHARDED, CLEAN)


def difference(new: Topology, old: Topology = OLD, **more: Any) -> Difference:
    gpus = GpuView(("0", "1"))
    return differ(plan(old, gpus), plan(new, gpus), HOME, **more)


def of_index(**more: Any) -> Difference:
    return difference(top(replace(SHARDED, **more), CLEAN))


def test_the_same_text_changes_nothing() -> None:
    found = difference(OLD)
    assert found == Difference("top", kept=ALL)
    assert found.empty


@pytest.mark.parametrize(
    "policy",
    [
        {"restart": Restart.ALWAYS},
        {"timeout_ready": 3.0},
        {"timeout_send": 3.0},
        {"grace": 1.0},
        {"idempotent": False},
        {"partial": Partial.ALLOW},
        {"polling": {"*": Polling.ALL}},
        {"probe": Probe(ProbeKind.TCP)},
        {"liveness": Probe(ProbeKind.HTTP, "/live")},
        {"depends_on": ("clean",)},
        {"needs": ("clean",)},
        {"grpc_metadata": {"who": "me"}},
        {"grpc_channel_options": {"grpc.keepalive_time_ms": 1000}},
        {"reload": True},
    ],
    ids=lambda policy: next(iter(policy)),
)
def test_what_no_process_is_told_replaces_none(policy: dict[str, Any]) -> None:
    found = of_index(**policy)
    assert sorted(found.kept) == sorted(ALL)
    assert (
        [line.split()[:2] for line in found.why] == [["index:", line.split()[1]] for line in found.why] != []
    )
    assert found.why[0].split()[1].split(".")[0] == next(iter(policy))


@pytest.mark.parametrize(
    ("told", "replaced"),
    [
        ({"uses": "pkg.Other"}, INDEX),
        ({"uses_with": {"top_k": 3}}, INDEX),
        ({"workspace": "/elsewhere"}, INDEX),
        ({"py_modules": ("/more",)}, INDEX),
        ({"python": "/usr/bin/python3"}, INDEX),
        ({"limits": Limits(memory=1 << 30)}, INDEX),
        ({"env": {"HUE": "red"}}, ("index/head", *INDEX)),
        ({"token": "something"}, ("index/head", *INDEX)),
        ({"grpc_server_options": {"grpc.max_concurrent_streams": 9}}, ("index/head", *INDEX)),
        ({"ssl_certfile": "/a.crt", "ssl_keyfile": "/a.key"}, ("index/head", *INDEX)),
        ({"host": "127.0.0.2"}, ("index/head", *INDEX)),
        ({"port": 7000}, ("index/head",)),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_a_process_is_told_replaces_those_that_are_told(
    told: dict[str, Any], replaced: tuple[str, ...]
) -> None:
    found = of_index(**told)
    assert found.replaced == replaced
    assert (found.added, found.removed) == ((), ())
    assert set(found.kept) == set(ALL) - set(replaced)


def test_more_replicas_are_added_to_each_shard() -> None:
    found = of_index(replicas=3)
    assert found.added == ("index/shard-0/rep-2", "index/shard-1/rep-2")
    assert (found.removed, found.replaced) == ((), ())
    assert found.why == ("index: replicas 2 -> 3",)


def test_fewer_replicas_go_from_the_end_and_the_rest_keep_their_devices() -> None:
    found = difference(top(SHARDED, replace(CLEAN, replicas=1)))
    assert found.removed == ("clean/rep-1", "clean/rep-2")
    assert found.replaced == ()
    assert difference(top(SHARDED, replace(CLEAN, replicas=9))).replaced == ()


def test_another_deal_replaces_pods_with_another_device_only() -> None:
    found = difference(top(SHARDED, replace(CLEAN, env={"CUDA_VISIBLE_DEVICES": "RR0:1"})))
    assert found.replaced == ("clean/rep-1",)


def test_another_number_of_shards_is_told_to_every_worker() -> None:
    found = of_index(shards=3)
    assert found.added == ("index/shard-2/rep-0", "index/shard-2/rep-1")
    assert found.replaced == ("index/head", *INDEX)


def test_pods_beside_the_head_come_and_go_alone() -> None:
    assert of_index(uses_before="pkg.Before").added == ("index/uses_before-0",)
    found = difference(OLD, top(replace(SHARDED, uses_after="pkg.After"), CLEAN))
    assert (found.removed, found.replaced) == (("index/uses_after-0",), ())


def test_deployments_come_and_go() -> None:
    found = difference(top(CLEAN, DeploymentSpec("extra")))
    assert found.added == ("extra/rep-0",)
    assert found.removed == ALL[1:6]
    assert found.why == ("extra: new", "index: gone")


def test_the_gateway() -> None:
    other = difference(top(SHARDED, CLEAN, gateway=GatewaySpec(port=6001)))
    assert (other.replaced, other.why) == (("gateway",), ("gateway: port 6000 -> 6001",))
    none = difference(top(SHARDED, CLEAN, gateway=None))
    assert (none.removed, none.why) == (("gateway",), ("gateway: gone",))
    assert difference(OLD, top(SHARDED, CLEAN, gateway=None)).added == ("gateway",)


def test_where_any_port_does_the_one_that_it_has_does() -> None:
    found = difference(top(SHARDED, CLEAN, gateway=GatewaySpec()))
    assert (found.replaced, found.why) == ((), ("gateway: port 6000 -> none",))


def test_no_secret_is_told() -> None:
    secret = "hunter2hunter2"
    new = replace(
        SHARDED,
        token=secret,
        env={"API_TOKEN": secret, "URL": f"http://{secret}@host"},
        uses_with={"password": secret, "url": f"https://me:{secret}@host/"},
    )
    found = difference(top(new, CLEAN))
    assert secret not in repr(found)
    assert "index: env.API_TOKEN changed (***)" in found.why
    assert "index: token changed (***)" in found.why


def test_long_and_odd_values_stay_one_short_line() -> None:
    found = of_index(uses_with={"text": "line\nbreak " * 50})
    assert len(found.why) == 1
    assert "\n" not in found.why[0]
    assert len(found.why[0]) < 150


def test_what_runs_by_an_earlier_text_is_replaced_whatever_it_says() -> None:
    found = difference(OLD, stale={"clean/rep-1", "gone/rep-0"})
    assert found.replaced == ("clean/rep-1",)
    assert found.why == ("clean/rep-1: still runs by an earlier text",)
