"""What a process costs, as the kernel counts it: exact CPU time, private and proportional memory."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .session import Failed

CPUCLOCK_SCHED = 2


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes: private to one process, and with its share of what others map too."""

    uss: float
    pss: float


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and all its threads, ended ones included; zero for one that has gone.

    The scheduler's own sum in nanoseconds, as in /proc/PID/task/*/schedstat; the ticks of /proc/PID/stat miss
    short bursts. The number of the clock is that of clock_getcpuclockid(3).
    """
    try:
        return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)
    except OSError:
        return 0.0


def memory(pids: Iterable[int]) -> Memory:
    """Mean of the processes, from /proc/PID/smaps_rollup."""
    found = [_memory(pid) for pid in pids]
    return Memory(sum(one.uss for one in found) / len(found), sum(one.pss for one in found) / len(found))


def _memory(pid: int) -> Memory:
    values: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        values[name] = int(rest.split()[0]) * 1024
    return Memory(values["Private_Clean"] + values["Private_Dirty"], values["Pss"])


class Children:
    """Processes of one measurement, each with a pipe for its first word; all end when the body does."""

    def __init__(self, env: dict[str, str], cwd: Path) -> None:
        self._env = env
        self._cwd = cwd
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.kill()
        for process in self._running:
            process.wait()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._running]

    def start(self, *command: str) -> int:
        """Start a process; `{fd}` in its command becomes the descriptor that it is to write one line to.

        Gives the reading end.
        """
        reading, writing = os.pipe()
        words = [word.replace("{fd}", str(writing)) for word in command]
        process = subprocess.Popen(
            words, env=self._env, cwd=self._cwd, pass_fds=(writing,), stdin=subprocess.DEVNULL
        )
        os.close(writing)
        self._running.append(process)
        return reading


async def first_word(descriptor: int, deadline: float = 60.0) -> bytes:
    """What a child wrote first; raises `Failed` when it ended without a word. Closes the descriptor."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        async with asyncio.timeout(deadline):
            await readable.wait()
        word = os.read(descriptor, 4096)
    except TimeoutError:
        raise Failed(f"a peer said nothing within {deadline:g}s") from None
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    if not word:
        raise Failed("a peer ended before it was ready; what it printed stands above")
    return word
