"""No request lost while a topology is changed: rolling restarts, other numbers of replicas, workers killed in turn.

At least 2,000 requests, 32 in flight, each with its own payload, no retry in the client; load goes on until the change
is done. Where pods end because they are asked to, nothing may be sent twice either: `idempotent: false`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.e2e.engines import Engine, until, write
from tests.e2e.test_load import EXECUTOR, IN_FLIGHT, TOTAL

from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.tensors import to_json

SHARDED = "{name: a, uses: 'echo.py:Echo', shards: 2, replicas: 3, polling: ALL, idempotent: false}"
REPLICATED = "{name: a, uses: 'echo.py:Echo', replicas: 3, idempotent: false}"
TWO_SHARDS = "{name: a, uses: 'echo.py:Echo', shards: 2, replicas: 2, idempotent: false}"


async def loaded(address: str, copies: int, work: Callable[[], Awaitable[Any]]) -> None:
    """Do the work while requests are in flight, from a quarter of them on; each must come back once, as it went."""
    answered: dict[int, list[str]] = {}
    warm, done = asyncio.Event(), asyncio.Event()
    sent = 0

    async def one_lane(client: InferenceClient) -> None:
        nonlocal sent
        while sent < TOTAL or not done.is_set():
            number, sent = sent, sent + 1
            answer = await client.infer("/", {"id": [f"request {number}"]}, timeout=60.0)
            assert number not in answered
            answered[number] = to_json(answer)["id"]
            if len(answered) >= TOTAL // 4:
                warm.set()

    async def change() -> None:
        await warm.wait()
        try:
            await work()
        finally:
            done.set()

    async with InferenceClient(address) as client:
        await asyncio.gather(change(), *(one_lane(client) for _ in range(IN_FLIGHT)))
    assert sent >= TOTAL
    assert answered == {number: [f"request {number}"] * copies for number in range(sent)}


def up(engine: Engine, tmp_path: Path, deployment: str) -> str:
    write(tmp_path / "echo.py", EXECUTOR)
    engine.qd("up", "-d", write(tmp_path / "e.yml", f"name: e\ndeployments:\n  - {deployment}\n"))
    return f"127.0.0.1:{engine.ps()['e/gateway']['port']}"


def workers(engine: Engine) -> dict[str, dict[str, Any]]:
    return {name: row for name, row in engine.ps().items() if "/rep-" in name}


def test_a_rolling_restart_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    address = up(engine, tmp_path, SHARDED)
    before = workers(engine)
    asyncio.run(loaded(address, 2, lambda: asyncio.to_thread(engine.qd, "restart", "--rolling", "e/a")))
    after = workers(engine)
    assert len(after) == 6
    for name, row in after.items():
        assert (row["restarts"], row["port"]) == (1, before[name]["port"])


def test_a_scale_up_and_down_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    address = up(engine, tmp_path, REPLICATED)
    before = workers(engine)

    async def scale() -> None:
        for number in (5, 2):
            await asyncio.to_thread(engine.qd, "scale", f"e/a={number}")

    asyncio.run(loaded(address, 1, scale))
    after = workers(engine)
    assert sorted(after) == ["e/a/rep-0", "e/a/rep-1"]
    assert all(row["pid"] == before[name]["pid"] for name, row in after.items())


def test_a_changed_file_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    address = up(engine, tmp_path, REPLICATED)
    changed = write(
        tmp_path / "e.yml", f"name: e\ndeployments:\n  - {REPLICATED.replace('}', ', env: {A: b}}')}\n"
    )
    asyncio.run(loaded(address, 1, lambda: asyncio.to_thread(engine.qd, "up", "-d", changed)))
    assert [row["restarts"] for row in workers(engine).values()] == [1, 1, 1]


def test_a_head_that_goes_and_comes_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    """The pods behind it wait until it has sent them all that it had."""
    address = up(engine, tmp_path, TWO_SHARDS)

    async def change() -> None:
        for deployment in (REPLICATED, TWO_SHARDS):
            file = write(tmp_path / "e.yml", f"name: e\ndeployments:\n  - {deployment}\n")
            await asyncio.to_thread(engine.qd, "up", "-d", file)

    asyncio.run(loaded(address, 1, change))
    assert sorted(engine.ps()) == [
        "e/a/head",
        *(f"e/a/shard-{s}/rep-{r}" for s in (0, 1) for r in (0, 1)),
        "e/gateway",
    ]


def test_every_worker_killed_in_turn_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    address = up(engine, tmp_path, SHARDED.replace(", idempotent: false", ""))

    async def kill() -> None:
        for name, row in (await asyncio.to_thread(workers, engine)).items():
            os.kill(row["pid"], signal.SIGKILL)
            await asyncio.to_thread(until, partial(back, engine, name), f"{name} is back")

    asyncio.run(loaded(address, 2, kill))
    assert [row["restarts"] for row in workers(engine).values()] == [1] * 6


def back(engine: Engine, name: str) -> bool:
    row = engine.ps()[name]
    return bool(row["restarts"] == 1 and row["ready"])
