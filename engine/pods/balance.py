"""Peers, and which of them gets a request: the ready one with the fewest calls in flight."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from itertools import chain, zip_longest
from typing import Any

from grpc import ChannelConnectivity, aio

from ..plan.routes import Node, Replica, Routes
from ..wire.channel import bytes_both, bytes_call, open_channel
from ..wire.names import INFER
from ..wire.way import PLAIN, Way, WayError, distrust, way_of

Pair = tuple[str, str | bytes]
"""One entry of metadata."""
Stream = aio.StreamStreamCall[bytes, bytes]

SETTLE = 0.2
"""Seconds in which a channel notices that its connection broke under a call."""


class Peer:
    """One run of one pod: its channel, and what is in flight on it."""

    def __init__(self, replica: Replica, way: Way = PLAIN) -> None:
        self.name = replica.name
        self.in_flight = 0
        self.down = False
        """Skipped: a call to it failed, and its channel has not connected since."""
        self.trouble = ""
        """Why it is down."""
        self.hopeless = False
        """TLS does not trust it: waiting does not mend that."""
        self._address, self._way = replica.address, way
        self._given, self._taken = way.pairs, frozenset(key for key, _ in way.pairs)
        self._retired = False
        self.let_go = asyncio.Event()
        """Set once it is retired and nothing is in flight on it any more."""
        self._channel: aio.Channel | None = None
        self._work: set[asyncio.Task[None]] = set()
        self.open()

    def open(self) -> None:
        """Make it good for calls again; where a file of TLS is no good, `trouble` says so."""
        self.trouble = ""
        if self._channel is None:
            try:
                self._channel = open_channel(self._address, self._way)
            except WayError as error:
                self.trouble = f"TLS: {error}"
            else:
                self._infer = bytes_call(self._channel, INFER)
        self.down = self.hopeless = self._channel is None

    async def infer(
        self, data: bytes, timeout: float | None, metadata: Sequence[Pair]
    ) -> tuple[bytes, Sequence[Pair]]:
        """One call: the answer and its trailing metadata. Raises `AioRpcError`."""
        self.in_flight += 1
        try:
            call = self._infer(data, timeout=timeout, metadata=self._with_given(metadata))
            answer = await call
            return answer, tuple(await call.trailing_metadata())
        finally:
            self._ended()

    def stream(self, method: str, timeout: float | None, metadata: Sequence[Pair]) -> Stream:
        """A call of two streams, to be made while it is `busy`."""
        assert self._channel is not None
        return bytes_both(self._channel, method)(timeout=timeout, metadata=self._with_given(metadata))

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Count one call in flight; the last one of a retired peer closes it."""
        self.in_flight += 1
        try:
            yield
        finally:
            self._ended()

    def _ended(self) -> None:
        self.in_flight -= 1
        self._look()

    def _with_given(self, metadata: Sequence[Pair]) -> Sequence[Pair]:
        """What the table says goes along, instead of what the caller sent under the same keys."""
        if not self._given:
            return metadata
        return (*(pair for pair in metadata if pair[0] not in self._taken), *self._given)

    def fail(self, back: Callable[[], None], details: str = "") -> None:
        """Skip it until its channel proves good; then `back` is called."""
        reason = distrust(details)
        self.hopeless = bool(reason)
        self.trouble = f"TLS: {reason}" if reason else details.rpartition("last error: ")[2]
        if not self.down:
            self.down = True
            self._start(self._revive(back))

    async def _revive(self, back: Callable[[], None]) -> None:
        ready, channel = ChannelConnectivity.READY, self._channel
        assert channel is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                if channel.get_state() is ready:
                    await channel.wait_for_state_change(ready)
        while (state := channel.get_state(try_to_connect=True)) is not ready:
            await channel.wait_for_state_change(state)
        self.down = self.hopeless = False
        back()

    def retire(self) -> None:
        """No more calls will come; the channel closes when those in flight have ended."""
        self._retired = True
        self._look()

    def _look(self) -> None:
        """Whether it is over with a peer that is retired."""
        if self._retired and not self.in_flight:
            self.let_go.set()
            self._start(self.close())

    async def close(self) -> None:
        this = asyncio.current_task()
        for task in self._work:
            if task is not this:
                task.cancel()
        if self._channel is not None:
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

    @property
    def trouble(self) -> tuple[str, bool]:
        """Why one of its peers is down, with its name; and whether there is none left to wait for."""
        if not self._peers:
            return "", False
        found = next((peer for peer in self._peers if peer.trouble), self._peers[0])
        words = f"{found.name}: {found.trouble}" if found.trouble else ""
        return words, all(peer.down and peer.hopeless for peer in self._peers)


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
        self._peers: dict[tuple[Replica, Way], Peer] = {}
        self._changed = asyncio.Event()

    def set(self, routes: Routes) -> list[Peer]:
        """Put a table in force; gives the peers that it has no more.

        A peer that is in both tables goes on; whoever was down gets another chance.
        """
        ways = {node.name: _way_to(node) for node in routes.nodes}
        named = {(replica, ways[node.name]) for node in routes.nodes for replica in _replicas(node)}
        for key in named - self._peers.keys():
            self._peers[key] = Peer(*key)
        retired = [self._peers.pop(key) for key in self._peers.keys() - named]
        for peer in retired:
            peer.retire()
        for peer in self._peers.values():
            peer.open()
        self.stands = {node.name: Stand(node, partial(self._peer, ways[node.name])) for node in routes.nodes}
        self.nodes = {node.name: node for node in routes.nodes}
        self.version = routes.version
        self.wake()
        return retired

    def _peer(self, way: Way, replica: Replica) -> Peer:
        return self._peers[replica, way]

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


def _way_to(node: Node) -> Way:
    return way_of(node.tls, node.ca, node.cert, node.metadata, node.options)


def _replicas(node: Node) -> Iterator[Replica]:
    yield from chain.from_iterable(node.shards)
    yield from (replica for replica in (node.before, node.after) if replica is not None)
