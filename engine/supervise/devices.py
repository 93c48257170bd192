"""This host's devices with who uses them: NVML's processes joined with pods, and pods with what they were dealt."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ..keeper.processes import MARK, environment, read
from ..model import Gpu, GpuProcess, PodKey
from ..observe.nvml import Nvml

LONGEST_COMMAND = 80
DEEPEST = 32
"""Parents of a process that are looked at."""

Dealt = Mapping[PodKey, str]
"""Value of CUDA_VISIBLE_DEVICES by pod."""


def look(nvml: Nvml, counted: int, dealt: Dealt, pod_of: Callable[[str], PodKey | None]) -> tuple[Gpu, ...]:
    """Every device; without NVML as many as were `counted`, without figures. Blocks.

    `pod_of` is the pod of a mark.
    """
    found = nvml.look()
    if found is None:
        found = tuple(map(Gpu, range(counted)))
    return tuple(
        replace(
            gpu,
            pods=tuple(key for key, value in dealt.items() if _names(value, gpu)),
            processes=tuple(_owned(process, pod_of) for process in gpu.processes),
        )
        for gpu in found
    )


def _names(value: str, gpu: Gpu) -> bool:
    """Whether a value of CUDA_VISIBLE_DEVICES names the device, by index or by the beginning of its UUID."""
    return any(
        entry == str(gpu.index) or (entry.startswith("GPU-") and gpu.uuid.startswith(entry))
        for entry in map(str.strip, value.split(","))
    )


def _owned(process: GpuProcess, pod_of: Callable[[str], PodKey | None]) -> GpuProcess:
    """The process with its command, its user, and the pod that it or one of its parents is."""
    return replace(
        process, command=_command(process.pid), user=_user(process.pid), pod=_pod(process.pid, pod_of)
    )


def _pod(pid: int, pod_of: Callable[[str], PodKey | None]) -> PodKey | None:
    for here in _lineage(pid):
        mark = environment(here).get(MARK)
        pod = None if mark is None else pod_of(mark)
        if pod is not None:
            return pod
    return None


def _lineage(pid: int) -> Iterable[int]:
    for _ in range(DEEPEST):
        if pid <= 1:
            return
        yield pid
        process = read(pid)
        pid = 0 if process is None else process.parent


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(4 * LONGEST_COMMAND).replace(b"\0", b" ").decode("utf-8", "replace").split()
    except OSError:
        return ""
    return " ".join(words)[:LONGEST_COMMAND]


def _user(pid: int) -> str:
    try:
        owner = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return ""
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)
