"""`qd ps`: one line a pod."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING

from quarterdeck.engine.model import Fleet, PodStatus, Samples
from quarterdeck.engine.target import resolve

from .rows import pod_row
from .session import add_socket, home_of, with_engine
from .table import age, coloured, megabytes, table

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd ps                          all pods
  qd ps search/index --json      one deployment's, for a program
  qd ps --watch                  again whenever something changes"""
HEAD = ("name", "state", "port", "gpu", "pid", "cpu", "mem", "rst", "age", "reason")
RIGHT = frozenset({2, 3, 4, 5, 6, 7, 8})


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", nargs="*", help="TOPOLOGY, TOPOLOGY/NAME, a part of it, or a glob")
    parser.add_argument("--json", action="store_true", help="a list with one object a pod")
    parser.add_argument("--watch", action="store_true", help="go on, printing again after each change")
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    return with_engine(home_of(args), lambda client: _list(client, args))


async def _list(client: Client, args: argparse.Namespace) -> int:
    async for fleet in client.watch():
        samples = await _newest(client)
        pods = resolve(fleet, args.target) if args.target else fleet.pods
        _print(fleet, pods, samples, args)
        if not args.watch:
            break
    return 0


async def _newest(client: Client) -> Samples:
    async for samples in client.samples():
        return samples
    return Samples()


def _print(fleet: Fleet, pods: tuple[PodStatus, ...], samples: Samples, args: argparse.Namespace) -> None:
    if args.json:
        rows = [pod_row(pod, samples.pods.get(pod.key)) for pod in pods]
        print(json.dumps(rows, indent=None if args.watch else 2))
        sys.stdout.flush()
        return
    if args.watch and sys.stdout.isatty():
        print("\x1b[H\x1b[2J", end="")
    if not pods:
        print("nothing is up; start something with: qd up FILE")
        return
    now = time.time()
    print(listing(pods, samples, now))
    if args.watch:
        print(f"-- {fleet.ready}/{len(fleet.pods)} ready", flush=True)


def listing(pods: tuple[PodStatus, ...], samples: Samples, now: float) -> str:
    """The pods as a table with a head."""
    rows = [_row(pod, samples, now) for pod in pods]
    text = table(HEAD, rows, RIGHT).splitlines()
    width = max(len(row[0]) for row in (HEAD, *rows))
    lines = [text[0]]
    for pod, line in zip(pods, text[1:], strict=True):
        word = pod.phase.value
        at = width + 2
        lines.append(line[:at] + coloured(pod.phase, word) + line[at + len(word) :])
    return "\n".join(lines)


def _row(pod: PodStatus, samples: Samples, now: float) -> tuple[str, ...]:
    sample = samples.pods.get(pod.key)
    cpu = "-" if sample is None or sample.cpu_percent is None else f"{sample.cpu_percent:.0f}%"
    since = pod.started_at if pod.ready else pod.since
    return (
        f"{pod.topology}/{pod.name}",
        pod.phase.value,
        str(pod.port or "-"),
        pod.gpu or "-",
        str(pod.pid or "-"),
        cpu,
        megabytes(sample.memory_bytes if sample is not None else None),
        str(pod.restarts),
        age(now - since if since else None),
        pod.reason,
    )
