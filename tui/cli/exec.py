"""`qd exec`: a command in a pod's environment and folder, in place of this program."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from quarterdeck.engine.errors import QuarterdeckError, TargetError, UsageError
from quarterdeck.engine.target import resolve

from .session import add_socket, home_of, present, with_engine

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client
    from quarterdeck.engine.control import World

EXAMPLE = """\
  qd exec search/index/shard-0/rep-1 -- env
  qd exec search/gateway -- bash"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_socket(parser)
    parser.add_argument("target", help="one pod")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD", help="program and arguments")


def run(args: argparse.Namespace) -> int:
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise UsageError("no command is given", f"write: qd exec {args.target} -- CMD")
    world = with_engine(home_of(args), lambda client: _world(client, args.target))
    try:
        os.chdir(world.cwd)
    except OSError as error:
        raise QuarterdeckError(f"{args.target}: its folder {world.cwd}: {error.strerror}") from None
    os.umask(world.umask)
    try:
        os.execvpe(command[0], command, world.env)
    except OSError as error:
        raise UsageError(
            f"{command[0]}: {error.strerror}",
            f"it is looked for in the pod's PATH: {world.env.get('PATH', '')}",
        ) from None


async def _world(client: Client, target: str) -> World:
    pods = resolve(await present(client), [target])
    if len(pods) != 1:
        names = ", ".join(str(pod.key) for pod in pods[:6])
        raise TargetError(f"{target} is {len(pods)} pods: {names}", "name one of them")
    return await client.world(pods[0].key)
