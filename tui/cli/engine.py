"""`qd engine`: the process that owns the pods."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from quarterdeck.engine.home import Home

from .session import add_socket, home_of, present, with_engine
from .table import age, count

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd engine status
  qd engine start                one that stays when nothing runs
  qd engine stop                 closes every topology first; logs stay"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("start", "status", "stop"))
    parser.add_argument("--json", action="store_true", help="status as an object")
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    home = home_of(args)
    if args.action == "start":
        from quarterdeck.engine.api.launch import ensure

        started = ensure(home, stays=True)
        print(f"the engine {'listens' if started else 'runs already'} at {home.socket}")
        return 0
    if args.action == "stop":
        with_engine(home, lambda client: client.shutdown())
        stopped(home)
        print("the engine ended, and all its pods")
        return 0
    return with_engine(home, lambda client: _status(client, args))


def stopped(home: Home) -> None:
    """Return once the engine's process has ended; it was told to."""
    from quarterdeck.engine.api.launch import wait_gone

    wait_gone(home)


async def _status(client: Client, args: argparse.Namespace) -> int:
    info = await client.info()
    fleet = await present(client)
    if args.json:
        pods = {"topologies": len(fleet.topologies), "pods": len(fleet.pods), "ready": fleet.ready}
        print(json.dumps({**asdict(info), **pods}, indent=2))
        return 0
    gpus = f"{info.gpus} ({info.gpus_source})" if info.gpus else f"none ({info.gpus_source})"
    stays = "stays" if info.stays else "ends a minute after the last topology and console have gone"
    for label, value in (
        ("version", info.version),
        ("pid", f"{info.pid}, keeper {info.keeper_pid}"),
        ("age", age(time.time() - info.started_at)),
        ("socket", info.socket),
        ("pods", f"{fleet.ready}/{len(fleet.pods)} ready in {count(len(fleet.topologies), 'topology')}"),
        ("gpus", gpus),
        ("life", stays),
    ):
        print(f"{label:<8}  {value}")
    return 0
