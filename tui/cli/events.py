"""`qd events`: what happened, oldest first."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from quarterdeck.engine.model import Event

from .session import add_socket, home_of, with_engine

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd events                      since the engine started
  qd events -f --json            and what happens from now on, one object a line"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what happens")
    parser.add_argument("--json", action="store_true", help="one object a line")
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    return with_engine(home_of(args), lambda client: _events(client, args))


async def _events(client: Client, args: argparse.Namespace) -> int:
    async for event in client.events(0, args.follow):
        print(json.dumps(asdict(event)) if args.json else line(event), flush=args.follow)
    return 0


def line(event: Event) -> str:
    """`14:02:08  error  search/index/rep-0  exit 1 after 3s`."""
    clock = time.strftime("%H:%M:%S", time.localtime(event.time))
    where = "/".join(part for part in (event.topology, event.pod) if part) or "engine"
    return f"{clock}  {event.level.value:<5}  {where}  {event.text}"
