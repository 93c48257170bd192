"""NVML's view of this host's devices, through `pynvml`, which is imported when first asked. Blocks; never raises.

A device that is lost while it runs is told as such, and the others go on; where NVML itself fails it is tried again at
the next look.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from ..model import Gpu, GpuProcess

T = TypeVar("T")


class Nvml:
    """One session with the library, from the first look until `close`; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = False

    def look(self) -> tuple[Gpu, ...] | None:
        """Every device as it is now, or None where NVML does not answer."""
        with self._lock:
            try:
                import pynvml

                if not self._open:
                    pynvml.nvmlInit()
                    self._open = True
                return tuple(_device(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount()))
            except Exception:  # no library, no driver, one of another version, one that was unloaded
                self._end()
                return None

    def close(self) -> None:
        """End the session; the next look begins another."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._open:
            self._open = False
            import pynvml

            with contextlib.suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()


def _device(nvml: Any, index: int) -> Gpu:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    except nvml.NVMLError as error:
        return Gpu(index, trouble=_word(nvml, error))
    busy = _asked(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu, None)
    found: list[Any] = _asked(nvml, lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle), [])
    found = [*found, *_asked(nvml, lambda: nvml.nvmlDeviceGetGraphicsRunningProcesses(handle), [])]
    held = {process.pid: process.usedGpuMemory for process in found}
    return Gpu(
        index=index,
        name=_text(_asked(nvml, lambda: nvml.nvmlDeviceGetName(handle), "")),
        uuid=_text(_asked(nvml, lambda: nvml.nvmlDeviceGetUUID(handle), "")),
        memory_used=memory.used,
        memory_total=memory.total,
        busy_percent=None if busy is None else float(busy),
        processes=tuple(GpuProcess(pid, held[pid]) for pid in sorted(held)),
    )


def _asked(nvml: Any, ask: Callable[[], T], otherwise: T) -> T:
    """The answer, or what stands for it where the device has no such figure."""
    try:
        return ask()
    except nvml.NVMLError:
        return otherwise


def _word(nvml: Any, error: Any) -> str:
    if getattr(error, "value", None) == nvml.NVML_ERROR_GPU_IS_LOST:
        return "the device is lost: it fell off the bus"
    return str(error).lower()


def _text(name: str | bytes) -> str:
    """Older bindings answer in bytes."""
    return name.decode() if isinstance(name, bytes) else name
