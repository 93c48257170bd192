"""A deployment's keywords mean what the keys of a file mean, mistakes included."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.certificates import self_signed
from tests.fakes.executors_for_engines import Fine

from quarterdeck import Deployment, Topology
from quarterdeck.engine.errors import SpecError, UsageError
from quarterdeck.engine.model import Runtime
from quarterdeck.engine.spec.file import load
from quarterdeck.engine.spec.keys import DEPLOYMENT
from quarterdeck.engine.spec.topology import (
    DeploymentSpec,
    GatewaySpec,
    Limits,
    Partial,
    Polling,
    Probe,
    ProbeKind,
    Restart,
)

EXECUTORS = "from quarterdeck import Executor\n\n\nclass Mine(Executor):\n    pass\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with an executor in it."""
    (tmp_path / "mine.py").write_text(EXECUTORS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_a_file(keys: str) -> DeploymentSpec:
    Path("topology.yml").write_text(f"deployments:\n  - name: a\n    {keys}\n")
    return load(Path("topology.yml"), {}).deployments[0]


SAME: list[tuple[dict[str, Any], str]] = [
    ({"uses": "mine.py:Mine"}, "uses: mine.py:Mine"),
    ({"uses": "mine.py:Mine", "uses_with": {"n": 1, "x": [0.5, None, True, "true"]}},
     "uses: mine.py:Mine\n    uses_with: {n: 1, x: [0.5, null, true, 'true']}"),
    ({"uses_with": {"text": "${HOME} $${HOME}", "big": 1e300}}, "uses_with: {text: '$${HOME} $$${HOME}', big: 1e+300}"),
    ({"uses_with": {"n": np.int64(7), "x": np.float32(0.5)}}, "uses_with: {n: 7, x: 0.5}"),
    ({"shards": 2, "replicas": 3, "polling": "all"}, "shards: 2\n    replicas: 3\n    polling: all"),
    ({"shards": 2, "polling": {"search": Polling.ALL}}, "shards: 2\n    polling: {search: ALL}"),
    ({"env": {"A": "1", "B": 2, "C": True}}, "env: {A: '1', B: 2, C: true}"),
    ({"workspace": "data"}, "workspace: data"),
    ({"workspace": Path("data")}, "workspace: data"),
    ({"py_modules": "mine.py"}, "py_modules: mine.py"),
    ({"py_modules": ["mine.py", Path(".")]}, "py_modules: [mine.py, .]"),
    ({"timeout_ready": "90s", "grace": 2}, "timeout_ready: 90s\n    grace: 2"),
    ({"timeout_ready": -1, "timeout_send": 0.5}, "timeout_ready: -1\n    timeout_send: 0.5"),
    ({"restart": "no", "idempotent": False}, "restart: no\n    idempotent: false"),
    ({"restart": Restart.ALWAYS}, "restart: always"),
    ({"partial": "allow", "shards": 2}, "partial: allow\n    shards: 2"),
    ({"runtime": "thread"}, "runtime: thread"),
    ({"runtime": Runtime.THREAD}, "runtime: thread"),
    ({"command": ["./serve", "--port", "{port}"], "protocol": "http"},
     "command: [./serve, --port, '{port}']\n    protocol: http"),
    ({"command": "./serve --port {port}"}, "command: ./serve --port {port}"),
    ({"probe": "tcp"}, "probe: tcp"),
    ({"probe": {"http": "/up", "every": "2s"}}, "probe: {http: /up, every: 2s}"),
    ({"liveness": {"exec": ["true"], "failures": 3}}, "liveness: {exec: ['true'], failures: 3}"),
    ({"probe": Probe(ProbeKind.TCP, port=80)}, "probe: {tcp: 80}"),
    ({"limits": {"memory": "2GiB", "cpus": 0.5}}, "limits: {memory: 2GiB, cpus: 0.5}"),
    ({"limits": Limits(memory=2 << 30)}, "limits: {memory: 2GiB}"),
    ({"gpus": 2}, "gpus: 2"),
    ({"gpus": "spread"}, "gpus: spread"),
    ({"token": "sesam", "grpc_metadata": {"k": "v"}}, "token: sesam\n    grpc_metadata: {k: v}"),
    ({"grpc_channel_options": {"grpc.keepalive_time_ms": 1}}, "grpc_channel_options: {grpc.keepalive_time_ms: 1}"),
    ({"grpc_server_options": {"grpc.max_concurrent_streams": 9}},
     "grpc_server_options: {grpc.max_concurrent_streams: 9}"),
    ({"external": True, "host": "h", "port": [1, 2], "tls": True},
     "external: true\n    host: h\n    port: [1, 2]\n    tls: true"),
    ({"external": True, "host": ["g:1", "h:2"]}, "external: true\n    host: [g:1, h:2]"),
    ({"python": "/usr/bin/env"}, "python: /usr/bin/env"),
    ({"reload": True}, "reload: true"),
]  # fmt: skip


@pytest.mark.parametrize(("keywords", "keys"), SAME, ids=[keys for _, keys in SAME])
def test_the_same_as_in_a_file(keywords: dict[str, Any], keys: str) -> None:
    assert Deployment(name="a", **keywords).spec == in_a_file(keys)


def test_files_of_tls_are_looked_into(folder: Path) -> None:
    made = self_signed(folder, "localhost")
    keywords: dict[str, Any] = {"ssl_certfile": made.cert, "ssl_keyfile": made.key}
    keys = f"ssl_certfile: {made.cert}\n    ssl_keyfile: {made.key}"
    secure = Deployment(name="a", **keywords)
    assert secure.spec == in_a_file(keys)
    assert (secure.protocol, secure.tls_enabled) == ("grpcs", True)
    with pytest.raises(SpecError, match="ssl_keyfile"):
        Deployment(name="a", ssl_certfile=made.cert, ssl_keyfile=made.cert)


def test_every_key_is_a_keyword_and_every_keyword_a_key() -> None:
    keywords = set(inspect.signature(Deployment).parameters) - {"engine", "noblock_on_start"}
    assert keywords == {key.name for key in DEPLOYMENT} - {"keep"}


def test_needs_and_what_it_depends_on_are_for_a_topology() -> None:
    a = Deployment(name="a")
    b = Deployment(name="b", needs="a", depends_on=["a"])
    assert (b.needs, b.spec.depends_on, b.spec.partial) == (("a",), ("a",), Partial.FAIL)
    Topology("t", [a, b])
    with pytest.raises(SpecError, match=r"deployments\[0\]\.needs: there is no deployment `a`"):
        Topology("t", [b])


@pytest.mark.parametrize("gateway", [{"port": 8080}, GatewaySpec(port=8080)], ids=type)
def test_a_gateway_has_the_keys_of_a_file(gateway: Any) -> None:
    assert Topology("t", [Deployment(name="a")], gateway).spec.gateway == GatewaySpec(port=8080)


@pytest.mark.parametrize("gateway", [None, "none"])
def test_a_topology_may_go_without_a_gateway(gateway: Any) -> None:
    assert Topology("t", [Deployment(name="a")], gateway).num_pods == 1


@pytest.mark.parametrize(
    ("gateway", "said"),
    [
        ({"prt": 1}, "gateway.prt: `prt` is not a key of a gateway; did you mean `port`?"),
        ({"port": "x"}, "gateway.port: must be a whole number, not `x`"),
        ({"port": 70000}, "gateway.port: must be from 1 to 65535, not `70000`"),
        ("some", "gateway: must be a map of keys, or None"),
    ],
    ids=str,
)
def test_a_gateway_that_is_wrong(gateway: Any, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        Topology("t", [Deployment(name="a")], gateway)
    assert str(caught.value) == said


def test_every_mistake_is_told_once_with_its_keyword() -> None:
    with pytest.raises(SpecError) as caught:
        Deployment(name="a b", shards=0, replicas="2", restart="sometimes", limits={"memory": "2 loaves"})  # type: ignore[arg-type]
    assert [mistake.key for mistake in caught.value.mistakes] == [
        "replicas",
        "restart",
        "limits.memory",
        "name",
        "shards",
    ]
    assert "restart: must be one of `no`, `on-failure`, `always`, not `sometimes`" in str(caught.value)


def test_a_class_that_is_not_in_its_file() -> None:
    with pytest.raises(SpecError, match=r"uses: .*mine.py has no class `Mein`; did you mean `Mine`\?"):
        Deployment("mine.py:Mein")


def endless() -> list[Any]:
    nested: list[Any] = []
    nested.append(nested)
    return nested


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), r"uses_with\.v: object can't travel to another process"),
        (b"bytes", r"uses_with\.v: bytes can't travel"),
        (np.zeros(2), r"uses_with\.v: ndarray can't travel"),
        (endless(), "nested more than 32 deep"),
    ],
    ids=["object", "bytes", "array", "endless"],
)
def test_arguments_that_can_not_travel(value: object, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        Deployment(Fine, uses_with={"v": value})


def test_a_secret_is_never_repeated() -> None:
    with pytest.raises(SpecError) as caught:
        Deployment(token="se sam", env={"PASSWORD": ["hush"]})  # type: ignore[dict-item]
    assert "sam" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_class_within_a_function_or_a_prompt() -> None:
    class Local(Fine):
        pass

    typed = type("Typed", (Fine,), {"__module__": "__main__", "__qualname__": "Typed"})
    for kind in (Local, typed):
        with pytest.raises((UsageError, SpecError)):
            Deployment(kind)
