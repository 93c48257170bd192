"""`qd restart`: new runs of pods, on their old ports; with `--rolling` one replica at a time."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import UsageError
from quarterdeck.engine.model import Role
from quarterdeck.engine.target import resolve

from .acting import act, configure_targets
from .session import home_of, present, with_engine
from .table import count

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd restart search/index/shard-0/rep-1
  qd restart --rolling search/index      one replica at a time; requests go on"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rolling",
        action="store_true",
        help="deployments: one replica at a time, each ready before the next; stops at the first that fails",
    )
    configure_targets(parser)


def run(args: argparse.Namespace) -> int:
    if args.rolling:
        return with_engine(home_of(args), lambda client: _roll(client, args))
    return act(args, Verb.RESTART, lambda was, now: now.ready and now.run > was.run, "restarted")


async def _roll(client: Client, args: argparse.Namespace) -> int:
    if args.no_wait:
        raise UsageError("--rolling waits for each replica", "leave --no-wait out, or put it behind `&`")
    fleet = await present(client)
    pods = resolve(fleet, args.target)
    wanted: dict[str, dict[str, None]] = {}
    for pod in pods:
        if pod.role is Role.GATEWAY:
            continue  # it has no replicas; a restart of it is the plain one
        wanted.setdefault(pod.topology, {})[pod.deployment] = None
    if not wanted:
        raise UsageError(
            f"{' '.join(args.target)}: no deployment", "a gateway alone is restarted without --rolling"
        )
    chosen = {pod.key for pod in pods}
    for topology, deployments in wanted.items():
        workers = [
            pod for pod in fleet.of(topology) if pod.deployment in deployments and pod.role is Role.WORKER
        ]
        left_out = [pod.name for pod in workers if pod.key not in chosen and pod.shard is not None]
        if left_out:
            raise UsageError(
                f"--rolling restarts whole deployments, and {left_out[0]} was not named",
                f"name the deployment: {topology}/{next(iter(deployments))}",
            )
        await client.roll(topology, list(deployments))
        print(f"{topology}: {', '.join(deployments)}: {count(len(workers), 'pod')} restarted one at a time")
    return 0
