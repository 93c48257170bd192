"""`Devices`: this host's GPUs for one engine: what may be dealt, and who uses what now. Never blocks the event loop."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from ..keeper.processes import MARK, environment, read
from ..model import Gpu, GpuProcess, PodKey
from ..observe.gpus import dealable
from ..observe.nvml import Nvml
from ..plan.gpus import GpuView, counted, deals
from ..spec.topology import Topology
from .world import printable

LONGEST_COMMAND = 80
DEEPEST = 32
"""Parents of a process that are looked at."""

PodOf = Callable[[str], PodKey | None]
"""The pod whose run has a mark."""


class Devices:
    """Asks NVML in threads, and remembers what it told last: a driver that fails later takes no pod its device."""

    def __init__(self, nvml: Nvml | None = None) -> None:
        self._nvml = nvml or Nvml()
        self._found: tuple[Gpu, ...] | None = None
        self._first: asyncio.Task[tuple[Gpu, ...] | None] | None = None

    def open(self) -> None:
        """Begin the first look, beside whatever else starts: NVML takes tens of milliseconds to load."""
        self._first = asyncio.create_task(self._look(), name="first look at the devices")

    async def close(self) -> None:
        if self._first is not None:
            self._first.cancel()
            await asyncio.gather(self._first, return_exceptions=True)
        self._nvml.close()

    async def count(self, topology: Topology) -> None:
        """Look at the devices, where the topology is to be dealt some; `view` is by this look."""
        if deals(topology):
            await self._look()

    def view(self, topology: Topology, env: Mapping[str, str]) -> GpuView:
        """What may be dealt to the pods of a caller with this environment, as far as the topology asks for any."""
        return counted(topology, lambda: dealable(self._found, env))

    async def mine(self) -> GpuView:
        """What may be dealt in the engine's own environment."""
        if self._first is not None:
            await asyncio.wait([self._first])
        return dealable(self._found, os.environ)

    async def now(self, dealt: Mapping[PodKey, str], pod_of: PodOf) -> tuple[Gpu, ...]:
        """Every device with who uses it; `dealt` has pods' values of CUDA_VISIBLE_DEVICES.

        Those that NVML does not tell of have no figures.
        """
        found = await self._look()
        if found is None:
            found = self._without_figures(dealt.values())
        return await asyncio.to_thread(_joined, found, dealt, pod_of)

    async def _look(self) -> tuple[Gpu, ...] | None:
        found = await asyncio.to_thread(self._nvml.look)
        if found is not None:
            self._found = found
        return found

    def _without_figures(self, dealt: Iterable[str]) -> tuple[Gpu, ...]:
        if self._found is not None:
            trouble = self._nvml.trouble
            return tuple(Gpu(gpu.index, gpu.name, gpu.uuid, trouble=trouble) for gpu in self._found)
        names = dict.fromkeys(dealable(None, os.environ).devices)
        names |= dict.fromkeys(name for value in dealt for name in _entries(value))
        numbered = {int(name) for name in names if name.isdigit()}
        free = (index for index in range(len(names)) if index not in numbered)
        return tuple(
            sorted(
                (Gpu(int(name)) if name.isdigit() else Gpu(next(free), uuid=name) for name in names),
                key=lambda gpu: gpu.index,
            )
        )


def _joined(found: Iterable[Gpu], dealt: Mapping[PodKey, str], pod_of: PodOf) -> tuple[Gpu, ...]:
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
        entry == str(gpu.index) or (not entry.isdigit() and gpu.uuid.startswith(entry))
        for entry in _entries(value)
    )


def _entries(value: str) -> list[str]:
    return [entry for entry in map(str.strip, value.split(",")) if entry]


# -- processes


def _owned(process: GpuProcess, pod_of: PodOf) -> GpuProcess:
    """The process with its command, its user, and the pod that it or one of its parents is."""
    pid = process.pid
    return replace(process, command=_command(pid), user=_user(pid), pod=_pod(pid, pod_of))


def _pod(pid: int, pod_of: PodOf) -> PodKey | None:
    for here in _lineage(pid):
        mark = environment(here).get(MARK)
        pod = None if mark is None else pod_of(mark)
        if pod is not None:
            return pod
    return None


def _lineage(pid: int) -> Iterator[int]:
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
    return printable(" ".join(words))[:LONGEST_COMMAND]


def _user(pid: int) -> str:
    try:
        owner = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return ""
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)
