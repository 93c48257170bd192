"""What goes along with a request everywhere, and what comes back beside the answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..plan.routes import Node

if TYPE_CHECKING:
    from grpc import aio

    Context = aio.ServicerContext[bytes, bytes]

MISSING = "quarterdeck-missing"
"""Trailing metadata that names what an answer does without: `shard 1, shard 3`."""
OWN_METADATA = ("grpc-", "user-agent", "content-type", "te", ":")
MARGIN, LARGEST_MARGIN = 0.2, 1.0
"""Part of the time left, and seconds, that are kept for an answer which does without somebody."""


class Trip:
    """One client's request on its way: its deadline, its metadata, and the metadata of the answers."""

    def __init__(self, context: Context, dropped: tuple[str, ...] = OWN_METADATA) -> None:
        """`dropped` is how keys begin that end here."""
        self._context = context
        self.metadata: list[tuple[str, str | bytes]] = [
            (key, value) for key, value in context.invocation_metadata() or () if not key.startswith(dropped)
        ]
        self._trailing: dict[tuple[str, str | bytes], None] = {}
        """Of every answer that came, each entry once."""
        self._missing: dict[str, str] = {}

    @property
    def timeout(self) -> float | None:
        """Seconds that are left, or None without a deadline."""
        return self._context.time_remaining()

    def patience(self, node: Node, spared: bool) -> float:
        """Seconds that a pod is waited for; the answer must still come in time where one may be spared."""
        left = self.timeout if spared else None
        if left is None:
            return node.timeout_send
        return min(node.timeout_send, max(0.0, left - min(LARGEST_MARGIN, left * MARGIN)))

    def miss(self, node: str, what: str) -> None:
        """The node's answer does without this."""
        self._missing[node] = what

    def take(self, node: str, trailing: Iterable[tuple[str, str | bytes]]) -> None:
        """Keep what came beside one of the node's answers."""
        for key, value in trailing:
            if key == MISSING:
                self.miss(node, str(value))
            else:
                self._trailing[key, value] = None

    def close(self, nodes: int) -> None:
        """Send back what came beside the answers; under one key what is missing, by node where there are some."""
        if self._missing:
            gone = (what if nodes == 1 else f"{node}: {what}" for node, what in self._missing.items())
            self._trailing[MISSING, "; ".join(gone)] = None
        if self._trailing:
            self._context.set_trailing_metadata(tuple(self._trailing))
