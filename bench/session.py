"""`Session`: one run of benchmarks: how often, the raw results as JSON lines, and what machine it was."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, TypeVar

R = TypeVar("R")
PACKAGES = ("quarterdeck", "grpcio", "protobuf", "textual", "rich")


class Failed(Exception):
    """A benchmark could not be run as it should; says why and what would do."""


@dataclass(slots=True)
class Session:
    """Where rounds are counted and every measurement is kept."""

    results: IO[str]
    rounds: int | None = None
    """Instead of each benchmark's own number."""

    async def interleave(
        self, name: str, rounds: int, works: Mapping[str, Callable[[], Awaitable[R]]]
    ) -> dict[str, list[R]]:
        """Run the works in turn (ours, peer, ours, peer …), so that a busy moment hits all of them.

        One round before the first is not counted: it fills caches. Results are dataclasses, one a round.
        """
        found: dict[str, list[R]] = {what: [] for what in works}
        for number in range((self.rounds or rounds) + 1):
            for what, work in works.items():
                result = await work()
                fields: dict[str, Any] = asdict(result)  # type: ignore[call-overload]
                self.write({"bench": name, "what": what, "round": number, "counted": number > 0, **fields})
                if number:
                    found[what].append(result)
        return found

    def write(self, record: Mapping[str, Any]) -> None:
        """Keep one record."""
        self.results.write(json.dumps(record) + "\n")
        self.results.flush()


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        "?",
    )
    total = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(total / 2**20),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "build": platform.python_compiler(),
        "load": os.getloadavg()[0],
        **{package: version(package) for package in PACKAGES},
    }


def describe(found: Mapping[str, Any]) -> str:
    """The machine in two lines, with a warning where others are at work on it."""
    packages = ", ".join(f"{package} {found[package]}" for package in PACKAGES)
    lines = [
        f"{found['cores']} cores of {found['cpu']}, {found['memory_gib']} GiB, Linux {found['kernel']}, "
        f"Python {found['python']} ({found['build']})",
        packages,
    ]
    if found["load"] > found["cores"] / 4:
        lines.append(f"others are at work here (load {found['load']:.2f}): trust ratios more than figures")
    return "\n".join(lines)


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
