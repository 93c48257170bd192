"""No request lost: counted, with unique payloads, 32 in flight, no retry in the client, while pods are killed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.e2e.engines import Engine, until, write

from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.tensors import to_json

EXECUTOR = """
import time
from quarterdeck import Executor, requests

class Echo(Executor):
    @requests
    async def echo(self, tensors):
        import asyncio
        await asyncio.sleep(0.005)
        return tensors
"""
TOTAL, IN_FLIGHT = 2_000, 32


async def load(address: str, half: asyncio.Event) -> list[str]:
    """Send TOTAL requests, IN_FLIGHT at a time; the answers in the order of the requests."""
    answers: list[str] = [""] * TOTAL
    numbers = iter(range(TOTAL))
    done = 0

    async def one_lane(client: InferenceClient) -> None:
        nonlocal done
        for number in numbers:
            answer = await client.infer("/", {"id": [f"request {number}"]}, timeout=60.0)
            assert answers[number] == "", "answered twice"
            answers[number] = to_json(answer)["id"][0]
            done += 1
            if done == TOTAL // 4:
                half.set()

    async with InferenceClient(address) as client:
        await asyncio.gather(*(one_lane(client) for _ in range(IN_FLIGHT)))
    return answers


async def under_load(engine: Engine, gateway: dict[str, object], victim: int) -> None:
    half = asyncio.Event()
    loading = asyncio.create_task(load(f"{gateway['host']}:{gateway['port']}", half))
    await half.wait()
    os.kill(victim, signal.SIGKILL)
    answers = await loading
    assert answers == [f"request {number}" for number in range(TOTAL)]


def up(engine: Engine, tmp_path: Path, deployment: str) -> dict[str, dict[str, object]]:
    write(tmp_path / "echo.py", EXECUTOR)
    engine.qd("up", "-d", write(tmp_path / "e.yml", f"name: e\ndeployments:\n  - {deployment}\n"))
    return engine.ps()


def comes_back(engine: Engine, name: str, before: dict[str, object]) -> None:
    until(lambda: engine.ps()[name]["restarts"] == 1 and engine.ps()[name]["ready"], f"{name} is back")
    assert engine.ps()[name]["port"] == before["port"]


def test_replica_behind_a_head_killed_under_load(engine: Engine, tmp_path: Path) -> None:
    pods = up(engine, tmp_path, "{name: a, uses: 'echo.py:Echo', shards: 2, replicas: 2, polling: ANY}")
    victim = pods["e/a/shard-0/rep-0"]
    asyncio.run(under_load(engine, pods["e/gateway"], int(str(victim["pid"]))))
    comes_back(engine, "e/a/shard-0/rep-0", victim)


def test_replica_behind_the_gateway_killed_under_load(engine: Engine, tmp_path: Path) -> None:
    pods = up(engine, tmp_path, "{name: a, uses: 'echo.py:Echo', replicas: 3}")
    victim = pods["e/a/rep-1"]
    asyncio.run(under_load(engine, pods["e/gateway"], int(str(victim["pid"]))))
    comes_back(engine, "e/a/rep-1", victim)


def test_head_killed_under_load(engine: Engine, tmp_path: Path) -> None:
    pods = up(engine, tmp_path, "{name: a, uses: 'echo.py:Echo', shards: 2, replicas: 2, polling: ANY}")
    victim = pods["e/a/head"]
    asyncio.run(under_load(engine, pods["e/gateway"], int(str(victim["pid"]))))
    comes_back(engine, "e/a/head", victim)
