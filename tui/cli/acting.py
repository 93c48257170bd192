"""What `restart`, `stop`, `start` and `kill` share: resolve targets, act, and wait for what was asked."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import QuarterdeckError, ReadyTimeout
from quarterdeck.engine.model import Phase, PodKey, PodStatus
from quarterdeck.engine.target import resolve
from quarterdeck.engine.verdict import start_error, waiting_for

from .session import add_socket, home_of, present, with_engine
from .table import count

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

Done = Callable[[PodStatus, PodStatus], bool]
"""Whether a pod, as it was and as it is, has got where it was sent."""


def configure_targets(parser: argparse.ArgumentParser, waits: bool = True) -> None:
    """TARGET… and, for verbs that wait, how long."""
    parser.add_argument("target", nargs="+", help="TOPOLOGY, TOPOLOGY/NAME, a part of it, or a glob")
    if waits:
        parser.add_argument("--no-wait", action="store_true", help="return once the engine has taken it")
        parser.add_argument(
            "--timeout", type=float, default=120.0, metavar="S", help="seconds to wait (default: 120)"
        )
    add_socket(parser)


def act(args: argparse.Namespace, verb: Verb, done: Done, word: str, signal: int = 0) -> int:
    """Do `verb` to the targets; wait until `done` says so of every pod, unless told not to."""
    return with_engine(home_of(args), lambda client: _act(client, args, verb, done, word, signal))


async def _act(
    client: Client, args: argparse.Namespace, verb: Verb, done: Done, word: str, signal: int
) -> int:
    before = {pod.key: pod for pod in resolve(await present(client), args.target)}
    await client.act(verb, list(before), signal)
    if getattr(args, "no_wait", True):
        print(f"{count(len(before), 'pod')} {word if verb is Verb.KILL else f'told to {verb.value}'}")
        return 0
    try:
        async with asyncio.timeout(args.timeout):
            await _until(client, before, done)
    except TimeoutError:
        now = [pod for pod in (await present(client)).pods if pod.key in before]
        raise ReadyTimeout(
            f"not all {word} after {args.timeout:g}s: {waiting_for(now)}", "see: qd logs TARGET"
        ) from None
    print(f"{count(len(before), 'pod')} {word}")
    return 0


async def _until(client: Client, before: dict[PodKey, PodStatus], done: Done) -> None:
    async for fleet in client.watch():
        pods = [(before[pod.key], pod) for pod in fleet.pods if pod.key in before]
        for was, now in pods:
            if now.phase in (Phase.FAILED, Phase.BACKOFF) and now.run > was.run:
                raise await start_error(client, now)
        if all(done(was, now) for was, now in pods):
            return
    raise QuarterdeckError("the engine ended meanwhile")
