"""`qd kill`: sends a signal to pods' processes."""

from __future__ import annotations

import argparse
import signal

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import UsageError

from .acting import act, configure_targets

EXAMPLE = """\
  qd kill search/clean/rep-0             SIGKILL; its policy decides the rest
  qd kill -s USR1 search/clean/rep-0"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-s", "--signal", default="KILL", help="name or number (default: KILL)")
    configure_targets(parser, waits=False)


def number_of(text: str) -> int:
    """A signal's number. Raises UsageError for what is none."""
    name = text.upper().removeprefix("SIG")
    try:
        return signal.Signals(int(name)) if name.isdigit() else signal.Signals["SIG" + name]
    except (ValueError, KeyError):
        raise UsageError(f"{text} is not a signal", "try TERM, INT, HUP, USR1 or KILL") from None


def run(args: argparse.Namespace) -> int:
    number = number_of(args.signal)
    return act(args, Verb.KILL, lambda was, now: True, f"sent {signal.Signals(number).name}", number)
