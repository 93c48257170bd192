"""Starting pods: from the wish to the health answer of all, and what each costs then."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from quarterdeck.engine.control import Verb
from quarterdeck.engine.model import PodStatus
from quarterdeck.engine.spec.topology import DeploymentSpec, Topology
from quarterdeck.engine.supervise.health import check

from .bytecode import ROOT, child_environment
from .engine import LiveEngine, own_home, running_engine
from .processes import Children, Memory, cpu_seconds, first_word, memory
from .session import Failed, Session, median
from .table import Table, megabytes, milliseconds, ratio

ECHO = f"{ROOT / 'bench' / 'executors.py'}:Echo"
PEER = "from bench.peers.health_pod import main; main({fd})"
BARE = "import os, signal; os.write({fd}, b'0'); signal.pause()"
COLD_FILE = "name: bench\ngateway: none\ndeployments:\n  - name: echo\n    uses: {uses}\n"
SIZES = (1, 16, 64)
ROUNDS = {1: 7, 16: 5, 64: 3}
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Started:
    """One start of a number of pods."""

    seconds: float
    pod_cpu: float
    """CPU seconds of one pod until all are ready."""
    starter_cpu: float
    """CPU seconds for each pod of those that start and probe it."""
    uss: float
    pss: float
    """Bytes a pod, when all are ready."""


def topology(replicas: int) -> Topology:
    """That many pods side by side, without head or gateway."""
    return Topology("bench", (DeploymentSpec("echo", ECHO, replicas=replicas, grace=1.0),), None)


async def start_ours(engine: LiveEngine, count: int) -> Started:
    """From `up` to all ready, on an engine that runs."""
    keepers = (engine.info.pid, engine.keeper_pid)
    before = sum(map(cpu_seconds, keepers)) + time.process_time()
    begun = time.perf_counter()
    pods = await engine.up(topology(count))
    seconds = time.perf_counter() - begun
    starter = sum(map(cpu_seconds, keepers)) + time.process_time() - before
    if len(pods) != count:
        raise Failed(f"asked for {count} pods, found {len(pods)}")
    pids = [_forked(pod) for pod in pods]
    started = _started(seconds, starter, pids)
    await engine.client.down(["bench"])
    return started


async def start_fresh(code: str, probed: bool, count: int, flags: tuple[str, ...] = ()) -> Started:
    """The same for fresh interpreters, all started at once, each health-checked when it says its port."""
    with own_home() as home, Children(child_environment(home), ROOT) as children:
        before, begun = time.process_time(), time.perf_counter()
        pipes = [children.start(sys.executable, *flags, "-c", code) for _ in range(count)]
        await asyncio.gather(*(_until_ready(pipe, probed) for pipe in pipes))
        seconds = time.perf_counter() - begun
        return _started(seconds, time.process_time() - before, children.pids)


async def _until_ready(pipe: int, probed: bool) -> None:
    word = await first_word(pipe)
    if probed:
        found = await check("127.0.0.1", int(word))
        if not found.ok:
            raise Failed(f"a peer's pod is not well: {found.answer}")


def _started(seconds: float, starter: float, pids: list[int]) -> Started:
    cpu = sum(map(cpu_seconds, pids))
    used: Memory = memory(pids)
    count = len(pids)
    return Started(seconds, cpu / count, starter / count, used.uss, used.pss)


def _forked(pod: PodStatus) -> int:
    """The pod's pid. Raises `Failed` where it runs in an interpreter of its own: then the keeper was not measured."""
    shown = Path(f"/proc/{pod.pid}/cmdline").read_bytes() if pod.pid else b""
    if not shown.startswith(b"qd: ") or pod.pid is None:
        raise Failed(f"{pod.name} was not forked by the keeper; its command is {shown!r}")
    return pod.pid


