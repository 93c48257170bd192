"""NVML's view of this host's devices, through `pynvml`, which is imported when first asked. Blocks; never raises.

A device that is lost while it runs is told as such, and the others go on; where NVML itself fails it is tried again at
the next look.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from ..model import Gpu, GpuProcess

T = TypeVar("T")

LOST = "the device is lost: it fell off the bus"


class Nvml:
    """One session with the library, from the first look until `close`; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = False
        self._known: dict[int, Gpu] = {}
        """Name and UUID of what answered once: who is lost tells neither."""
        self.trouble = ""
        """Why the last look found nothing."""

    def look(self) -> tuple[Gpu, ...] | None:
        """Every device as it is now, or None where NVML does not answer."""
        with self._lock:
            try:
                import pynvml

                if not self._open:
                    pynvml.nvmlInit()
                    self._open = True
                found = tuple(_device(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount()))
            except Exception as error:  # no library, no driver, one of another version, one that was unloaded
                self.trouble = f"NVML does not answer: {str(error) or type(error).__name__}"
                self._end()
                return None
            self.trouble = ""
            return tuple(map(self._named, found))

    def close(self) -> None:
        """End the session; the next look begins another. A look that is under way is not waited for."""
        if self._lock.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._lock.release()

    def _named(self, gpu: Gpu) -> Gpu:
        if gpu.uuid:
            self._known[gpu.index] = gpu
            return gpu
        known = self._known.get(gpu.index, gpu)
        return replace(gpu, name=gpu.name or known.name, uuid=known.uuid)

    def _end(self) -> None:
        if self._open:
            self._open = False
            import pynvml

            with contextlib.suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()


def _device(nvml: Any, index: int) -> Gpu:
    """One device; figures that it has not are None."""

    def asked(ask: Callable[[], T], otherwise: T) -> T:
        try:
            return ask()
        except nvml.NVMLError as error:
            if error.value == nvml.NVML_ERROR_GPU_IS_LOST:
                raise
            return otherwise

    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        name = _text(asked(lambda: nvml.nvmlDeviceGetName(handle), ""))
        uuid = _text(asked(lambda: nvml.nvmlDeviceGetUUID(handle), ""))
        memory = asked(lambda: nvml.nvmlDeviceGetMemoryInfo(handle), None)
        busy = asked(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu, None)
        found: list[Any] = [
            *asked(lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle), []),
            *asked(lambda: nvml.nvmlDeviceGetGraphicsRunningProcesses(handle), []),
        ]
    except nvml.NVMLError as error:
        lost = error.value == nvml.NVML_ERROR_GPU_IS_LOST
        return Gpu(index, trouble=LOST if lost else f"NVML says of it: {error}")
    held = {process.pid: process.usedGpuMemory for process in found}
    return Gpu(
        index=index,
        name=name,
        uuid=uuid,
        memory_used=None if memory is None else memory.used,
        memory_total=None if memory is None else memory.total,
        busy_percent=None if busy is None else float(busy),
        processes=tuple(GpuProcess(pid, held[pid]) for pid in sorted(held)),
    )


def _text(name: str | bytes) -> str:
    """Older bindings answer in bytes."""
    return name.decode() if isinstance(name, bytes) else name
