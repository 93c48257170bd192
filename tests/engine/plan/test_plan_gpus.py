"""Which replica gets which device, for every form of the rule."""

from __future__ import annotations

import pytest

from quarterdeck.engine.errors import SpecError
from quarterdeck.engine.model import Role
from quarterdeck.engine.plan.gpus import GpuView, deals
from quarterdeck.engine.plan.planner import plan
from quarterdeck.engine.plan.pods import Plan
from quarterdeck.engine.spec.topology import DeploymentSpec, Topology

FOUR = GpuView(("0", "1", "2", "3"), ("GPU-0aaa", "GPU-1bbb", "GPU-2ccc", "GPU-3ddd"), "NVML")
COUNTED = GpuView(("0", "1", "2", "3"), (), "CUDA_TOTAL_DEVICES")
SLURM = GpuView(("2", "5"), (), "CUDA_VISIBLE_DEVICES")
NONE = GpuView()


def dealt(rule: str, gpus: GpuView = FOUR, replicas: int = 4, shards: int = 1) -> Plan:
    spec = DeploymentSpec(
        "index",
        shards=shards,
        replicas=replicas,
        uses_after="m.A",
        env={"CUDA_VISIBLE_DEVICES": rule, "A": "x"},
    )
    return plan(Topology("demo", (spec,)), gpus)


def devices(made: Plan) -> list[str | None]:
    return [worker.gpu for worker in made.deployments[0].workers]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("RR", "0123"),
        ("RR0:2", "0101"),
        ("RR1:3", "1212"),
        ("RR1:", "1231"),
        ("RR:2", "0101"),
        ("RR:", "0123"),
        ("RR0:4:2", "0202"),
        ("RR::-1", "3210"),
        ("RR-2:", "2323"),
        ("RR:-1", "0120"),
        ("RR-3:-1", "1212"),
        ("RR[0:2]", "0101"),
        ("RR[-2:]", "2323"),
        ("RR[0:4:2]", "0202"),
        ("RR[ 0 : 2 ]", "0101"),
        ("RR2:99", "2323"),
        ("RR2", "2222"),
        ("RR[2]", "2222"),
        ("RR-1", "3333"),
        ("RR[-1]", "3333"),
        ("RR0,2,3", "0230"),
        ("RR[0,2,3]", "0230"),
        ("RR3,0", "3030"),
        ("RR0, -1", "0303"),
    ],
)
def test_rules(rule: str, expected: str) -> None:
    assert devices(dealt(rule)) == list(expected)
    assert devices(dealt(rule, COUNTED)) == list(expected)


@pytest.mark.parametrize(
    ("rule", "gpus", "expected"),
    [
        ("RRGPU-0aaa,GPU-1bbb", FOUR, ["GPU-0aaa", "GPU-1bbb"]),
        ("RRGPU-3", FOUR, ["GPU-3", "GPU-3"]),
        ("RR[GPU-1bbb,0]", FOUR, ["GPU-1bbb", "0"]),
        ("RRMIG-4f2a", FOUR, ["MIG-4f2a", "MIG-4f2a"]),
        ("RRGPU-9zzz", COUNTED, ["GPU-9zzz", "GPU-9zzz"]),
        (
            "RRGPU-1bbb",
            GpuView(("GPU-0aaa", "GPU-1bbb"), (), "CUDA_VISIBLE_DEVICES"),
            ["GPU-1bbb", "GPU-1bbb"],
        ),
        ("RR", GpuView(("GPU-0aaa", "GPU-1bbb")), ["GPU-0aaa", "GPU-1bbb"]),
        ("RR", SLURM, ["2", "5"]),
        ("RR1:", SLURM, ["5", "5"]),
        ("RR5", SLURM, ["5", "5"]),
        ("RR-1", SLURM, ["5", "5"]),
    ],
)
def test_names_of_devices(rule: str, gpus: GpuView, expected: list[str]) -> None:
    assert devices(dealt(rule, gpus, replicas=2)) == expected


