"""`qd restart`: new runs of pods, on their old ports."""

from __future__ import annotations

import argparse

from quarterdeck.engine.control import Verb

from .acting import act, configure_targets

EXAMPLE = """\
  qd restart search/index/shard-0/rep-1
  qd restart 'search/index/*/rep-0'"""


def configure(parser: argparse.ArgumentParser) -> None:
    configure_targets(parser)


def run(args: argparse.Namespace) -> int:
    return act(args, Verb.RESTART, lambda was, now: now.ready and now.run > was.run, "restarted")
