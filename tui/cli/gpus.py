"""`qd gpus`: this host's devices, which pods were dealt them, and who else uses them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from quarterdeck.engine.model import EngineInfo, Gpu, GpuProcess

from .session import add_socket, home_of, with_engine
from .table import megabytes, table

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd gpus
  qd gpus --json"""
HEAD = ("gpu", "name", "used", "total", "busy", "pods")
RIGHT = frozenset({0, 2, 3, 4})


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
        print(info.gpus_source)
    return 0


async def _ask(client: Client) -> tuple[Sequence[Gpu], EngineInfo]:
    return await client.gpus(), await client.info()


def _plain(gpu: Gpu) -> dict[str, object]:
    processes = [
        asdict(each) | {"pod": None if each.pod is None else str(each.pod)} for each in gpu.processes
    ]
    return asdict(gpu) | {"pods": [str(key) for key in gpu.pods], "processes": processes}


def _listing(gpus: Sequence[Gpu]) -> str:
    """A table of the devices; below it what is wrong with some, and who else holds their memory."""
    rows = [
        (
            str(gpu.index),
            gpu.name or gpu.uuid or "-",
            megabytes(gpu.memory_used),
            megabytes(gpu.memory_total),
            "-" if gpu.busy_percent is None else f"{gpu.busy_percent:.0f}%",
            ", ".join(map(str, gpu.pods)) or "-",
        )
        for gpu in gpus
    ]
    below = [line for gpu in gpus for line in _below(gpu)]
    return "\n".join((table(HEAD, rows, RIGHT), *below))


def _below(gpu: Gpu) -> list[str]:
    trouble = [f"gpu {gpu.index}: {gpu.trouble}"] if gpu.trouble else []
    strangers = [process for process in gpu.processes if process.pod is None]
    return [*trouble, *(f"gpu {gpu.index}: {_held(process)}" for process in strangers)]


def _held(process: GpuProcess) -> str:
    """`7168M held by pid 4242 of ann: python train.py`; no user and no command of one that can't be seen from here."""
    who = f" of {process.user}" if process.user else ""
    what = f": {process.command}" if process.command else ""
    return f"{megabytes(process.memory_bytes)} held by pid {process.pid}{who}{what}"
