"""`qd scale`: another number of replicas for deployments that run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from quarterdeck.engine.errors import TargetError, UsageError
from quarterdeck.engine.model import Fleet

from .changing import in_words, until_made
from .session import add_socket, home_of, present, with_engine

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd scale search/index=5
  qd scale index=2 clean=4"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "change", nargs="+", metavar="DEPLOYMENT=N", help="a deployment ([TOPOLOGY/]NAME) and its replicas"
    )
    parser.add_argument("--no-wait", action="store_true", help="return once the engine has taken it")
    parser.add_argument(
        "--timeout", type=float, default=120.0, metavar="S", help="seconds to wait (default: 120)"
    )
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    changes = dict(map(_parse, args.change))
    if len(changes) < len(args.change):
        raise UsageError("a deployment stands there twice", "say once how many replicas it is to have")
    return with_engine(home_of(args), lambda client: _scale(client, changes, args))


def _parse(text: str) -> tuple[str, int]:
    name, sign, number = text.partition("=")
    if not sign or not name or not (number.isascii() and number.isdigit()) or int(number) < 1:
        raise UsageError(f"{text}: not DEPLOYMENT=N", "write for example index=3; N is 1 or more")
    return name, int(number)


async def _scale(client: Client, changes: dict[str, int], args: argparse.Namespace) -> int:
    before = await present(client)
    wanted: dict[str, dict[str, int]] = {}
    for target, number in changes.items():
        topology, deployment = find_deployment(before, target)
        wanted.setdefault(topology, {})[deployment] = number
    for topology, replicas in wanted.items():
        difference = await client.scale(topology, replicas)
        print("\n".join(in_words(difference)), flush=True)
        if not args.no_wait and not difference.empty:
            await until_made(client, difference, before, args.timeout)
    return 0


def find_deployment(fleet: Fleet, target: str) -> tuple[str, str]:
    """Topology and name of the one deployment that is meant. Raises TargetError."""
    top, slash, rest = target.strip("/").partition("/")
    found = [
        (each.topology, each.name)
        for each in fleet.deployments
        if (each.topology, each.name) == (top, rest) or (not slash and each.name == top)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        meant = ", ".join("/".join(each) for each in found)
        raise TargetError(f"{target} could mean several things: {meant}", "name the topology too")
    have = ", ".join(f"{each.topology}/{each.name}" for each in fleet.deployments[:8]) or "none"
    raise TargetError(f"there is no deployment {target}", f"up are: {have}")
