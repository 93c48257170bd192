"""Peers, and which of them gets a request: the ready one with the fewest calls in flight."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

from grpc import ChannelConnectivity

from ..plan.routes import Node, Replica, Routes
from ..wire.channel import bytes_call, open_channel
from ..wire.names import INFER

SETTLE = 0.2
"""Seconds in which a channel notices that its connection broke under a call."""


class Peer:
    """One run of one pod: its channel, and what is in flight on it."""

    def __init__(self, replica: Replica) -> None:
        self.name = replica.name
        self.in_flight = 0
        self.down = False
        """Skipped: a call to it failed, and its channel has not connected since."""
        self._retired = False
        self._channel = open_channel(replica.address)
        self._infer = bytes_call(self._channel, INFER)
        self._work: set[asyncio.Task[None]] = set()

    async def infer(
        self, data: bytes, timeout: float | None, metadata: Sequence[tuple[str, str | bytes]]
    ) -> bytes:
        """One call; raises `AioRpcError`."""
        self.in_flight += 1
        try:
            return await self._infer(data, timeout=timeout, metadata=metadata)
        finally:
            self.in_flight -= 1
            if self._retired and not self.in_flight:
                self._start(self.close())

    def fail(self, back: Callable[[], None]) -> None:
        """Skip it until its channel proves good; then `back` is called."""
        if not self.down:
            self.down = True
            self._start(self._revive(back))

    async def _revive(self, back: Callable[[], None]) -> None:
        ready = ChannelConnectivity.READY
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                if self._channel.get_state() is ready:
                    await self._channel.wait_for_state_change(ready)
        while (state := self._channel.get_state(try_to_connect=True)) is not ready:
            await self._channel.wait_for_state_change(state)
        self.down = False
        back()

    def retire(self) -> None:
        """No more calls will come; the channel closes when those in flight have ended."""
        self._retired = True
        if not self.in_flight:
            self._start(self.close())

    async def close(self) -> None:
        this = asyncio.current_task()
        for task in self._work:
            if task is not this:
                task.cancel()
        await self._channel.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


class Group:
    """Peers that are as good as each other for a request."""

    def __init__(self, peers: Sequence[Peer]) -> None:
        self._peers = peers
        self._next = 0

    def pick(self) -> Peer | None:
        """The one with the fewest calls in flight, ties in turn; None while all are down or there is none."""
        best: Peer | None = None
        best_at = 0
        for at in chain(range(self._next, len(self._peers)), range(self._next)):
            peer = self._peers[at]
            if not peer.down and (best is None or peer.in_flight < best.in_flight):
                best, best_at = peer, at
                if not peer.in_flight:
                    break
        if best is not None:
            self._next = (best_at + 1) % len(self._peers)
        return best

    @property
    def ready(self) -> bool:
        return any(not peer.down for peer in self._peers)


class Stand:
    """A node's peers as one table has them: by what a request can be sent to."""

    def __init__(self, node: Node, peer: Callable[[Replica], Peer]) -> None:
        self.node = node
        peers = [[peer(replica) for replica in shard] for shard in node.shards]
        turns = chain.from_iterable(zip_longest(*peers))
        self.any = Group([peer for peer in turns if peer is not None])
        """Every worker, so that ties go round over the shards first."""
        self.shards = [Group(shard) for shard in peers]
        self.before = Group([] if node.before is None else [peer(node.before)])
        self.after = Group([] if node.after is None else [peer(node.after)])

    @property
    def ready(self) -> bool:
        """Whether a request would not have to wait."""
        return (
            bool(self.shards)
            and all(shard.ready for shard in self.shards)
            and (self.before.ready or not self.node.has_before)
            and (self.after.ready or not self.node.has_after)
        )


class Balance:
    """The routes in force, and peers that outlive a change of them."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.stands: dict[str, Stand] = {}
        """By node's name, each after those it needs."""
        self.nodes: dict[str, Node] = {}
        self._peers: dict[Replica, Peer] = {}
        self._changed = asyncio.Event()

    def set(self, routes: Routes) -> None:
        """Put a table in force. A peer that is in both goes on; whoever was down gets another chance."""
        named = {replica for node in routes.nodes for replica in _replicas(node)}
        for replica in named - self._peers.keys():
            self._peers[replica] = Peer(replica)
        for replica in self._peers.keys() - named:
            self._peers.pop(replica).retire()
        for peer in self._peers.values():
            peer.down = False
        self.stands = {node.name: Stand(node, self._peers.__getitem__) for node in routes.nodes}
        self.nodes = {node.name: node for node in routes.nodes}
        self.version = routes.version
        self.wake()

    def wake(self) -> None:
        """Let all who wait look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Return at the next change."""
        await self._changed.wait()

    async def close(self) -> None:
        """Close all channels; calls in flight are cancelled."""
        for peer in self._peers.values():
            await peer.close()
        self._peers.clear()


def _replicas(node: Node) -> Iterator[Replica]:
    yield from chain.from_iterable(node.shards)
    yield from (replica for replica in (node.before, node.after) if replica is not None)
