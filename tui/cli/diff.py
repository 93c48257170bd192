"""`qd diff`: what `qd up` of a changed file would change; touches nothing."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from quarterdeck.engine.spec import document
from quarterdeck.engine.spec.file import load

from .changing import in_words
from .session import add_socket, caller, home_of, with_engine

if TYPE_CHECKING:
    from quarterdeck.engine.control import Difference

EXAMPLE = """\
  qd diff topology.yml     pods that come (+), go (-), are replaced (~)
  qd up -d topology.yml    do it"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the topology's YAML file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    text = document.dump(load(args.file, os.environ))
    difference: Difference = with_engine(home_of(args), lambda client: client.diff(text, caller()))
    if args.json:
        print(json.dumps(asdict(difference), indent=2))
    else:
        print("\n".join(in_words(difference)))
    return 0
