"""`qd start`: starts pods that were stopped, or have failed."""

from __future__ import annotations

import argparse

from quarterdeck.engine.control import Verb

from .acting import act, configure_targets

EXAMPLE = """\
  qd start search/index                  whatever of it does not run"""


def configure(parser: argparse.ArgumentParser) -> None:
    configure_targets(parser)


def run(args: argparse.Namespace) -> int:
    return act(args, Verb.START, lambda was, now: now.ready, "ready")
