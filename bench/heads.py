"""Throughput of a head, 32 requests in flight, beside a worker asked directly and a plain grpc.aio proxy."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from quarterdeck.engine.model import PodStatus, Role
from quarterdeck.engine.spec.topology import DeploymentSpec, Polling, Topology
from quarterdeck.engine.wire.channel import bytes_call, open_channel
from quarterdeck.engine.wire.inference_pb2 import ModelInferRequest
from quarterdeck.engine.wire.names import INFER, model_of
from quarterdeck.engine.wire.tensors import put_inputs

from .bytecode import ROOT
from .engine import running_engine
from .processes import Children, cpu_seconds, first_word
from .session import Failed, Session, median
from .starting import ECHO
from .table import Table, milliseconds, ratio

IN_FLIGHT, CHANNELS = 32, 4
SHARDS, REPLICAS = 2, 2
ROUNDS, SECONDS = 3, 1.0
ALL = "/all"
PEER = "from bench.peers.byte_proxy import main; main({{fd}}, {shards!r}, {scatters})"


@dataclass(frozen=True, slots=True)
class Load:
    """One second of load."""

    rate: float
    """Requests a second."""
    p50: float
    p99: float
    """Seconds."""
    router_cpu: float
    worker_cpu: float
    client_cpu: float
    """CPU seconds a request."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where requests go, and whose CPU they cost."""

    port: int
    endpoint: str
    router: int | None
    workers: tuple[int, ...]


def request_of(endpoint: str) -> bytes:
    request = ModelInferRequest(model_name=model_of(endpoint), id="1")
    put_inputs(request, {"x": ["twelve bytes"]})
    return request.SerializeToString()


async def _load(way: Way) -> Load:
    """Keep the requests in flight for the time; every answer must be the first one's bytes."""
    channels = [open_channel(f"127.0.0.1:{way.port}") for _ in range(CHANNELS)]
    calls = [bytes_call(channel, INFER) for channel in channels]
    request = request_of(way.endpoint)
    for call in calls:
        expected = await call(request, timeout=10.0)
    taken: list[float] = []

    def costs() -> tuple[float, float, float]:
        router = cpu_seconds(way.router) if way.router else 0.0
        return router, sum(map(cpu_seconds, way.workers)), time.process_time()

    async def one_after_another(number: int) -> None:
        call = calls[number % CHANNELS]
        while (sent := time.perf_counter()) < end:
            if await call(request) != expected:
                raise Failed("an answer is not what the first one was")
            taken.append(time.perf_counter() - sent)

    before, begun = costs(), time.perf_counter()
    end = begun + SECONDS
    await asyncio.gather(*(one_after_another(number) for number in range(IN_FLIGHT)))
    wall, after = time.perf_counter() - begun, costs()
    await asyncio.gather(*(channel.close() for channel in channels))
    taken.sort()
    count = len(taken)
    router, workers, client = ((late - early) / count for early, late in zip(before, after, strict=True))
    return Load(count / wall, taken[count // 2], taken[count * 99 // 100], router, workers, client)


async def heads(session: Session) -> list[Table]:
    """ANY and ALL over two shards of two replicas."""
    polling = {"*": Polling.ANY, ALL: Polling.ALL}
    spec = DeploymentSpec("echo", ECHO, shards=SHARDS, replicas=REPLICAS, polling=polling, grace=1.0)
    async with running_engine() as engine:
        pods = await engine.up(Topology("bench", (spec,), None))
        with Children(engine.env, ROOT) as peers:
            works = await _ways(pods, peers)
            found = await session.interleave("heads", ROUNDS, works)
    return [_table(found)]


async def _ways(pods: Sequence[PodStatus], peers: Children) -> dict[str, Callable[[], Awaitable[Load]]]:
    head = next(pod for pod in pods if pod.role is Role.HEAD)
    workers = [pod for pod in pods if pod.role is Role.WORKER]
    pids = tuple(pod.pid for pod in workers if pod.pid is not None)
    shards = json.dumps([[pod.address for pod in workers if pod.shard == shard] for shard in range(SHARDS)])
    ports = []
    for scatters in (False, True):
        code = PEER.format(shards=shards, scatters=scatters)
        ports.append(int(await first_word(peers.start(sys.executable, "-c", code))))
    assert head.port is not None
    assert workers[0].port is not None
    ways = {
        "one worker, no head": Way(workers[0].port, "/", None, pids[:1]),
        "ANY grpc.aio byte proxy": Way(ports[0], "/", peers.pids[0], pids),
        "ANY quarterdeck head": Way(head.port, "/", head.pid, pids),
        "ALL grpc.aio byte proxy": Way(ports[1], ALL, peers.pids[1], pids),
        "ALL quarterdeck head": Way(head.port, ALL, head.pid, pids),
    }
    return {what: partial(_load, way) for what, way in ways.items()}


def _table(found: dict[str, list[Load]]) -> Table:
    table = Table(
        f"head over {SHARDS} shards x {REPLICAS} replicas, {IN_FLIGHT} in flight, 12 bytes",
        ("what", "req/s", "ratio", "p50 ms", "p99 ms", "head us/req", "ratio", "workers us", "client us"),
    )
    middles = {
        what: Load(*(median(getattr(one, name) for one in loads) for name in Load.__slots__))
        for what, loads in found.items()
    }
    for what, one in middles.items():
        peer = middles.get(f"{what[:3]} grpc.aio byte proxy")
        table.add(
            what,
            f"{one.rate:.0f}",
            ratio(one.rate, peer.rate) if peer else "-",
            milliseconds(one.p50),
            milliseconds(one.p99),
            f"{one.router_cpu * 1e6:.0f}" if peer else "-",
            ratio(one.router_cpu, peer.router_cpu) if peer else "-",
            f"{one.worker_cpu * 1e6:.0f}",
            f"{one.client_cpu * 1e6:.0f}",
        )
    table.notes.append(
        "ratio: to the proxy of the same polling; us: CPU a request. Load and pods share the cores"
    )
    return table