def test_the_map_is_the_same_in_every_shard() -> None:
    made = dealt("RR1:", replicas=2, shards=3)
    assert devices(made) == ["1", "2"] * 3


def test_a_device_comes_with_its_order() -> None:
    made = dealt("RR", replicas=2)
    assert [worker.env for worker in made.deployments[0].workers] == [
        {"A": "x", "CUDA_VISIBLE_DEVICES": device, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"} for device in "01"
    ]


def test_head_and_after_get_no_device() -> None:
    made = dealt("RR", shards=2)
    others = [pod for pod in made.pods if pod.role is not Role.WORKER or pod.shard is None]
    assert [pod.name for pod in others] == ["gateway", "index/head", "index/uses_after-0"]
    assert [pod.gpu for pod in others] == [None, None, None]
    assert [pod.env for pod in others] == [{}, {"A": "x"}, {"A": "x"}]


@pytest.mark.parametrize("value", ["0", "0,1", "", "GPU-0aaa", "all", "rr", " RR"])
def test_any_other_value_is_passed_through(value: str) -> None:
    made = dealt(value, NONE)
    assert {worker.env["CUDA_VISIBLE_DEVICES"] for worker in made.deployments[0].workers} == {value}
    assert devices(made) == [None] * 4
    assert made.notes == ()
    assert not deals(made.topology)


@pytest.mark.parametrize("rule", ["RR", "RR0:2", "RR7", "RRGPU-0aaa"])
def test_without_devices_the_variable_is_not_set(rule: str) -> None:
    made = dealt(rule, NONE)
    assert deals(made.topology)
    assert devices(made) == [None] * 4
    assert {tuple(worker.env) for worker in made.deployments[0].workers} == {("A",)}
    assert made.notes == ("index: no GPU found; CUDA_VISIBLE_DEVICES is left unset",)


@pytest.mark.parametrize(
    ("rule", "gpus", "message"),
    [
        ("RR4:", FOUR, "index: `RR4:` selects no device; devices found: 0, 1, 2, 3 (NVML)"),
        ("RR2:2", FOUR, "index: `RR2:2` selects no device; devices found: 0, 1, 2, 3 (NVML)"),
        ("RR4", FOUR, "index: `RR4`: there is no device 4; devices found: 0, 1, 2, 3 (NVML)"),
        ("RR-5", FOUR, "index: `RR-5`: there is no device -5; devices found: 0, 1, 2, 3 (NVML)"),
        ("RR0,9", COUNTED, "`RR0,9`: there is no device 9; devices found: 0, 1, 2, 3 (CUDA_TOTAL_DEVICES)"),
        ("RR0", SLURM, "`RR0`: there is no device 0; devices found: 2, 5 (CUDA_VISIBLE_DEVICES)"),
        ("RRGPU-9zzz", FOUR, "there is no device `GPU-9zzz`; devices found: 0, 1, 2, 3 (NVML)"),
        ("RR[]", NONE, "`RR[]` selects no device"),
        ("RR[0:2", NONE, "the bracket of `RR[0:2` is not closed"),
        ("RR0:2]", NONE, "the bracket of `RR0:2]` is not closed"),
        ("RR0:2:0", NONE, "`RR0:2:0` steps by zero"),
        ("RRx", NONE, "`RRx` deals no devices"),
        ("RR1:2:3:4", NONE, "`RR1:2:3:4` deals no devices"),
        ("RR0,", NONE, "`RR0,` deals no devices"),
        ("RR0.5", NONE, "`RR0.5` deals no devices"),
    ],
)
def test_a_rule_that_deals_nothing_is_an_error(rule: str, gpus: GpuView, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        dealt(rule, gpus)
    (mistake,) = caught.value.mistakes
    assert mistake.key == "deployments[0].env.CUDA_VISIBLE_DEVICES"
    assert mistake.value == rule
    assert message in str(mistake)
