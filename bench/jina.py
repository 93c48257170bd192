"""Beside Jina 3.34, each with its own script for the same topology: from the command to all ready, and the head."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from quarterdeck.engine.model import Role
from quarterdeck.engine.spec.topology import DeploymentSpec, Polling, Topology
from quarterdeck.engine.wire.channel import bytes_call, open_channel
from quarterdeck.engine.wire.names import INFER

from .bytecode import ROOT, child_environment
from .engine import own_home, running_engine
from .heads import ALL, CHANNELS, IN_FLIGHT, request_of
from .processes import cpu_seconds, first_word
from .session import Failed, Session, median
from .starting import ECHO, Took, cold_up
from .table import Table, milliseconds, ratio

PYTHON = ROOT / ".peers" / "jina" / "bin" / "python"
SERVER = ROOT / "bench" / "peers" / "jina_server.py"
SCRIPT = ROOT / "bench" / "peers" / "our_script.py"
SIZES = ((1, 32), (2, 16))
FILE = "name: bench\ndeployments:\n  - {{name: e, uses: {uses}, shards: {shards}, replicas: {replicas}}}\n"
SECONDS = 2.0
QUIET = {
    "JINA_HIDE_SURVEY": "1",
    "JINA_OPTOUT_TELEMETRY": "1",
    "JINA_LOG_NO_COLOR": "1",
    "JINA_LOG_LEVEL": "ERROR",
}


@contextlib.contextmanager
def script(*command: str, env: dict[str, str]) -> Iterator[int]:
    """A script that runs until the body is left; the descriptor of its first line. `{fd}` is its own end's number."""
    reading, writing = os.pipe()
    words = [word.replace("{fd}", str(writing)) for word in command]
    process = subprocess.Popen(
        words,
        env=env | QUIET,
        cwd=ROOT,
        pass_fds=(writing,),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        yield reading
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def jina(kind: str, shards: int, replicas: int, polling: str) -> tuple[str, ...]:
    if not PYTHON.exists():
        raise Failed("Jina is measured beside us and is not there; set it up with: tools/peers.sh")
    return (str(PYTHON), "-W", "ignore", str(SERVER), "{fd}", kind, str(shards), str(replicas), polling)


async def _start(home: Path, *command: str) -> Took:
    """From the script's start to its word that all is ready."""
    begun = time.perf_counter()
    with script(*command, env=child_environment(home)) as word:
        await first_word(word)
        return Took(time.perf_counter() - begun)


async def jina_start(session: Session) -> list[Table]:
    """Gateway, head where there are shards, and 32 workers: command start to all ready."""
    table = Table(
        "from the command to all ready, gateway included", ("what", "shards x replicas", "ms", "ratio")
    )
    with own_home() as home:
        for shards, replicas in SIZES:
            file = home / "bench.yml"
            file.write_text(FILE.format(uses=ECHO, shards=shards, replicas=replicas))
            ours = (sys.executable, str(SCRIPT), "{fd}", str(shards), str(replicas))
            peer = "Jina 3.34, its own script"
            works: dict[str, Callable[[], Awaitable[Took]]] = {
                "quarterdeck, its own script": partial(_start, home, *ours),
                "qd up -d, no engine yet": partial(cold_up, home, file),
                peer: partial(_start, home, *jina("flow", shards, replicas, "ANY")),
            }
            found = await session.interleave(f"jina-{shards}x{replicas}", 5, works)
            against = median(one.seconds for one in found[peer])
            for what, times in found.items():
                middle = median(one.seconds for one in times)
                table.add(what, f"{shards} x {replicas}", milliseconds(middle), ratio(middle, against))
    table.notes.append("ratio: to Jina in the same run; a bare script imports nothing but its own framework")
    return [table]


@dataclass(frozen=True, slots=True)
class Rate:
    """Some seconds of load."""

    rate: float
    p50: float
    p99: float
    """Seconds."""
    head_cpu: float
    """CPU seconds a request."""


async def _load(port: int, method: str, request: bytes, head: int) -> Rate:
    """The same client for both: bytes that were made before, 32 in flight."""
    channels = [open_channel(f"127.0.0.1:{port}") for _ in range(CHANNELS)]
    calls = [bytes_call(channel, method) for channel in channels]
    for call in calls:
        await call(request, timeout=10.0)
    taken: list[float] = []
    before, begun = cpu_seconds(head), time.perf_counter()
    end = begun + SECONDS

    async def one_after_another(number: int) -> None:
        call = calls[number % CHANNELS]
        while (sent := time.perf_counter()) < end:
            if not await call(request):
                raise Failed("an empty answer")
            taken.append(time.perf_counter() - sent)

    await asyncio.gather(*(one_after_another(number) for number in range(IN_FLIGHT)))
    wall, cpu = time.perf_counter() - begun, cpu_seconds(head) - before
    await asyncio.gather(*(channel.close() for channel in channels))
    taken.sort()
    count = len(taken)
    return Rate(count / wall, taken[count // 2], taken[count * 99 // 100], cpu / count)


async def jina_heads(session: Session) -> list[Table]:
    """A head over 2 shards of 2 replicas, `ANY` and `ALL`; client, head and workers share the cores."""
    table = Table(
        f"head over 2 x 2, {IN_FLIGHT} in flight, one text of 12 bytes",
        ("what", "req/s", "ratio", "p50 ms", "p99 ms", "head us/req", "ratio"),
    )
    polling = {"*": Polling.ANY, ALL: Polling.ALL}
    spec = DeploymentSpec("echo", ECHO, shards=2, replicas=2, polling=polling, grace=1.0)
    async with running_engine() as engine:
        pods = await engine.up(Topology("bench", (spec,), None))
        head = next(pod for pod in pods if pod.role is Role.HEAD)
        assert head.port is not None
        assert head.pid is not None
        for word, endpoint in (("ANY", "/"), ("ALL", ALL)):
            with script(*jina("deployment", 2, 2, word), env=engine.env) as said:
                peer = json.loads(await first_word(said))
                request = bytes.fromhex(peer["request"])
                works: dict[str, Callable[[], Awaitable[Rate]]] = {
                    f"{word} quarterdeck": partial(_load, head.port, INFER, request_of(endpoint), head.pid),
                    f"{word} Jina 3.34": partial(_load, peer["port"], peer["method"], request, peer["head"]),
                }
                found = await session.interleave(f"jina-head-{word}", 3, works)
            _add(table, found, f"{word} Jina 3.34")
    table.notes.append(
        "ratio: to Jina's head in the same run, each fed its own protocol's bytes by the same client"
    )
    return [table]


def _add(table: Table, found: dict[str, list[Rate]], peer: str) -> None:
    middles = {
        what: Rate(*(median(getattr(one, name) for one in rates) for name in Rate.__slots__))
        for what, rates in found.items()
    }
    against = middles[peer]
    for what, one in middles.items():
        table.add(
            what,
            f"{one.rate:.0f}",
            ratio(one.rate, against.rate),
            milliseconds(one.p50),
            milliseconds(one.p99),
            f"{one.head_cpu * 1e6:.0f}",
            ratio(one.head_cpu, against.head_cpu),
        )
