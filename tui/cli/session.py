"""What verbs share: the engine's home, a connection to it, the caller's world."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from quarterdeck import __version__
from quarterdeck.engine.control import Caller
from quarterdeck.engine.home import Home, find_home
from quarterdeck.engine.model import Fleet

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

T = TypeVar("T")


def add_socket(parser: argparse.ArgumentParser) -> None:
    """The option that names another engine."""
    parser.add_argument(
        "--socket", metavar="PATH", help="the engine's socket (default: ~/.quarterdeck/qd.sock)"
    )


def home_of(args: argparse.Namespace) -> Home:
    return find_home(os.environ, args.socket)


def with_engine(home: Home, work: Callable[[Client], Awaitable[T]]) -> T:
    """Run `work` with a client of the engine at `home`. Raises EngineUnreachable when there is none."""
    from quarterdeck.engine.api.launch import require

    require(home)

    async def session() -> T:
        from quarterdeck.engine.api.client import connect

        async with await connect(str(home.socket), __version__) as client:
            return await work(client)

    return asyncio.run(session())


async def present(client: Client) -> Fleet:
    """The fleet as it is now."""
    async for fleet in client.watch():
        return fleet
    return Fleet()


def caller() -> Caller:
    """The world that the pods are to live in: this process's."""
    umask = os.umask(0o077)
    os.umask(umask)
    python = ""
    if os.environ.get("VIRTUAL_ENV"):
        candidate = os.path.join(os.environ["VIRTUAL_ENV"], "bin", "python")
        if os.access(candidate, os.X_OK) and not _same_environment(os.environ["VIRTUAL_ENV"]):
            python = candidate
    return Caller(dict(os.environ), os.getcwd(), umask, python)


def _same_environment(folder: str) -> bool:
    return os.path.realpath(folder) == os.path.realpath(sys.prefix)


def interactive() -> bool:
    """Whether a person sits at a terminal that a console can be drawn on."""
    terminals = sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()  # Textual draws on stderr
    return terminals and os.environ.get("TERM", "") not in ("", "dumb")
