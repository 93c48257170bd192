"""What the real `pynvml` tells of a simulated library, look by look while its devices change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.nvml import GIB, FakeNvml, gpu

LOOKS = """\
import json, sys
from dataclasses import asdict
from quarterdeck.engine.observe.gpus import find_gpus
from quarterdeck.engine.observe.nvml import Nvml
nvml = Nvml()
loaded = "pynvml" in sys.modules
for _ in sys.stdin:
    found = nvml.look()
    view = asdict(find_gpus({}))
    told = {"gpus": found and [asdict(gpu) for gpu in found], "trouble": nvml.trouble, "view": view, "loaded": loaded}
    print(json.dumps(told), flush=True)
nvml.close()
"""


class Looks:
    """A process that looks whenever it is asked to."""

    def __init__(self, fake: FakeNvml) -> None:
        self.fake = fake
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOOKS],
            env=os.environ | fake.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def told(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def gpus(self) -> list[dict[str, Any]]:
        return list(self.told()["gpus"])

    def end(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        return self._process.wait(30)


@pytest.fixture
def looks(tmp_path: Path) -> Iterator[Looks]:
    looks = Looks(FakeNvml(tmp_path))
    try:
        yield looks
    finally:
        assert looks.end() == 0


def test_devices_memory_use_and_processes(looks: Looks) -> None:
    looks.fake.set(
        gpu(0, used=2, total=80, busy=37),
        gpu(1, used=1, total=24, busy=100),
        f"process 1 4243 {GIB}",
        "process 1 4242 7",
        "graphics 1 99 5",
    )
    told = looks.told()
    assert told["loaded"] is False  # imported when first used
    first, second = told["gpus"]
    assert first == {
        "index": 0,
        "name": "Fake H100",
        "uuid": "GPU-0aaa",
        "memory_used": 2 * GIB,
        "memory_total": 80 * GIB,
        "busy_percent": 37.0,
        "processes": [],
        "pods": [],
        "trouble": "",
    }
    assert [(each["pid"], each["memory_bytes"]) for each in second["processes"]] == [
        (99, 5), (4242, 7), (4243, GIB),
    ]  # fmt: skip
    assert told["view"] == {
        "devices": ["0", "1"],
        "uuids": ["GPU-0aaa", "GPU-1aaa"],
        "source": "NVML",
        "free": [78 * GIB, 23 * GIB],
    }


def test_figures_are_those_of_each_look(looks: Looks) -> None:
    looks.fake.set(gpu(0, used=1))
    assert [each["memory_used"] for each in looks.gpus()] == [GIB]
    looks.fake.set(gpu(0, used=3, busy=9), gpu(1))
    assert [(each["memory_used"], each["busy_percent"]) for each in looks.gpus()] == [(3 * GIB, 9), (0, 0)]


def test_a_device_that_is_lost_keeps_its_name_and_the_others_go_on(looks: Looks) -> None:
    looks.fake.set(gpu(0), gpu(1))
    looks.told()
    looks.fake.set(gpu(0, used=5), gpu(1), "error 1 15")
    told = looks.told()
    well, lost = told["gpus"]
    assert (well["memory_used"], well["trouble"]) == (5 * GIB, "")
    assert lost["trouble"] == "the device is lost: it fell off the bus"
    assert (lost["name"], lost["uuid"], lost["memory_total"]) == ("Fake H100", "GPU-1aaa", None)
    assert told["view"]["free"] == [75 * GIB, -1]
    looks.fake.set(gpu(0), gpu(1))
    assert [each["trouble"] for each in looks.gpus()] == ["", ""]


def test_another_error_of_a_device_is_told_in_the_library_s_words(looks: Looks) -> None:
    looks.fake.set(gpu(0), "error 0 999")
    assert looks.gpus()[0]["trouble"] == "NVML says of it: Unknown Error"


def test_a_device_without_figures_is_in_no_trouble(looks: Looks) -> None:
    looks.fake.set(gpu(0), "bare 0", "process 0 7 1")
    (bare,) = looks.gpus()
    assert (bare["memory_used"], bare["memory_total"], bare["busy_percent"]) == (None, None, None)
    assert (bare["name"], bare["trouble"], [each["pid"] for each in bare["processes"]]) == (
        "Fake H100",
        "",
        [7],
    )


def test_a_library_that_fails_later_is_tried_again(looks: Looks) -> None:
    looks.fake.set(gpu(0))
    assert len(looks.gpus()) == 1
    looks.fake.unload()
    for _ in range(2):
        told = looks.told()
        assert (told["gpus"], told["trouble"]) == (None, "NVML does not answer: Driver Not Loaded")
    looks.fake.set(gpu(0), gpu(1))
    told = looks.told()
    assert (len(told["gpus"]), told["trouble"]) == (2, "")


def test_a_driver_without_devices(looks: Looks) -> None:
    looks.fake.set("")
    told = looks.told()
    assert (told["gpus"], told["view"]["source"]) == ([], "no GPU found (NVML says 0)")


def test_two_hundred_processes(looks: Looks) -> None:
    looks.fake.set(gpu(0), *(f"process 0 {pid} {pid}" for pid in range(1, 201)))
    (found,) = looks.gpus()
    assert [each["pid"] for each in found["processes"]] == list(range(1, 201))
