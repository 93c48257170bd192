"""First frame of the console, from exec of `qd attach` to what a terminal shows, beside a bare Textual app."""

from __future__ import annotations

import platform
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .bytecode import ROOT, child_environment
from .engine import own_home, running_engine
from .session import Session, median
from .table import Table, milliseconds, ratio
from .terminal import seconds_until

ROUNDS = 7
MARK = "first frame"
BARE_APP = "from bench.peers.bare_app import main; main()"
BARE = f"import os, signal; os.write(1, b'{MARK}'); signal.pause()"
IMPORT = f"import os, signal, textual.app; os.write(1, b'{MARK}'); signal.pause()"
SHARDS = ("shard-0", "shard-1", "uses_after")
"""Stand in the tree as soon as the fleet has arrived."""
NO_ENGINE = ("no engine runs",)
"""Stands on the screen where nobody answers."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One start of a program in a terminal."""

    first: float
    """Seconds to the first frame."""
    full: float
    """Seconds until it says how things are: the pods, or that no engine runs; else the same."""
    bytes: int
    """Sent to the terminal until then."""


async def _show(marks: Sequence[Sequence[str]], command: Sequence[str], env: dict[str, str]) -> Shown:
    times, count = seconds_until(marks, command, env, ROOT)
    return Shown(times[0], times[-1], count)


async def frame(session: Session) -> list[Table]:
    """The console with nine pods and with no engine, a bare Textual app, its import, a bare interpreter."""
    qd = str(Path(sys.executable).with_name("qd"))
    bare = sys.executable
    host = (f" {platform.node()[:8]}",)  # stands in the top bar of the first picture
    async with running_engine() as engine:
        await engine.up_search()
        with own_home() as empty:
            env, nothing = engine.env, child_environment(empty)
            works: dict[str, Callable[[], Awaitable[Shown]]] = {
                "bare interpreter -I -S": partial(_show, [(MARK,)], [bare, "-I", "-S", "-c", BARE], env),
                "import textual.app": partial(_show, [(MARK,)], [bare, "-c", IMPORT], env),
                "bare Textual app": partial(_show, [(MARK,)], [bare, "-c", BARE_APP], env),
                "qd attach, no engine": partial(_show, [host, NO_ENGINE], [qd, "attach"], nothing),
                "qd attach, 9 pods": partial(_show, [host, SHARDS], [qd, "attach"], env),
            }
            found = await session.interleave("frame", ROUNDS, works)
    table = Table(
        "first frame of the console in a terminal of 120x40, from exec",
        ("what", "first ms", "ratio", "settled ms", "ratio", "kB sent"),
    )
    peer = median(one.first for one in found["bare Textual app"])
    for what, shows in found.items():
        first, full = (median(getattr(one, name) for one in shows) for name in ("first", "full"))
        ours = what.startswith("qd")
        table.add(
            what,
            milliseconds(first),
            ratio(first, peer),
            milliseconds(full) if ours else "-",
            ratio(full, peer) if ours else "-",
            f"{median(one.bytes for one in shows) / 1000:.1f}",
        )
    table.notes += [
        "ratio: to the bare Textual app; first: a picture with the host's name in its bar",
        "settled: the tree shows its shards, or the screen says that no engine runs; kB sent: until then",
    ]
    return [table]
