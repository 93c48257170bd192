"""`qd down`: closes topologies; their logs stay."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .session import add_socket, home_of, present, with_engine

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd down search
  qd down                        everything"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topology", nargs="*", help="names of topologies (default: all)")
    parser.add_argument("--grace", type=float, metavar="S", help="seconds for requests in flight")
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    return with_engine(home_of(args), lambda client: _down(client, args))


async def _down(client: Client, args: argparse.Namespace) -> int:
    names = args.topology or [topology.name for topology in (await present(client)).topologies]
    if not names:
        print("nothing is up")
        return 0
    await client.down(names, args.grace)
    print(f"{', '.join(names)} down")
    return 0
