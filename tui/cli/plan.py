"""`qd plan`: what a file would start, told without starting it or importing any of its code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from quarterdeck.engine.model import PodStatus, Role

from .rows import pod_row

if TYPE_CHECKING:
    from quarterdeck.engine.plan.pods import Plan

EXAMPLE = "  qd plan examples/search/topology.yml"
_COLUMNS = ("NAME", "ROLE", "RUNTIME", "PORT", "GPU", "USES")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the topology file")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true", help="a list with one object a pod, keys as in `qd ps --json`"
    )
    form.add_argument("--mermaid", action="store_true", help="a Mermaid flowchart")


def run(args: argparse.Namespace) -> int:
    """Print the plan. Raises `SpecError` with every mistake of the file."""
    plan = plan_of(args.file, os.environ)
    if args.mermaid:
        from quarterdeck.engine.plan.mermaid import picture

        print(picture(plan), end="")
        return 0
    from quarterdeck.engine.plan.status import planned

    pods = planned(plan)
    if args.json:
        import json

        print(json.dumps([pod_row(pod) for pod in pods], indent=2))
    else:
        print("\n".join(table(pods)))
    for note in plan.notes:
        print(f"note: {note}", file=sys.stderr)
    return 0


def plan_of(file: Path, env: Mapping[str, str]) -> Plan:
    """The plan of a file for a caller with this environment; devices are counted only if asked for."""
    from quarterdeck.engine.observe.gpus import find_gpus
    from quarterdeck.engine.plan.gpus import counted
    from quarterdeck.engine.plan.planner import plan
    from quarterdeck.engine.spec.file import load

    topology = load(file, env)
    return plan(topology, counted(topology, lambda: find_gpus(env)))


def table(pods: tuple[PodStatus, ...]) -> list[str]:
    """Lines of an aligned table, its heading first."""
    rows = [_COLUMNS, *map(_cells, pods)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _cells(pod: PodStatus) -> tuple[str, ...]:
    uses = pod.uses or ("default executor" if pod.role is Role.WORKER else "-")
    port = "auto" if pod.port is None else str(pod.port)
    return (pod.name, pod.role, pod.runtime, port, pod.gpu or "-", uses)
