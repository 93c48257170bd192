"""`qd wait`: returns once pods are ready, or stopped."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from quarterdeck.engine.errors import ReadyTimeout, TargetError
from quarterdeck.engine.model import Fleet, Phase
from quarterdeck.engine.target import resolve
from quarterdeck.engine.verdict import failed, start_error, waiting_for

from .session import add_socket, home_of, with_engine

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd wait search                         until all its pods are ready
  qd wait search/index --for stopped --timeout 30"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", nargs="+", help="TOPOLOGY, TOPOLOGY/NAME, a part of it, or a glob")
    parser.add_argument("--for", dest="state", choices=("ready", "stopped"), default="ready")
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds to wait (default: for ever)")
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    return with_engine(home_of(args), lambda client: _wait(client, args))


async def _wait(client: Client, args: argparse.Namespace) -> int:
    seen = False
    last = Fleet()
    try:
        async with asyncio.timeout(args.timeout):
            async for last in client.watch():
                try:
                    pods = resolve(last, args.target)
                except TargetError:
                    if seen and args.state == "stopped":
                        return 0  # it was there and has gone down: that is stopped
                    raise
                seen = True
                if args.state == "ready":
                    broken = failed(pods)
                    if broken is not None:
                        raise await start_error(client, broken)
                    if all(pod.ready for pod in pods):
                        return 0
                elif all(pod.phase in (Phase.STOPPED, Phase.FAILED) for pod in pods):
                    return 0
    except TimeoutError:
        pods = resolve(last, args.target)
        raise ReadyTimeout(f"not {args.state} after {args.timeout:g}s: {waiting_for(pods)}") from None
    return 0
