"""Whether a start has come to an end, judged from what everybody may see: the fleet. Pure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from .control import Control
from .errors import EngineUnreachable, ReadyTimeout, StartError, TargetError
from .model import TOO_SLOW, Fleet, Phase, PodKey, PodStatus

LOG_LINES = 12
LOG_BYTES = 8_192


def failed(pods: Iterable[PodStatus]) -> PodStatus | None:
    """The pod that made the start fail, if one did."""
    return next((pod for pod in pods if pod.phase is Phase.FAILED), None)


def all_ready(pods: Iterable[PodStatus]) -> bool:
    """Whether there is at least one pod and all are ready."""
    states = [pod.ready for pod in pods]
    return bool(states) and all(states)


def waiting_for(pods: Iterable[PodStatus]) -> str:
    """Pods that aren't ready, with their reasons, in one line."""
    return ", ".join(
        f"{pod.name} is {pod.phase.value}" + (f" ({pod.reason})" if pod.reason else "")
        for pod in pods
        if not pod.ready
    )


async def wait_ready(control: Control, topology: str, timeout: float | None) -> tuple[PodStatus, ...]:
    """Wait until all pods of a topology are ready, and return them.

    Raises StartError when a pod failed, with the end of its log, and ReadyTimeout after `timeout` seconds.
    """
    import asyncio

    pods: tuple[PodStatus, ...] = ()
    try:
        async with asyncio.timeout(timeout):
            fleets: AsyncIterator[Fleet] = control.watch()
            async for fleet in fleets:
                pods = fleet.of(topology)
                broken = failed(pods)
                if broken is not None:
                    raise await start_error(control, broken)
                if all_ready(pods):
                    return pods
    except TimeoutError:
        raise await _late(control, topology, timeout, pods) from None
    raise EngineUnreachable("the engine ended meanwhile", "what it said is in its engine.log")


async def _late(
    control: Control, topology: str, timeout: float | None, pods: tuple[PodStatus, ...]
) -> ReadyTimeout:
    """The error for a start that took too long; the first pod that it waited for has the last word."""
    first = next((pod for pod in pods if not pod.ready), None)
    end = [] if first is None else await log_end(control, first.key)
    hint = "give it longer, with `timeout_ready`"
    if first is not None and end:
        hint += f"; the end of {first.name}'s log:\n{_indented(end)}"
    return ReadyTimeout(f"{topology} is not ready after {timeout:g}s: {waiting_for(pods)}", hint)


async def start_error(control: Control, pod: PodStatus) -> StartError:
    """The error for a pod that failed: its name, why, and the end of its log as the hint."""
    end = await log_end(control, pod.key)
    kind = ReadyTimeout if TOO_SLOW in pod.reason else StartError
    return kind(
        f"{pod.topology}/{pod.name} failed: {pod.reason}",
        f"the end of its log:\n{_indented(end)}" if end else "",
    )


def _indented(lines: list[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


async def log_end(control: Control, pod: PodKey) -> list[str]:
    """The last lines of a pod's newest log, harmless to a terminal; none where it never got as far as a log."""
    try:
        chunk = await control.read_log(pod, 0, -LOG_BYTES, LOG_BYTES)
    except TargetError:
        return []
    lines = chunk.data.decode("utf-8", "replace").splitlines()
    return ["".join(char if char.isprintable() else " " for char in line) for line in lines[-LOG_LINES:]]
