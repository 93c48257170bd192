"""`python -m bench [NAME…]`: runs benchmarks, prints each as a table, keeps the raw results in bench/results/."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from .bytecode import NoBytecode, ensure_compiled, undo_caller_settings
from .session import Failed, Session, describe, machine
from .table import Table

Bench = Callable[[Session], Awaitable[list[Table]]]

# Name to module, and what it measures; a module is loaded once its peers are known to be there.
BENCHES = {
    "pods": ("starting", "1, 16 and 64 pods to ready, and their memory, beside fresh interpreters"),
    "cold": ("starting", "`qd up -d` with no engine yet, and the restart of one replica"),
    "frame": ("console", "first frame of the console, beside a bare Textual app"),
    "commands": ("commands", "`qd ps` and other short commands, beside what Python itself takes"),
    "jina_start": ("jina", "1 x 32 and 2 x 16 from the command to all ready, beside Jina's own script"),
    "jina_heads": ("jina", "a head's ANY and ALL, beside Jina's head"),
    "heads": ("heads", "a head under load, beside a plain grpc.aio proxy"),
}
PEERS = ("grpc.aio", "google.protobuf", "textual.app", "pyte")
RESULTS = Path(__file__).with_name("results")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Benchmarks, each beside a floor or a peer measured in the same run.",
        epilog="\n".join(f"  {name:<10} {what}" for name, (_, what) in BENCHES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="*", metavar="NAME", help="which to run (default: all)")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each, instead of its own number")
    args = parser.parse_args()
    unknown = [name for name in args.name if name not in BENCHES]
    if unknown:
        parser.error(f"{unknown[0]} is not a benchmark; there are {', '.join(BENCHES)}")
    if args.rounds is not None and args.rounds < 1:
        parser.error(f"--rounds {args.rounds}: at least one round has to count")
    return args


def missing_peer() -> str | None:
    """Why a peer can't be measured, or None; a peer that is missing is a failure, never left out."""
    for name in PEERS:
        try:
            importlib.import_module(name)
        except ImportError as error:
            return (
                f"{name} is measured beside us and can't be imported ({error}); set it up with: make dev-env"
            )
    return None


def bench_of(name: str) -> Bench:
    found: Bench = getattr(importlib.import_module(f".{BENCHES[name][0]}", __package__), name)
    return found


async def run(names: Sequence[str], session: Session) -> int:
    """Run these; gives the number of those that failed."""
    from quarterdeck.engine.errors import QuarterdeckError

    failures = 0
    for name in names:
        begun = time.perf_counter()
        try:
            tables = await bench_of(name)(session)
        except (Failed, QuarterdeckError, OSError) as error:
            failures += 1
            print(f"\nbench: {name} failed: {error}", file=sys.stderr)
            continue
        for table in tables:
            print(f"\n{table}", flush=True)
        print(f"  ({name}: {time.perf_counter() - begun:.0f} s)", flush=True)
    return failures


def main() -> int:
    args = options()
    undo_caller_settings()
    trouble = missing_peer()
    if trouble is not None:
        print(f"bench: {trouble}", file=sys.stderr)
        return 1
    try:
        compiled = ensure_compiled()
    except NoBytecode as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    found = machine()
    print(f"{describe(found)}\nbytecode is there for all {compiled} sources, ours and the peers'")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
    with path.open("w") as file:
        session = Session(file, args.rounds)
        session.write({"bench": "machine", **found})
        failures = asyncio.run(run(args.name or list(BENCHES), session))
    print(f"\nraw results: {os.path.relpath(path)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
