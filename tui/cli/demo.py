"""`qd demo`: a search engine over Python's own documentation, with a little traffic."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import quarterdeck
from quarterdeck.engine.control import UpOutcome
from quarterdeck.engine.errors import QuarterdeckError
from quarterdeck.engine.home import Home
from quarterdeck.engine.spec import document
from quarterdeck.engine.spec.file import load
from quarterdeck.engine.verdict import wait_ready

from .attach import add_console_options, open_console
from .engine import stopped
from .ps import listing
from .send import front_door
from .session import add_socket, caller, home_of, interactive, present, with_engine

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

EXAMPLE = """\
  qd demo                        in a terminal: the console, with traffic
  CUDA_TOTAL_DEVICES=4 qd demo   the same on four pretended GPUs
  qd demo | cat                  without: a few requests, then all is closed"""
QUERIES = ("context manager", "generator", "operator precedence", "import system", "with statement", "lambda")
ENDPOINT = "/search"
RATE = 4.0


def configure(parser: argparse.ArgumentParser) -> None:
    add_console_options(parser)
    add_socket(parser)


def example() -> Path:
    """The demo's topology file; it comes with the package."""
    return Path(quarterdeck.__file__).parent / "examples" / "search" / "topology.yml"


def run(args: argparse.Namespace) -> int:
    from quarterdeck.engine.api.launch import ensure

    home = home_of(args)
    topology = load(example(), os.environ)
    started = ensure(home)
    text = document.dump(topology)
    result = with_engine(home, lambda client: client.up(text, caller(), "qd demo"))
    if result.outcome is UpOutcome.CHANGED:
        raise QuarterdeckError(
            f"a topology named {topology.name} is up already", f"close it with: qd down {topology.name}"
        )
    if interactive():
        with traffic(home, topology.name):
            return open_console(args, owns=topology.name)
    ends = False
    try:
        ends = with_engine(home, lambda client: _try(client, topology.name, started))
    finally:
        if ends:
            stopped(home)
        print("\nall closed, nothing left running" if started else f"\n{topology.name} is closed")
    return 0


async def _try(client: Client, name: str, started: bool) -> bool:
    """Show it and close it, however that goes; whether the engine ends too."""
    try:
        await _show(client, name)
    finally:
        ends = await _end(client, name, started)
    return ends


async def _show(client: Client, name: str) -> None:
    """What a person would see in the console, as text."""
    from quarterdeck.engine.wire.client import InferenceClient
    from quarterdeck.engine.wire.tensors import from_json, to_json

    pods = await wait_ready(client, name, 60.0)
    async with InferenceClient(front_door(await present(client), name)) as gateway:
        answers = [
            to_json(await gateway.infer(ENDPOINT, from_json({"query": [query]}), timeout=30.0))
            for query in QUERIES[:3]
        ]
    async for samples in client.samples():
        print(listing(pods, samples, time.time()))
        break
    for query, answer in zip(QUERIES, answers, strict=False):
        print(f"\n{query}\n{json.dumps(answer, indent=2)}")


async def _end(client: Client, name: str, started: bool) -> bool:
    """Close the demo, and the engine too when it was started for it; whether the engine ends."""
    await client.down([name])
    ends = started and not (await present(client)).topologies
    if ends:
        await client.shutdown()
    return ends


@contextmanager
def traffic(home: Home, name: str) -> Iterator[None]:
    """A little load while the body runs; it ends with us, however we end, since it watches its input."""
    command = [sys.executable, "-m", "quarterdeck.tui.cli.traffic", str(home.socket), name]
    source = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        assert source.stdin is not None
        source.stdin.close()
        source.wait()
