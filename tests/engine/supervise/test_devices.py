"""An engine's devices: looked at beside its loop, remembered past a driver's failure, joined with who uses them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from quarterdeck.engine.keeper.processes import MARK
from quarterdeck.engine.model import Gpu, GpuProcess, PodKey
from quarterdeck.engine.observe.nvml import Nvml
from quarterdeck.engine.spec.topology import DeploymentSpec, Topology
from quarterdeck.engine.supervise.devices import LONGEST_COMMAND, Devices

ASKS = Topology("t", (DeploymentSpec("a", gpus="auto"),))
ASKS_NOT = Topology("t", (DeploymentSpec("a"),))
TWO = (
    Gpu(0, "H", "GPU-0aaa", memory_used=1, memory_total=9),
    Gpu(1, "H", "GPU-1bbb", memory_used=0, memory_total=9),
)
A, B = PodKey("t", "a/rep-0"), PodKey("t", "b/rep-0")


class Told(Nvml):
    """A library that tells what it is given."""

    def __init__(self, found: tuple[Gpu, ...] | None) -> None:
        super().__init__()
        self.found = found
        self.looks = 0

    def look(self) -> tuple[Gpu, ...] | None:
        self.looks += 1
        self.trouble = "" if self.found is not None else "NVML does not answer: why"
        return self.found


class Slow(Told):
    """A library that answers only when the event loop lets it."""

    def __init__(self) -> None:
        super().__init__(TWO)
        self.go = threading.Event()

    def look(self) -> tuple[Gpu, ...] | None:
        assert self.go.wait(20), "the event loop stands still"
        return super().look()


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("CUDA_TOTAL_DEVICES", raising=False)


def nobody(mark: str) -> None:
    return None


async def test_a_slow_driver_does_not_hold_up_the_loop() -> None:
    slow = Slow()
    devices = Devices(slow)
    devices.open()
    asyncio.get_running_loop().call_later(0, slow.go.set)
    await devices.count(ASKS)
    assert len((await devices.mine()).devices) == 2
    assert len(await devices.now({}, nobody)) == 2
    await devices.close()


async def test_devices_are_looked_at_where_they_are_asked_for() -> None:
    told = Told(TWO)
    devices = Devices(told)
    await devices.count(ASKS_NOT)
    assert told.looks == 0
    assert devices.view(ASKS_NOT, {}).devices == ()
    await devices.count(ASKS)
    assert told.looks == 1
    assert devices.view(ASKS, {}).free == (8, 9)
    assert devices.view(ASKS, {"CUDA_VISIBLE_DEVICES": "1"}).devices == ("1",)


async def test_a_driver_that_fails_later_takes_nothing_away() -> None:
    told = Told(TWO)
    devices = Devices(told)
    await devices.count(ASKS)
    told.found = None
    await devices.count(ASKS)
    assert devices.view(ASKS, {}).devices == ("0", "1")
    first, second = await devices.now({A: "0"}, nobody)
    assert (first.name, first.memory_total, first.pods) == ("H", None, (A,))
    assert first.trouble == second.trouble == "NVML does not answer: why"
    told.found = TWO
    assert (await devices.now({}, nobody))[0].trouble == ""


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ("0", [0]),
        ("1,0", [0, 1]),
        ("GPU-1", [1]),
        ("GPU-0aaa, 1", [0, 1]),
        ("7", []),
        ("MIG-1", []),
        ("", []),
    ],
)
async def test_which_devices_a_pod_has(value: str, places: list[int]) -> None:
    found = await Devices(Told(TWO)).now({A: value}, nobody)
    assert [gpu.index for gpu in found if gpu.pods == (A,)] == places


async def test_without_nvml_devices_are_those_counted_and_those_dealt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    devices = Devices(Told(None))
    assert await devices.now({}, nobody) == ()
    assert await devices.now({A: "3,1"}, nobody) == (Gpu(1, pods=(A,)), Gpu(3, pods=(A,)))
    assert await devices.now({A: "GPU-x", B: "0"}, nobody) == (
        Gpu(0, pods=(B,)),
        Gpu(1, uuid="GPU-x", pods=(A,)),
    )
    monkeypatch.setenv("CUDA_TOTAL_DEVICES", "2")
    assert await devices.now({A: "1"}, nobody) == (Gpu(0), Gpu(1, pods=(A,)))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert await devices.now({}, nobody) == (Gpu(1),)


# -- processes

DAEMON = "import os, subprocess, sys, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)"
PARENT = f"""\
import os, subprocess, sys
subprocess.run([sys.executable, "-c", {DAEMON!r}, "a" * 200], env={{}})
"""


@pytest.fixture
def child() -> Iterator[int]:
    """A process that has lost its environment; its parent carries a mark."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env=os.environ | {MARK: "m" * 16},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    try:
        yield int(parent.stdout.readline())
    finally:
        os.killpg(parent.pid, 9)
        parent.wait()
        parent.stdout.close()


async def test_a_process_is_its_parent_s_pod_s(child: int) -> None:
    told = Told(
        (replace(TWO[0], processes=(GpuProcess(child, 7), GpuProcess(1, 5), GpuProcess(2**22 + 1, 3))),)
    )
    (gpu,) = await Devices(told).now({}, lambda mark: A if mark == "m" * 16 else None)
    ours, init, gone = gpu.processes
    assert (ours.pod, ours.memory_bytes, len(ours.command)) == (A, 7, LONGEST_COMMAND)
    assert ours.user
    assert init.pod is None
    assert gone == GpuProcess(2**22 + 1, 3)
