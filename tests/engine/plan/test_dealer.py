"""`gpus: spread | auto | N`: who gets which device, over shards and deployments."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.engine.errors import SpecError
from quarterdeck.engine.plan.gpus import GpuView, deals
from quarterdeck.engine.plan.planner import plan
from quarterdeck.engine.spec.topology import DeploymentSpec, Topology

GIB = 1 << 30
UUIDS = ("GPU-0", "GPU-1", "GPU-2", "GPU-3")
FOUR = GpuView(("0", "1", "2", "3"), UUIDS, "NVML", (10 * GIB, 40 * GIB, 30 * GIB, 40 * GIB))


def dealt(gpus: GpuView, *specs: DeploymentSpec) -> list[list[str | None]]:
    made = plan(Topology("t", specs), gpus)
    return [[worker.gpu for worker in deployment.workers] for deployment in made.deployments]


def spec(name: str, gpus: str | None, replicas: int = 1, shards: int = 1, rule: str = "") -> DeploymentSpec:
    env = {"CUDA_VISIBLE_DEVICES": rule} if rule else {}
    return DeploymentSpec(name, gpus=gpus, replicas=replicas, shards=shards, env=env)


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ([spec("a", "1", 5)], [["0", "1", "2", "3", "0"]]),
        ([spec("a", "2", 3)], [["0,1", "2,3", "0,1"]]),
        ([spec("a", "3", 2)], [["0,1,2", "0,1,2"]]),
        ([spec("a", "2", 2, shards=2)], [["0,1", "2,3", "0,1", "2,3"]]),
        ([spec("a", "spread", 2), spec("b", "spread", 2)], [["0", "1"], ["2", "3"]]),
        ([spec("a", "spread", 2, shards=2)], [["0", "1", "2", "3"]]),
        ([spec("a", "spread", 2), spec("b", None, 1, rule="RR0:2")], [["1", "2"], ["0"]]),
        ([spec("a", "auto", 4)], [["1", "3", "2", "0"]]),
        ([spec("a", "auto"), spec("b", "auto")], [["1"], ["3"]]),
        ([spec("a", None)], [[None]]),
        ([spec("a", "auto"), spec("b", "2")], [["3"], ["0,1"]]),
        ([spec("a", "spread", 2), spec("b", None, 1, rule="RRGPU-1")], [["0", "2"], ["GPU-1"]]),
        ([spec("a", "spread", 2), spec("b", None, 2, rule="0, 2")], [["1", "3"], [None, None]]),
        ([spec("a", "spread", 2), spec("b", None, rule="no")], [["0", "1"], [None]]),
    ],
)
def test_who_gets_what(specs: list[DeploymentSpec], expected: list[list[str | None]]) -> None:
    assert dealt(FOUR, *specs) == expected


def test_the_variable_is_set_with_its_order_or_not_at_all() -> None:
    order = {"CUDA_VISIBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    made = plan(Topology("t", (spec("a", "spread"),)), FOUR)
    assert made.deployments[0].workers[0].env == order
    none = plan(Topology("t", (spec("a", "spread"),)), GpuView())
    assert none.deployments[0].workers[0].env == {}
    assert none.notes == ("a: no GPU found; CUDA_VISIBLE_DEVICES is left unset",)


def test_a_lost_device_is_the_last_to_be_taken() -> None:
    gpus = replace(FOUR, free=(10, -1, 30, 40))
    assert dealt(gpus, spec("a", "auto", 5)) == [["3", "2", "0", "3", "2"]]
    assert dealt(gpus, spec("a", "spread", 4)) == [["0", "2", "3", "0"]]
    assert dealt(replace(FOUR, free=(-1, -1, -1, -1)), spec("a", "auto", 2)) == [["0", "1"]]


def test_by_count_alone_where_memory_is_not_known() -> None:
    assert dealt(replace(FOUR, free=()), spec("a", "auto", 5)) == [["0", "1", "2", "3", "0"]]


@pytest.mark.parametrize("rule", ["spread", "auto"])
def test_what_is_up_keeps_its_device(rule: str) -> None:
    """Scaling one deployment moves no other, and no replica that stays; freed memory moves nobody."""
    up = plan(Topology("t", (spec("a", rule, 1), spec("b", rule, 2))), FOUR)
    had = [worker.gpu for deployment in up.deployments for worker in deployment.workers]
    later = replace(FOUR, free=tuple(reversed(FOUR.free)))
    wanted = Topology("t", (spec("a", rule, 3), spec("b", rule, 1), spec("c", rule, 1)))
    new = plan(wanted, later, up)
    a, b, c = ([worker.gpu for worker in deployment.workers] for deployment in new.deployments)
    assert (a[0], b) == (had[0], [had[1]])
    assert len({*a, *b}) == 4
    assert len(c) == 1
    assert plan(wanted, FOUR, new).deployments == new.deployments


def test_another_rule_deals_anew() -> None:
    up = plan(Topology("t", (spec("a", None, 3, rule="RR3"),)), FOUR)
    new = plan(Topology("t", (spec("a", "spread", 3),)), FOUR, up)
    assert [worker.gpu for worker in new.deployments[0].workers] == ["0", "1", "2"]


def test_a_device_that_is_there_no_more_is_not_kept() -> None:
    up = plan(Topology("t", (spec("a", "spread", 4),)), FOUR)
    two = GpuView(("0", "1"), (), "CUDA_TOTAL_DEVICES")
    new = plan(Topology("t", (spec("a", "spread", 4),)), two, up)
    assert [worker.gpu for worker in new.deployments[0].workers] == ["0", "1", "0", "1"]
    none = plan(Topology("t", (spec("a", "spread", 4),)), GpuView(), up)
    assert [worker.gpu for worker in none.deployments[0].workers] == [None] * 4


def test_more_than_there_are() -> None:
    with pytest.raises(SpecError) as caught:
        plan(Topology("t", (spec("a", "5"),)), FOUR)
    (mistake,) = caught.value.mistakes
    assert (mistake.key, mistake.value) == ("deployments[0].gpus", "5")
    assert str(mistake).endswith(
        "a: `gpus: 5` asks for more devices than there are; devices found: 0, 1, 2, 3 (NVML)"
    )


def test_devices_are_counted_where_they_are_asked_for() -> None:
    assert deals(Topology("t", (spec("a", "auto"),)))
    assert not deals(Topology("t", (spec("a", None),)))


ASKED = st.lists(
    st.tuples(st.sampled_from(["spread", "auto", "2", None]), st.integers(1, 3), st.integers(1, 3)),
    min_size=1,
    max_size=4,
)


@given(ASKED, st.integers(2, 8), st.data())
def test_whatever_is_scaled_no_other_worker_moves(
    asked: list[tuple[str | None, int, int]], count: int, data: st.DataObject
) -> None:
    gpus = GpuView(tuple(map(str, range(count))))
    specs = [spec(f"d{n}", rule, replicas, shards) for n, (rule, replicas, shards) in enumerate(asked)]
    up = plan(Topology("t", tuple(specs)), gpus)
    place = data.draw(st.integers(0, len(specs) - 1))
    specs[place] = replace(specs[place], replicas=data.draw(st.integers(1, 5)))
    free = tuple(data.draw(st.integers(0, 9)) for _ in range(count))
    scaled = plan(Topology("t", tuple(specs)), replace(gpus, free=free), up)
    had = {pod.name: pod.env for pod in up.pods}
    assert all(pod.env == had[pod.name] for pod in scaled.pods if pod.name in had)
    assert all(worker.gpu for one in scaled.deployments if one.spec.gpus for worker in one.workers)


@given(
    ASKED.map(lambda asked: [each for each in asked if each[0] in ("spread", "auto")]).filter(bool),
    st.integers(1, 8),
)
def test_no_device_is_used_twice_while_another_is_free(asked: list[tuple[str, int, int]], count: int) -> None:
    gpus = GpuView(tuple(map(str, range(count))))
    specs = [spec(f"d{n}", rule, replicas, shards) for n, (rule, replicas, shards) in enumerate(asked)]
    used = Counter(gpu for row in dealt(gpus, *specs) for gpu in row)
    assert sum(used.values()) == sum(replicas * shards for _, replicas, shards in asked)
    least = 0 if len(used) < count else min(used.values())
    assert max(used.values()) - least <= 1
