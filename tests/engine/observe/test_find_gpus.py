"""Which devices there are, by what the host and the caller's environment say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quarterdeck.engine.model import Gpu
from quarterdeck.engine.observe.gpus import find_gpus, visible
from quarterdeck.engine.observe.nvml import Nvml
from quarterdeck.engine.plan.gpus import GpuView

UUIDS = ("GPU-0aaa", "GPU-1bbb", "GPU-2ccc")
THREE = GpuView(("0", "1", "2"), UUIDS, "NVML")


@pytest.mark.parametrize(
    ("inherited", "devices", "uuids"),
    [
        (None, ("0", "1", "2"), UUIDS),
        ("RR", ("0", "1", "2"), UUIDS),
        ("2,0", ("2", "0"), ("GPU-2ccc", "GPU-0aaa")),
        (" 1 ", ("1",), ("GPU-1bbb",)),
        ("GPU-2", ("GPU-2",), ("GPU-2ccc",)),
        ("0,7,1", ("0",), ("GPU-0aaa",)),
        ("0,-1,1", ("0",), ("GPU-0aaa",)),
        ("0,GPU-9", ("0",), ("GPU-0aaa",)),
        ("MIG-1a", ("MIG-1a",), ()),
        ("0,MIG-1a", ("0", "MIG-1a"), ()),
        ("", (), ()),
        ("-1", (), ()),
        ("NoDevFiles", (), ()),
        ("9" * 5000, (), ()),
    ],
)
def test_an_inherited_set_is_what_is_left(
    inherited: str | None, devices: tuple[str, ...], uuids: tuple[str, ...]
) -> None:
    found = visible(THREE, {} if inherited is None else {"CUDA_VISIBLE_DEVICES": inherited})
    assert (found.devices, found.uuids) == (devices, uuids)
    assert found.source.startswith("no GPU found") == (not devices)


@pytest.mark.parametrize(
    ("env", "devices", "source"),
    [
        ({}, (), "no GPU found by NVML, nor is CUDA_TOTAL_DEVICES set"),
        ({"CUDA_TOTAL_DEVICES": "2"}, ("0", "1"), "CUDA_TOTAL_DEVICES"),
        ({"CUDA_TOTAL_DEVICES": " 2 "}, ("0", "1"), "CUDA_TOTAL_DEVICES"),
        ({"CUDA_TOTAL_DEVICES": "0"}, (), "no GPU found (CUDA_TOTAL_DEVICES says 0)"),
        ({"CUDA_TOTAL_DEVICES": "many"}, (), "no GPU found by NVML, nor is CUDA_TOTAL_DEVICES set"),
        ({"CUDA_TOTAL_DEVICES": "9" * 5000}, (), "no GPU found by NVML, nor is CUDA_TOTAL_DEVICES set"),
        ({"CUDA_VISIBLE_DEVICES": "2,5"}, ("2", "5"), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-0aaa"}, ("GPU-0aaa",), "CUDA_VISIBLE_DEVICES"),
        (
            {"CUDA_TOTAL_DEVICES": "4", "CUDA_VISIBLE_DEVICES": "3,1,4"},
            ("3", "1"),
            "CUDA_VISIBLE_DEVICES of CUDA_TOTAL_DEVICES",
        ),
        ({"CUDA_VISIBLE_DEVICES": "none"}, (), "no GPU found (CUDA_VISIBLE_DEVICES is 'none')"),
    ],
)
def test_without_nvml(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], devices: tuple[str, ...], source: str
) -> None:
    monkeypatch.setattr(Nvml, "look", lambda self: None)
    found = find_gpus(env)
    assert (found.devices, found.uuids, found.source) == (devices, (), source)


def test_nvml_s_count_goes_before_the_environment_s(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tuple(
        Gpu(index, uuid=uuid, memory_used=index, memory_total=9) for index, uuid in enumerate(UUIDS)
    )
    monkeypatch.setattr(Nvml, "look", lambda self: found)
    assert find_gpus({"CUDA_TOTAL_DEVICES": "8"}) == replace(THREE, free=(9, 8, 7))
    assert find_gpus({"CUDA_VISIBLE_DEVICES": "2,0"}).free == (7, 9)


def test_asking_nvml_never_fails() -> None:
    found = Nvml().look()
    assert found is None or all(gpu.uuid.startswith("GPU-") for gpu in found)
