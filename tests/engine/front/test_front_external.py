"""What somebody else runs is watched and spoken to, and never started or closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.fakes.certificates import self_signed
from tests.fakes.executors_for_engines import Fine
from tests.fakes.homes import Homes

from quarterdeck import Deployment, Topology
from quarterdeck.engine.errors import RequestError

X: dict[str, Any] = {"x": [1]}


def word(outputs: dict[str, Any]) -> bytes:
    found: bytes = next(iter(outputs["word"]))
    return found


def test_behind_a_gateway_and_by_itself(homes: Homes) -> None:
    with Deployment(Fine, uses_with={"word": "theirs"}, replicas=2) as theirs:
        ports = [port for port in theirs.ports if port]
        with Topology("t", [Deployment(name="x", external=True, port=ports)]) as top:
            assert top.num_pods == 1
            assert [len(one.pods) for one in top.deployments] == [2]
            assert word(top.post("/", X)) == b"theirs"
        with Deployment(external=True, port=ports[0]) as one:
            assert one.is_ready
            assert one.address == f"127.0.0.1:{ports[0]}"
            assert word(one.post("/", X)) == b"theirs"
            one.join()  # nothing of it runs here
        assert theirs.is_ready
    assert homes.nothing_left


def test_under_tls_and_with_a_token(tmp_path: Path) -> None:
    shown = self_signed(tmp_path, "localhost", "IP:127.0.0.1")
    with Deployment(Fine, token="sesam", **shown.served) as theirs:
        trusted: dict[str, Any] = {
            "external": True,
            "port": theirs.port,
            "tls": True,
            "ssl_cafile": shown.cert,
            "probe": "tcp",
        }
        with Deployment(**trusted, token="sesam") as friend:
            assert friend.protocol == "grpcs"
            assert word(friend.post("/", X)) == b"hello"
        with Deployment(**trusted) as stranger, pytest.raises(RequestError, match="UNAUTHENTICATED"):
            stranger.post("/", X, timeout=5)
