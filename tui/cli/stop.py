"""`qd stop`: ends pods and keeps them in the tree."""

from __future__ import annotations

import argparse

from quarterdeck.engine.control import Verb
from quarterdeck.engine.model import Phase

from .acting import act, configure_targets

EXAMPLE = """\
  qd stop search/index/shard-0/rep-1     it finishes what it is doing first
  qd start search/index/shard-0/rep-1"""


def configure(parser: argparse.ArgumentParser) -> None:
    configure_targets(parser)


def run(args: argparse.Namespace) -> int:
    resting = (Phase.STOPPED, Phase.FAILED)
    return act(args, Verb.STOP, lambda was, now: now.phase in resting, "stopped")
