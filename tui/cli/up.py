"""`qd up`: a topology from its file to ready pods; with a terminal and without `-d` the console follows."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from quarterdeck.engine.control import UpOutcome, UpResult
from quarterdeck.engine.errors import QuarterdeckError
from quarterdeck.engine.model import Samples
from quarterdeck.engine.spec import document
from quarterdeck.engine.spec.file import load
from quarterdeck.engine.verdict import wait_ready

from .attach import add_console_options, open_console
from .changing import in_words, until_made
from .following import Cursor, follow
from .harmless import emit
from .logs import tagged
from .ps import listing
from .session import add_socket, caller, home_of, interactive, present, with_engine

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd up topology.yml             start it and open the console
  qd up -d topology.yml          start it, wait until it is ready, and return"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the topology's YAML file")
    parser.add_argument("-d", "--detach", action="store_true", help="return instead of opening the console")
    parser.add_argument(
        "--wait",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="wait until all pods are ready; when one fails, close the topology (default with -d)",
    )
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds to wait (default: timeout_ready)")
    add_console_options(parser)
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    topology = load(args.file, os.environ)
    return bring_up(args, document.dump(topology), topology.name)


def bring_up(args: argparse.Namespace, text: str, name: str) -> int:
    """Start a checked topology and stay with it as the options say."""
    from quarterdeck.engine.api.launch import ensure

    home = home_of(args)
    ensure(home)
    console = interactive() and not args.detach
    wait = args.wait if args.wait is not None else args.detach
    owner = f"console of pid {os.getpid()}" if console else ""
    result = with_engine(home, lambda client: _up(client, text, owner, args.timeout, wait))
    if console:
        return open_console(args, owns=name if result.outcome is UpOutcome.STARTED else None)
    if not args.detach:
        return _stream(args, name)
    if not wait:
        print(f"{name} {_word(result)}")
    return 0


async def _up(client: Client, text: str, owner: str, timeout: float | None, wait: bool) -> UpResult:
    result = await client.up(text, caller(), owner)
    if result.outcome is UpOutcome.CHANGED:
        return await _replace(client, text, owner, timeout, wait)
    if wait:
        try:
            pods = await wait_ready(client, result.topology, timeout)
        except QuarterdeckError:
            if result.outcome is UpOutcome.STARTED:
                await client.down([result.topology])
            raise
        print(listing(pods, Samples(), time.time()))
    return result


async def _replace(client: Client, text: str, owner: str, timeout: float | None, wait: bool) -> UpResult:
    """Change what runs to the file's text: what differs is told, then made; the rest is not touched."""
    before = await present(client)
    difference = await client.diff(text, caller())
    print("\n".join(in_words(difference)), flush=True)
    result = await client.up(text, caller(), owner, replace=True)
    if wait:
        fleet = await until_made(client, difference, before, timeout)
        print(listing(fleet.of(result.topology), Samples(), time.time()))
    return result


def _word(result: UpResult) -> str:
    match result.outcome:
        case UpOutcome.STARTED:
            return "is starting"
        case UpOutcome.REPLACED:
            return "is changing"
        case _:
            return "is up already, unchanged"


def _stream(args: argparse.Namespace, name: str) -> int:
    """Without a terminal: print the logs until an interrupt, then close what was started."""
    return with_engine(home_of(args), lambda client: _stay(client, name))


async def _stay(client: Client, name: str) -> int:
    """The interrupt is taken on this loop: what gRPC has under way can't be answered on another one."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    interrupts = (signal.SIGINT, signal.SIGTERM)  # what supervises us sends the latter instead of ^c
    for number in interrupts:
        loop.add_signal_handler(number, task.cancel)
    try:
        await _print_logs(client, name)
    except asyncio.CancelledError:
        for number in interrupts:
            loop.remove_signal_handler(number)  # the next one does not wait
        task.uncancel()
        print(f"qd: closing {name}", file=sys.stderr, flush=True)
        await client.down([name])
        return 130
    return 0


async def _print_logs(client: Client, name: str) -> None:
    pods = (await present(client)).of(name)
    width = max(len(pod.name) for pod in pods)
    async for fleet in client.watch():
        if all(pod.run for pod in fleet.of(name)):
            break  # each has a log by now
    cursors = [Cursor(pod.key) for pod in pods]
    async for cursor, data in follow(client, cursors, forever=True):
        emit(tagged(cursor.pod.name.ljust(width), data))
