"""Fleets for tests of the console: the one of the design's pictures, and small ones."""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.engine.model import (
    DeploymentStatus,
    Event,
    Fleet,
    HostSample,
    Level,
    Phase,
    PodDetails,
    PodKey,
    PodStatus,
    Role,
    Runtime,
    Sample,
    Samples,
    TopologyStatus,
)

NOW = 1_792_000_000.0
DAY = 86_400.0


def pod(
    name: str, port: int | None = None, *, topology: str = "search", age: float = 3 * DAY, **more: object
) -> PodStatus:
    """A ready pod, its place read off its name."""
    deployment, _, rest = name.partition("/")
    role = Role.GATEWAY if name == "gateway" else Role.HEAD if rest == "head" else Role.WORKER
    parts = dict(part.rpartition("-")[::2] for part in rest.split("/") if "-" in part)
    fields: dict[str, object] = {
        "topology": topology, "name": name, "deployment": deployment, "role": role,
        "shard": int(parts["shard"]) if "shard" in parts else None,
        "replica": int(parts["rep"]) if "rep" in parts else None,
        "runtime": Runtime.PROCESS, "phase": Phase.READY, "port": port, "pid": 40_000 + (port or 0) % 1000,
        "run": 1, "started_at": NOW - age, "ready_at": NOW - age, "since": NOW - age,
    }  # fmt: skip
    return PodStatus(**(fields | more))  # type: ignore[arg-type]


def search_pods() -> Iterator[PodStatus]:
    """The ten pods of the pictures' first topology: one replica starting, one in backoff."""
    yield pod("gateway", 8080)
    yield pod("clean/rep-0", 52101)
    yield pod("clean/rep-1", 52102)
    yield pod("index/head", 52200)
    yield pod("index/uses_before-0", 52203)
    yield pod("index/uses_after-0", 52204)
    yield pod("index/shard-0/rep-0", 52205, gpu="0")
    yield pod(
        "index/shard-0/rep-1", 52206, gpu="1", age=14, phase=Phase.STARTING, reason="loading index 62%",
        restarts=1, run=2,
    )  # fmt: skip
    yield pod("index/shard-1/rep-0", 52207, gpu="2")
    yield pod(
        "index/shard-1/rep-1", 52208, gpu="3", age=8, phase=Phase.BACKOFF, reason="CUDA out of memory",
        restarts=5, run=5, next_try_at=NOW + 8, pid=None, exit_code=1,
    )  # fmt: skip


def search_fleet() -> Fleet:
    """`search` and a small `llm`, as in the pictures."""
    llm = [pod("gateway", 8081, topology="llm", age=21_600)]
    llm += [pod(f"chat/rep-{n}", 52310 + n, topology="llm", gpu=str(4 + n), age=21_600) for n in range(3)]
    return Fleet(
        revision=1,
        topologies=(
            TopologyStatus("search", "/home/you/search/topology.yml", "a1", NOW - 3 * DAY),
            TopologyStatus("llm", "/home/you/llm/topology.yml", "b2", NOW - 21_600),
        ),
        deployments=(
            DeploymentStatus("search", "clean", "clean.py:Clean", 1, 2),
            DeploymentStatus("search", "index", "index.py:Index", 2, 2, needs=("clean",), polling="ALL", port=52200),
            DeploymentStatus("llm", "chat", "chat.py:Chat", 1, 3),
        ),
        pods=(*search_pods(), *llm),
    )  # fmt: skip


def search_samples(fleet: Fleet) -> Samples:
    """Something measured for every pod that runs."""
    used = {
        each.key: Sample(12.0 + 11 * n % 97, (120 + 90 * n) * 1024 * 1024)
        for n, each in enumerate(fleet.pods)
        if each.pid is not None
    }
    return Samples(NOW, HostSample(31.0, 61 * 1024**3, 256 * 1024**3), used)


def failing_details() -> PodDetails:
    """Of the pod in backoff."""
    key = PodKey("search", "index/shard-1/rep-1")
    history = tuple(
        Event(n, NOW - 22 + 8 * n, Level.INFO, "search", key.name, text, phase)
        for n, (phase, text) in enumerate(
            (
                (Phase.STARTING, "attempt 4"),
                (Phase.BACKOFF, "exit 1, next try in 8s"),
                (Phase.STARTING, "attempt 5"),
                (Phase.BACKOFF, "exit 1, next try in 16s"),
            )
        )
    )  # fmt: skip
    return PodDetails(
        key=key,
        command="python -m quarterdeck.pods worker index.py:Index",
        workspace="/var/lib/quarterdeck/search/index/shard-1/rep-1",
        env=(
            ("CUDA_VISIBLE_DEVICES", "3"),
            ("INDEX_URI", "s3://corpora/news-2026"),
            ("AWS_SECRET_KEY", "masked"),
        ),
        probe="grpc health, every 2s, ready after 1",
        restart="on-failure, 0.5s to 30s",
        limits="memory 12G, grace 10s",
        attempts="5 in 31s, waits 0.5 1 2 4 8, now 16s",
        last_error="exit 1 after 3s: torch.OutOfMemoryError",
        log_end=(
            "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 3 has a total capacity of 79.25 GiB of which 1.38 "
            "GiB is free.",
            '  File "store.py", line 212, in _upload',
            "    self.mat = torch.empty(n, d, device=dev)",
        ),
        history=history,
        log_path="/var/lib/quarterdeck/logs/search/index/shard-1/rep-1/5.log",
        blocked_by="gpu 3: 1.4G free of 79.3G, this pod asked for 2.5G",
        gpu_rule="CUDA_VISIBLE_DEVICES: RR",
    )
