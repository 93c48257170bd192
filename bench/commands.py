"""`qd ps` and other short commands: wall and CPU time of the whole process, beside what Python itself takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .bytecode import ROOT
from .engine import running_engine
from .session import Failed, Session, median
from .table import Table, milliseconds, ratio

ROUNDS = 15
PODS = 9


@dataclass(frozen=True, slots=True)
class Command:
    """One run of a command."""

    seconds: float
    cpu: float


async def _run(env: dict[str, str], looks_right: Callable[[str], bool], command: Sequence[str]) -> Command:
    return _run_and_wait(env, looks_right, command)


def _run_and_wait(env: dict[str, str], looks_right: Callable[[str], bool], command: Sequence[str]) -> Command:
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not looks_right(printed):
        raise Failed(f"{' '.join(command)} gave code {process.returncode} and:\n{printed}")
    return Command(seconds, usage.ru_utime + usage.ru_stime)


def _nothing(printed: str) -> bool:
    return printed == ""


def _anything(printed: str) -> bool:
    return bool(printed)


def _table_of_pods(printed: str) -> bool:
    return len(printed.splitlines()) == PODS + 1


def _list_of_pods(printed: str) -> bool:
    return len(json.loads(printed)) == PODS


async def commands(session: Session) -> list[Table]:
    """Each command once a round, on an engine that runs nine pods."""
    qd = str(Path(sys.executable).with_name("qd"))
    async with running_engine() as engine:
        await engine.up_search()
        run = partial(_run, engine.env)
        works: dict[str, Callable[[], Awaitable[Command]]] = {
            "python -c pass": partial(run, _nothing, [sys.executable, "-c", "pass"]),
            "python -c 'import grpc.aio'": partial(run, _nothing, [sys.executable, "-c", "import grpc.aio"]),
            "qd --version": partial(run, _anything, [qd, "--version"]),
            "qd ps": partial(run, _table_of_pods, [qd, "ps"]),
            "qd ps --json": partial(run, _list_of_pods, [qd, "ps", "--json"]),
        }
        found = await session.interleave("commands", ROUNDS, works)
    table = Table("commands, with nine pods up", ("what", "ms", "to python", "to grpc.aio", "CPU ms"))
    python, grpc = (median(one.seconds for one in found[what]) for what in list(works)[:2])
    for what, runs in found.items():
        seconds = median(one.seconds for one in runs)
        cpu = median(one.cpu for one in runs)
        table.add(
            what, milliseconds(seconds), ratio(seconds, python), ratio(seconds, grpc), milliseconds(cpu)
        )
    table.notes.append("grpc.aio is what every command that asks an engine imports today")
    return [table]
