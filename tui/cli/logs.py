"""`qd logs`: what pods printed, every byte of it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from quarterdeck.engine.errors import TargetError
from quarterdeck.engine.model import PodKey, PodStatus
from quarterdeck.engine.target import resolve

from .following import Cursor, follow, tail_offset
from .harmless import emit
from .session import add_socket, home_of, present, with_engine

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd logs search/index -f --tail 20      all its pods, each line with a name
  qd logs search/clean/rep-0 --previous  the run before this one
  less "$(qd logs search/gateway --path)\""""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", nargs="+", help="TOPOLOGY, TOPOLOGY/NAME, a part of it, or a glob")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    parser.add_argument("--tail", type=int, metavar="N", help="only the last N lines of each pod")
    parser.add_argument("--previous", action="store_true", help="the run before the present one")
    parser.add_argument("--path", action="store_true", help="the files' paths instead of their text")
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    return with_engine(home_of(args), lambda client: _logs(client, args))


async def _logs(client: Client, args: argparse.Namespace) -> int:
    pods = resolve(await present(client), args.target)
    cursors = [cursor for pod in pods if (cursor := await _cursor(client, pod, args)) is not None]
    if args.path or not cursors:
        return 0
    names = tags([cursor.pod for cursor in cursors])
    async for cursor, data in follow(client, cursors, args.follow and not args.previous):
        emit(data if len(pods) == 1 else tagged(names[cursor.pod], data))
    return 0


async def _cursor(client: Client, pod: PodStatus, args: argparse.Namespace) -> Cursor | None:
    """Where to begin with one pod; None when it has printed nothing yet, or only its path is wanted."""
    runs = list(await client.log_runs(pod.key))
    if args.previous:
        if len(runs) < 2:
            raise TargetError(f"{pod.key} has no run before the present one", "leave out --previous")
        runs = runs[:-1]
    if not runs:
        return None
    if args.path:
        print(runs[-1].path)
        return None
    newest = runs[-1].run
    offset = 0 if args.tail is None else await tail_offset(client, pod.key, newest, args.tail)
    return Cursor(pod.key, newest, offset)


def tags(pods: list[PodKey]) -> dict[PodKey, str]:
    """What stands before the lines of each pod: its name, of one width, with the topology where there are several."""
    several = len({pod.topology for pod in pods}) > 1
    names = {pod: str(pod) if several else pod.name for pod in pods}
    width = max(map(len, names.values()))
    return {pod: name.ljust(width) for pod, name in names.items()}


def tagged(name: str, lines: bytes) -> bytes:
    """Lines, each behind its pod's name; the last one is ended where it was not."""
    tag = name.encode() + b"  "
    whole = b"".join(tag + line for line in lines.splitlines(keepends=True))
    return whole if whole.endswith(b"\n") else whole + b"\n"
