"""Starts real pods, each in a process of its own, and ends them all."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarterdeck.engine.plan.job import Job
from quarterdeck.engine.plan.routes import SET_ROUTES, Node, Replica, Routes
from quarterdeck.engine.wire.channel import bytes_call, open_channel
from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.way import Way, way_of

EXECUTORS = Path(__file__).with_name("executors.py")
DEADLINE = 30.0


@dataclass
class LivePod:
    """A pod's process and what it said when it was ready."""

    job: Job
    process: subprocess.Popen[bytes]
    ready_fd: int
    log: Path
    run: int = 1
    said: dict[str, Any] = field(default_factory=dict)

    def word(self) -> dict[str, Any]:
        """The line on the ready pipe; waits for it."""
        if not self.said:
            readable, _, _ = select.select([self.ready_fd], [], [], DEADLINE)
            assert readable, f"{self.job.name} said nothing; its log: {self.log.read_text()}"
            with open(self.ready_fd, "rb") as pipe:
                text = pipe.read()
            assert text, f"{self.job.name} ended without a word; its log: {self.log.read_text()}"
            self.said = json.loads(text)
        return self.said

    @property
    def port(self) -> int:
        return int(self.word()["port"])

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def replica(self) -> Replica:
        return Replica(self.job.name, self.address, self.run)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(DEADLINE)

    @property
    def way(self) -> Way:
        """How it is spoken to: as its job says."""
        cert = self.job.ssl_certfile
        return way_of(bool(cert), cert, cert, token=self.job.token)

    def client(self) -> InferenceClient:
        return InferenceClient(self.address)


class Gate:
    """Two named pipes to a `Gated` executor: it notes what happens, and waits until the test opens."""

    def __init__(self, folder: Path, name: str) -> None:
        self.way, self.notes = folder / f"{name}.gate", folder / f"{name}.notes"
        os.mkfifo(self.way)
        os.mkfifo(self.notes)
        # Both ends, so that neither side waits for the other to open.
        self._way = os.open(self.way, os.O_RDWR)
        self._notes = os.open(self.notes, os.O_RDWR | os.O_NONBLOCK)
        self._read = ""

    async def noted(self, text: str) -> None:
        """Return once the executor has noted this."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(DEADLINE):
            while text not in self._read:
                more = asyncio.Event()
                loop.add_reader(self._notes, more.set)
                await more.wait()
                loop.remove_reader(self._notes)
                self._read += os.read(self._notes, 4096).decode()

    def open(self) -> None:
        """Let one waiting sync request go on."""
        os.write(self._way, b"1")

    def close(self) -> None:
        os.close(self._way)
        os.close(self._notes)


class House:
    """All pods of one test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environ = dict(os.environ)
        """Of all pods that are started from now on."""
        self._pods: list[LivePod] = []
        self._gates: list[Gate] = []
        self._versions = 0

    def start(self, name: str, uses: str | None = None, run: int = 1, **more: Any) -> LivePod:
        """Start a pod without waiting; `uses` is a class of `executors.py`, or `path:Class`."""
        if uses is not None and ":" not in uses and "." not in uses:
            uses = f"{EXECUTORS}:{uses}"
        given = {
            "mark": f"{len(self._pods):016x}",
            "topology": "test",
            "name": name,
            "deployment": name.partition("/")[0],
            "role": "worker",
            "host": "127.0.0.1",
            "port": 0,
            "uses": uses,
            "workspace": str(self._folder),
            "cwd": str(self._folder),
        }
        job = Job(**{**given, **more})
        log = self._folder / f"{len(self._pods)}.log"
        job_read, job_write = os.pipe()
        ready_read, ready_write = os.pipe()
        os.write(job_write, job.dump())
        os.close(job_write)
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "quarterdeck.engine.pods.main", str(job_read), str(ready_write)],
                pass_fds=(job_read, ready_write),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env=self.environ,
            )
        os.close(job_read)
        os.close(ready_write)
        pod = LivePod(job, process, ready_read, log, run)
        self._pods.append(pod)
        return pod

    def workers(self, deployment: str, uses: str | None, shards: int, replicas: int) -> list[list[LivePod]]:
        """Workers by shard; not waited for."""
        return [
            [
                self.start(
                    f"{deployment}/shard-{shard}/rep-{replica}",
                    uses,
                    shard=shard,
                    replica=replica,
                    shards=shards,
                )
                for replica in range(replicas)
            ]
            for shard in range(shards)
        ]

    def gated(self, name: str, **more: Any) -> tuple[LivePod, Gate]:
        """A worker whose requests wait, and the gate that lets them go on."""
        gate = Gate(self._folder, str(len(self._pods)))
        self._gates.append(gate)
        ways = {"gate": str(gate.way), "notes": str(gate.notes)}
        return self.start(name, "Gated", uses_with=ways, **more), gate

    async def route(self, router: LivePod, *nodes: Node, version: int | None = None) -> None:
        """Put a table in force, newer than all before unless a version is given."""
        self._versions += 1
        table = Routes(self._versions if version is None else version, nodes)
        channel = open_channel(router.address, router.way)
        try:
            await bytes_call(channel, SET_ROUTES)(table.dump(), timeout=DEADLINE, metadata=router.way.pairs)
        finally:
            await channel.close()

    def close(self) -> None:
        for pod in self._pods:
            if pod.process.poll() is None:
                pod.process.kill()
        for pod in self._pods:
            pod.process.wait()
            if not pod.said:
                os.close(pod.ready_fd)
        for gate in self._gates:
            gate.close()


def node(name: str, shards: Sequence[Sequence[LivePod | Replica]], **more: Any) -> Node:
    """A node of live pods, or of whoever is at an address; all else is as for a deployment without extras."""
    given: dict[str, Any] = {
        "needs": (),
        "polling": {"*": "ANY"},
        "shards": tuple(tuple(_replica(pod) for pod in shard) for shard in shards),
        "timeout_send": DEADLINE,
    }
    for end in ("before", "after"):
        if isinstance(more.get(end), LivePod):
            more |= {end: more[end].replica, f"has_{end}": True}
    return Node(name, **{**given, **more})


def _replica(pod: LivePod | Replica) -> Replica:
    return pod.replica if isinstance(pod, LivePod) else pod
