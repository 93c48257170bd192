"""`qd attach`, and `qd` alone: the console on whatever runs. It owns nothing and just goes."""

from __future__ import annotations

import argparse

from quarterdeck.engine.errors import UsageError

from .session import home_of, interactive

EXAMPLE = """\
  qd                             the console on what runs
  qd attach --read-only          without the keys that change anything"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_console_options(parser)
    parser.add_argument(
        "--socket", metavar="PATH", help="the engine's socket (default: ~/.quarterdeck/qd.sock)"
    )


def add_console_options(parser: argparse.ArgumentParser) -> None:
    """How the console looks, and whether it may change anything."""
    parser.add_argument("--read-only", action="store_true", help="hide and refuse what changes anything")
    parser.add_argument("--ascii", action="store_true", help="for fonts without the usual symbols")
    parser.add_argument("--theme", choices=("dark", "light", "high-contrast"), help="colours (default: dark)")


def run(args: argparse.Namespace) -> int:
    return open_console(args)


def open_console(args: argparse.Namespace, owns: str | None = None) -> int:
    """The console on the engine of `args`. Raises UsageError without a terminal."""
    if not interactive():
        raise UsageError("the console needs a terminal", "without one, see: qd ps, qd logs, qd events")
    from ..console import run_console

    return run_console(
        str(home_of(args).socket), owns=owns, read_only=args.read_only, ascii=args.ascii, theme=args.theme
    )
