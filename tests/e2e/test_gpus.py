"""GPUs of a simulated NVML, through the real `pynvml`: dealt, shown, held by pods and by others, lost while running."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.engines import Engine, write
from tests.fakes.nvml import GIB, FakeNvml, gpu

FILE = """\
name: g
gateway: none
deployments:
- {name: fixed, env: {CUDA_VISIBLE_DEVICES: RR0}}
- {name: pair, gpus: 2}
- {name: wide, gpus: spread, shards: 2, replicas: 2}
- {name: roomy, gpus: auto}
"""


@pytest.fixture
def nvml(tmp_path: Path) -> FakeNvml:
    fake = FakeNvml(tmp_path)
    fake.set(gpu(0), gpu(1, used=70), *(gpu(index, used=index) for index in range(2, 8)))
    return fake


def gpus(engine: Engine) -> list[dict[str, Any]]:
    return list(json.loads(engine.qd("gpus", "--json").stdout))


def test_devices_are_dealt_shown_and_known_in_the_pods(
    engine: Engine, tmp_path: Path, nvml: FakeNvml
) -> None:
    file = write(tmp_path / "g.yml", FILE)
    planned = engine.qd("plan", file, "--json", code=0, **nvml.env).stdout
    engine.qd("up", "-d", file, code=0, **nvml.env)
    dealt = {name: row["gpu"] for name, row in engine.ps().items() if row["gpu"] is not None}
    assert dealt == {
        "g/fixed/rep-0": "0",
        "g/pair/rep-0": "0,1",
        "g/wide/shard-0/rep-0": "2",
        "g/wide/shard-0/rep-1": "3",
        "g/wide/shard-1/rep-0": "4",
        "g/wide/shard-1/rep-1": "5",
        "g/roomy/rep-0": "6",
    }
    assert {row["gpu"] for row in json.loads(planned)} - {None} == set(dealt.values())
    for name, device in dealt.items():
        told = engine.qd("exec", name, "--", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER")
        assert told.stdout == f"{device} PCI_BUS_ID\n"
    found = gpus(engine)
    assert [row["pods"] for row in found[:3]] == [
        ["g/fixed/rep-0", "g/pair/rep-0"],
        ["g/pair/rep-0"],
        ["g/wide/shard-0/rep-0"],
    ]
    assert (found[1]["name"], found[1]["memory_used"], found[1]["memory_total"]) == (
        "Fake H100",
        70 * GIB,
        80 * GIB,
    )


def test_who_holds_memory_and_a_device_that_is_lost(engine: Engine, tmp_path: Path, nvml: FakeNvml) -> None:
    engine.qd("up", "-d", write(tmp_path / "g.yml", FILE), code=0, **nvml.env)
    pod = engine.ps()["g/fixed/rep-0"]["pid"]
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "a stranger"])
    try:
        nvml.set(
            gpu(0, used=9, busy=44),
            gpu(1),
            f"process 0 {pod} {2 * GIB}",
            f"process 0 {stranger.pid} {7 * GIB}",
            "error 1 15",
        )
        first, second = gpus(engine)
        holders = {each["pid"]: each for each in first["processes"]}
        assert (holders[pod]["pod"], holders[pod]["memory_bytes"]) == ("g/fixed/rep-0", 2 * GIB)
        assert holders[stranger.pid]["pod"] is None
        assert "a stranger" in holders[stranger.pid]["command"]
        assert (first["busy_percent"], first["trouble"]) == (44.0, "")
        assert second["trouble"] == "the device is lost: it fell off the bus"
        assert second["pods"] == ["g/pair/rep-0"]
        told = engine.qd("gpus").stdout
        assert f"gpu 0: 7168M held by pid {stranger.pid} of " in told
        assert "the device is lost" in told
        nvml.set(gpu(0), gpu(1))
        assert [row["trouble"] for row in gpus(engine)] == ["", ""]
    finally:
        stranger.kill()
        stranger.wait()


SCALED = """\
name: s
gateway: none
deployments:
- {name: roomy, gpus: auto, replicas: 2}
- {name: wide, gpus: spread, replicas: 2}
- {name: told, gpus: 1, command: "sh -c 'echo gpu={gpu}; exec sleep 600'", probe: {log: gpu=}, protocol: http}
"""


def test_scaling_moves_nobody_to_another_device(engine: Engine, tmp_path: Path, nvml: FakeNvml) -> None:
    nvml.set(*(gpu(index, used=8 - index) for index in range(8)))
    engine.qd("up", "-d", write(tmp_path / "s.yml", SCALED), code=0, **nvml.env)
    before = engine.ps()
    assert [row["gpu"] for row in before.values()] == ["7", "6", "1", "2", "0"]
    assert "gpu=0" in engine.qd("logs", "s/told/rep-0").stdout
    # What runs has taken memory, and the driver is gone for a while: neither is a reason to move.
    nvml.set(*(gpu(index, used=index) for index in range(8)))
    assert engine.qd("scale", "roomy=3", code=0).stdout
    nvml.unload()
    engine.qd("scale", "roomy=2", code=0)
    engine.qd("scale", "wide=3", code=0)
    after = engine.ps()
    added = after.pop("s/wide/rep-2")
    assert {name: (row["pid"], row["gpu"]) for name, row in after.items()} == {
        name: (row["pid"], row["gpu"]) for name, row in before.items()
    }
    assert added["gpu"] == "3"
    told = engine.qd("gpus").stdout
    assert "gpu 0: NVML does not answer: Driver Not Loaded" in told
    assert engine.status()["gpus"] == 8


def test_more_devices_than_there_are(engine: Engine, tmp_path: Path, nvml: FakeNvml) -> None:
    file = write(tmp_path / "m.yml", "deployments:\n- {name: a, gpus: 9}\n")
    said = engine.qd("up", "-d", file, code=2, **nvml.env).stderr
    assert "a: `gpus: 9` asks for more devices than there are" in said
    assert "devices found: 0, 1, 2, 3, 4, 5, 6, 7 (NVML)" in said


def test_counted_devices_have_no_figures(engine: Engine, tmp_path: Path) -> None:
    count = {"CUDA_TOTAL_DEVICES": "2"}
    file = write(
        tmp_path / "c.yml", "name: c\ngateway: none\ndeployments:\n- {name: a, gpus: spread, replicas: 3}\n"
    )
    engine.qd("up", "-d", file, code=0, **count)
    assert [row["gpu"] for row in engine.ps().values()] == ["0", "1", "0"]
    rows = json.loads(engine.qd("gpus", "--json").stdout)
    assert [(row["index"], row["pods"], row["memory_total"]) for row in rows] == [
        (0, ["c/a/rep-0", "c/a/rep-2"], None),
        (1, ["c/a/rep-1"], None),
    ]


def test_no_device_is_said(engine: Engine) -> None:
    env = {name: "" for name in ("CUDA_TOTAL_DEVICES",) if name in os.environ}
    engine.qd("engine", "start", code=0, **env)
    assert engine.qd("gpus").stdout.startswith("no GPU found")
