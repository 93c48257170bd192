"""Whatever a deployment is, Python starts it and speaks to it: TLS, tokens, programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.fakes.certificates import self_signed
from tests.fakes.executors_for_engines import Fine
from tests.fakes.homes import Homes

from quarterdeck import Deployment, Topology

X: dict[str, Any] = {"x": [1]}


def word(outputs: dict[str, Any]) -> bytes:
    found: bytes = next(iter(outputs["word"]))
    return found


@pytest.mark.parametrize("shards", [1, 2])
def test_under_tls_with_a_token(tmp_path: Path, homes: Homes, shards: int) -> None:
    shown = self_signed(tmp_path, "pod.example")
    with Deployment(Fine, shards=shards, token="sesam", **shown.served) as secure:
        assert secure.protocol == "grpcs"
        assert word(secure.post("/", X)) == b"hello"
    assert homes.nothing_left


def test_behind_a_gateway_under_tls(tmp_path: Path) -> None:
    shown = self_signed(tmp_path, "door.example")
    gateway = {**shown.served, "token": "sesam"}
    with Topology("t", [Deployment(Fine, name="w", replicas=2)], gateway) as top:
        assert word(top.post("/", X)) == b"hello"


def test_any_program(homes: Homes) -> None:
    command = ["python3", "-m", "http.server", "{port}", "--bind", "{host}"]
    with Deployment(name="files", command=command, protocol="http", probe={"http": "/"}) as files:
        assert files.is_ready
        assert files.address == f"127.0.0.1:{files.port}"
    assert homes.nothing_left