async def pods(session: Session) -> list[Table]:
    """Each size in turn, ours and fresh interpreters."""
    table = Table(
        "start of N pods: from the wish to the health answer of all (engine and keeper are up)",
        ("what", "pods", "ms", "ratio", "CPU bound", "CPU ms/pod", "+ starter", "USS MB", "ratio", "PSS MB"),
    )
    async with running_engine() as engine:
        for count in SIZES:
            works: dict[str, Callable[[], Awaitable[Started]]] = {
                "quarterdeck": partial(start_ours, engine, count),
                "fresh grpc.aio + protobuf": partial(start_fresh, PEER, True, count),
                "fresh bare interpreter": partial(start_fresh, BARE, False, count, ("-I", "-S")),
            }
            found = await session.interleave(f"pods-{count}", ROUNDS[count], works)
            peer = _middle(found["fresh grpc.aio + protobuf"])
            for what, starts in found.items():
                _add(table, what, count, _middle(starts), peer)
        once = [megabytes(memory([pid]).uss) for pid in (engine.info.pid, engine.keeper_pid)]
    table.notes += [
        "ratio: to the fresh grpc.aio pods of the same run; CPU bound: wall time over (all CPU / cores)",
        "+ starter: CPU of engine, keeper and client (fresh: of the parent) for each pod",
        f"beside the pods there is one engine ({once[0]} MB USS) and one keeper ({once[1]} MB USS)",
    ]
    return [table]


def _middle(starts: list[Started]) -> Started:
    return Started(*(median(getattr(one, name) for one in starts) for name in Started.__slots__))


def _add(table: Table, what: str, count: int, one: Started, peer: Started) -> None:
    bound = count * (one.pod_cpu + one.starter_cpu) / min(CORES, count)
    table.add(
        what,
        str(count),
        milliseconds(one.seconds),
        ratio(one.seconds, peer.seconds),
        f"{one.seconds / bound:.1f}",
        milliseconds(one.pod_cpu),
        milliseconds(one.starter_cpu),
        megabytes(one.uss),
        ratio(one.uss, peer.uss),
        megabytes(one.pss),
    )


@dataclass(frozen=True, slots=True)
class Took:
    """One wall time."""

    seconds: float


async def _fresh_one() -> Took:
    return Took((await start_fresh(PEER, True, 1)).seconds)


async def cold(session: Session) -> list[Table]:
    """Command, engine, keeper and one pod from nothing; then restarts on an engine that runs."""
    table = Table("cold start and restart of one pod", ("what", "ms", "ratio"))
    with own_home() as home:
        file = home / "topology.yml"
        file.write_text(COLD_FILE.format(uses=ECHO))
        works: dict[str, Callable[[], Awaitable[Took]]] = {
            "qd up -d: engine, keeper and one pod": partial(cold_up, home, file),
            "fresh grpc.aio + protobuf, one pod": _fresh_one,
        }
        found = await session.interleave("cold", 5, works)
    async with running_engine() as engine:
        (_, victim) = await engine.up(topology(2))
        works = {"restart of one replica": partial(_restart, engine, victim), "fresh again": _fresh_one}
        again = await session.interleave("restart", 7, works)
    fresh = found["fresh grpc.aio + protobuf, one pod"]
    fresh += again.pop("fresh again")
    for what, times in (found | again).items():
        middle, peer = (median(one.seconds for one in some) for some in (times, fresh))
        table.add(what, milliseconds(middle), ratio(middle, peer))
    table.notes.append(
        "ratio: to the fresh grpc.aio pod of the same run; a restart includes the old run's end"
    )
    return [table]


async def cold_up(home: Path, file: Path) -> Took:
    env = child_environment(home)
    begun = time.perf_counter()
    await asyncio.to_thread(_qd, env, "up", "-d", str(file))
    seconds = time.perf_counter() - begun
    await asyncio.to_thread(_qd, env, "engine", "stop")
    return Took(seconds)


def _qd(env: dict[str, str], *words: str) -> None:
    command = [str(Path(sys.executable).with_name("qd")), *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise Failed(f"qd {' '.join(words)} failed: {done.stderr.strip()}")


async def _restart(engine: LiveEngine, victim: PodStatus) -> Took:
    """From the wish to a ready pod of a new run, on its old port."""
    fleets = engine.client.watch()
    old = (await anext(fleets)).by_key[victim.key]
    begun = time.perf_counter()
    await engine.client.act(Verb.RESTART, [victim.key])
    async for fleet in fleets:
        pod = fleet.by_key[victim.key]
        if pod.ready and pod.run > old.run:
            seconds = time.perf_counter() - begun
            if (pod.port, pod.pid == old.pid) != (old.port, False):
                raise Failed(f"{pod.name} is not the old one anew: {old} became {pod}")
            return Took(seconds)
    raise Failed("the engine ended meanwhile")
