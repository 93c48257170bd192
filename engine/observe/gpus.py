"""Finding this host's GPUs: those of NVML, else CUDA_TOTAL_DEVICES, within an inherited set. Never raises."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..model import Gpu
from ..plan.gpus import GpuView
from .nvml import Nvml

TOTAL = "CUDA_TOTAL_DEVICES"
VISIBLE = "CUDA_VISIBLE_DEVICES"
_NUMBER = re.compile(r"[0-9]{1,4}")


def find_gpus(env: Mapping[str, str]) -> GpuView:
    """The devices that may be dealt to pods of a caller with this environment. Asks NVML, so that it may block."""
    nvml = Nvml()
    found = nvml.look()
    nvml.close()
    return dealable(found, env)


def dealable(found: Sequence[Gpu] | None, env: Mapping[str, str]) -> GpuView:
    """What of the devices that NVML `found` (None: it did not answer) may be dealt to such a caller's pods."""
    if found is not None:
        uuids = tuple(gpu.uuid for gpu in found)
        return visible(GpuView(_indices(len(found)), uuids, "NVML", tuple(map(_free, found))), env)
    total = env.get(TOTAL, "").strip()
    if _NUMBER.fullmatch(total):
        return visible(GpuView(_indices(int(total)), (), TOTAL), env)
    return visible(None, env)


def _free(gpu: Gpu) -> int:
    return -1 if gpu.trouble else (gpu.memory_total or 0) - (gpu.memory_used or 0)


def visible(found: GpuView | None, env: Mapping[str, str]) -> GpuView:
    """The part of `found` that an inherited CUDA_VISIBLE_DEVICES leaves, in its order.

    None: nothing counted the devices, and the inherited set is all that is known. As in CUDA, the first entry
    that names no device ends the list.
    """
    inherited = env.get(VISIBLE)
    if inherited is None or inherited.startswith("RR"):
        if found is None:
            return GpuView(source=f"no GPU found by NVML, nor is {TOTAL} set")
        return found if found.devices else GpuView(source=f"no GPU found ({found.source} says 0)")
    devices: list[str] = []
    uuids: list[str] = []
    free: list[int] = []
    for entry in map(str.strip, inherited.split(",")):
        place = _place(entry, found)
        if place is None:
            break
        devices.append(entry)
        if found is not None and found.uuids and place >= 0:
            uuids.append(found.uuids[place])
            free += found.free[place : place + 1]
    source = VISIBLE if found is None else f"{VISIBLE} of {found.source}"
    if not devices:
        return GpuView(source=f"no GPU found ({VISIBLE} is {inherited!r})")
    whole = len(uuids) == len(devices)
    return GpuView(
        tuple(devices),
        tuple(uuids) if whole else (),
        source,
        tuple(free) if whole and len(free) == len(devices) else (),
    )


def _place(entry: str, found: GpuView | None) -> int | None:
    """Which of the devices found an entry names; -1 where that can't be told; None for none."""
    if entry.startswith(("GPU-", "MIG-")):
        if found is None or not found.uuids or entry.startswith("MIG-"):
            return -1
        return next((place for place, uuid in enumerate(found.uuids) if uuid.startswith(entry)), None)
    if not _NUMBER.fullmatch(entry):
        return None
    index = int(entry)
    return index if found is None or index < len(found.devices) else None


def _indices(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))
