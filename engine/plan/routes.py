"""`Routes`: the table by which a head or a gateway passes requests on; plain data that travels as JSON.

The supervisor sends the whole table each time it changes; a higher version replaces a lower one. Taking a
worker out of the table is its deactivation: no request is sent to it after the table is acknowledged.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

SET_ROUTES = "/quarterdeck.Router/SetRoutes"
"""Unary: `Routes.dump()` in, empty bytes out once the table is in force."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One address to send to."""

    name: str
    """Pod's name: `index/shard-0/rep-1`."""
    address: str
    """`host:port`."""
    run: int
    """Run of the pod; a new run at the same address is a new peer."""


@dataclass(frozen=True, slots=True)
class Node:
    """One deployment as seen by the head or gateway in front of it."""

    name: str
    needs: tuple[str, ...]
    polling: dict[str, str]
    """Endpoint with leading slash, or `*`, to `ANY` or `ALL`."""
    shards: tuple[tuple[Replica, ...], ...]
    """Ready replicas by shard; an empty shard is waited for. A gateway sees a head as one shard."""
    before: Replica | None = None
    after: Replica | None = None
    has_before: bool = False
    has_after: bool = False
    idempotent: bool = True
    timeout_send: float = 30.0
    partial: bool = False
    """Whether a request to all shards may do without some."""
    tls: bool = False
    """Whether its pods are spoken to under TLS."""
    ca: str = ""
    """Path of the file that says whom to trust; empty: the system's roots."""
    cert: str = ""
    """Path of the certificate that pods of ours serve, whose name is the one to expect."""
    metadata: dict[str, str] = field(default_factory=dict)
    """Sent with every request, a token included."""
    options: dict[str, int | str] = field(default_factory=dict)
    """Of the channels, beside our own."""


@dataclass(frozen=True, slots=True)
class Routes:
    """All nodes behind one router, each after those it needs."""

    version: int
    nodes: tuple[Node, ...]

    def dump(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def load(cls, data: bytes) -> Routes:
        raw = json.loads(data)

        def replica(item: dict[str, object] | None) -> Replica | None:
            return None if item is None else Replica(**item)  # type: ignore[arg-type]

        nodes = tuple(
            Node(
                **{
                    **node,
                    "needs": tuple(node["needs"]),
                    "shards": tuple(tuple(Replica(**item) for item in shard) for shard in node["shards"]),
                    "before": replica(node["before"]),
                    "after": replica(node["after"]),
                }
            )
            for node in raw["nodes"]
        )
        return cls(raw["version"], nodes)
