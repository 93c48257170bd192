"""Samples with a dead band, so that a number on the screen moves only when it says something new. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.engine.model import HostSample, PodKey, Sample
from quarterdeck.widgets.measure import moved

CPU_STEP, CPU_SHARE = 2.0, 0.1
MEMORY_STEP, MEMORY_SHARE = 2.0 * 1024 * 1024, 0.02


def steady_pods(shown: Mapping[PodKey, Sample], new: Mapping[PodKey, Sample]) -> dict[PodKey, Sample]:
    """What to show of the pods."""
    return {key: _steady(shown.get(key, Sample()), sample) for key, sample in new.items()}


def _steady(shown: Sample, new: Sample) -> Sample:
    return Sample(_cpu(shown.cpu_percent, new.cpu_percent), _memory(shown.memory_bytes, new.memory_bytes))


def steady_host(shown: HostSample, new: HostSample) -> HostSample:
    """What to show of the host."""
    return HostSample(
        _cpu(shown.cpu_percent, new.cpu_percent),
        _memory(shown.memory_used, new.memory_used),
        new.memory_total,
    )


def _cpu(shown: float | None, new: float | None) -> float | None:
    return moved(shown, new, CPU_STEP, CPU_SHARE)


def _memory(shown: int | None, new: int | None) -> int | None:
    value = moved(shown, new, MEMORY_STEP, MEMORY_SHARE)
    return None if value is None else int(value)
