"""One pod as a row of `--json`, with keys that scripts may rely on."""

from __future__ import annotations

from quarterdeck.engine.model import PodStatus, Sample

Row = dict[str, str | int | float | bool | None]

KEYS = (
    "name",
    "topology",
    "deployment",
    "role",
    "shard",
    "replica",
    "runtime",
    "phase",
    "ready",
    "reason",
    "host",
    "port",
    "port_monitoring",
    "gpu",
    "pid",
    "restarts",
    "exit_code",
    "started_at",
    "ready_at",
    "cpu_percent",
    "memory_bytes",
)


def pod_row(status: PodStatus, sample: Sample | None = None) -> Row:
    """The row of one pod: KEYS in their order, None where there is nothing yet."""
    usage = sample or Sample()
    return {key: getattr(usage if key in ("cpu_percent", "memory_bytes") else status, key) for key in KEYS}
