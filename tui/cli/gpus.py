"""`qd gpus`: this host's devices, which pods were dealt them, and who else uses them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from quarterdeck.engine.model import EngineInfo, Gpu, GpuProcess

from .harmless import harmless
from .session import add_socket, home_of, with_engine
from .table import megabytes, table

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd gpus
  qd gpus --json"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    gpus, info = with_engine(home_of(args), _ask)
    if args.json:
        print(json.dumps([_plain(gpu) for gpu in gpus], indent=2))
    elif gpus:
        print(_listing(gpus))
    else:
        print(f"no GPU: {info.gpus_source}")
    return 0


async def _ask(client: Client) -> tuple[Sequence[Gpu], EngineInfo]:
    return await client.gpus(), await client.info()


def _plain(gpu: Gpu) -> dict[str, object]:
    processes = [
        asdict(each) | {"pod": None if each.pod is None else str(each.pod)} for each in gpu.processes
    ]
    return asdict(gpu) | {"pods": [str(key) for key in gpu.pods], "processes": processes}


def _listing(gpus: Sequence[Gpu]) -> str:
    head = ("gpu", "name", "used", "total", "busy", "pods")
    rows = [
        (
            str(gpu.index),
            gpu.name or "-",
            megabytes(gpu.memory_used),
            megabytes(gpu.memory_total),
            "-" if gpu.busy_percent is None else f"{gpu.busy_percent:.0f}%",
            gpu.trouble or ", ".join(map(str, gpu.pods)) or "-",
        )
        for gpu in gpus
    ]
    others = [
        f"gpu {gpu.index}: {megabytes(process.memory_bytes)} held by pid {process.pid}{_who(process)}"
        for gpu in gpus
        for process in gpu.processes
        if process.pod is None
    ]
    return "\n".join((table(head, rows, right=frozenset({2, 3, 4})), *others))


def _who(process: GpuProcess) -> str:
    command = harmless(process.command.encode()).decode()
    return f" of {process.user}: {command}" if process.user else ""
