"""Who gets a request: the fewest calls in flight, ties over shards first."""

from __future__ import annotations

from quarterdeck.engine.plan.routes import Node, Replica
from quarterdeck.engine.pods.balance import Peer, Stand


class Idle(Peer):
    """A peer without a channel."""

    def __init__(self, replica: Replica) -> None:
        self.name, self.in_flight, self.down = replica.name, 0, False


def stand(*shards: int) -> tuple[Stand, dict[str, Idle]]:
    """A node with so many replicas in each shard, and its peers by name."""
    peers: dict[str, Idle] = {}

    def peer(replica: Replica) -> Peer:
        return peers.setdefault(replica.name, Idle(replica))

    replicas = tuple(
        tuple(Replica(f"{shard}.{number}", "", 1) for number in range(count))
        for shard, count in enumerate(shards)
    )
    return Stand(Node("x", (), {"*": "ANY"}, replicas), peer), peers


def picked(stand: Stand, count: int) -> list[str]:
    return [peer.name for _ in range(count) if (peer := stand.any.pick()) is not None]


def test_ties_go_round_over_shards_then_replicas() -> None:
    two, _ = stand(2, 2)
    assert picked(two, 5) == ["0.0", "1.0", "0.1", "1.1", "0.0"]


def test_shards_of_different_size_take_their_turns() -> None:
    odd, _ = stand(1, 3)
    assert picked(odd, 5) == ["0.0", "1.0", "1.1", "1.2", "0.0"]


def test_the_fewest_in_flight_wins_whatever_the_turn() -> None:
    two, peers = stand(2, 2)
    for peer, count in zip(peers.values(), (3, 2, 1, 2), strict=True):
        peer.in_flight = count
    assert picked(two, 2) == ["1.0", "1.0"]
    peers["1.0"].in_flight = 2
    assert picked(two, 3) == ["0.1", "1.1", "1.0"]


def test_who_is_down_is_skipped() -> None:
    two, peers = stand(1, 1)
    peers["0.0"].down = True
    assert picked(two, 2) == ["1.0", "1.0"]
    assert not two.ready
    assert two.shards[0].pick() is None
    peers["1.0"].down = True
    assert two.any.pick() is None


def test_an_empty_shard_has_nobody() -> None:
    two, _ = stand(1, 0)
    assert two.shards[1].pick() is None
    assert picked(two, 2) == ["0.0", "0.0"]
    assert not two.ready
