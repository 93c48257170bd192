"""What the keys of commands, probes, external pods, TLS, threads, GPUs and limits mean when they are right."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.certificates import Authority, self_signed

from quarterdeck.engine.model import Runtime
from quarterdeck.engine.spec.document import dump
from quarterdeck.engine.spec.document import load as load_document
from quarterdeck.engine.spec.file import load
from quarterdeck.engine.spec.places import PLACES, fill, unknown
from quarterdeck.engine.spec.topology import DeploymentSpec, Limits, Partial, Probe, ProbeKind, Topology


def read(folder: Path, text: str, env: Mapping[str, str] | None = None) -> Topology:
    path = folder / "topology.yml"
    path.write_text(text)
    topology = load(path, env or {})
    assert load_document(dump(topology)) == topology
    return topology


def one(folder: Path, keys: str, env: Mapping[str, str] | None = None) -> DeploymentSpec:
    """The first deployment, `index`, of a file with these keys; there are `other` and `third` beside it."""
    lines = "".join(f"    {line}\n" for line in keys.splitlines())
    text = f"deployments:\n  - name: index\n{lines}  - name: other\n  - name: third\n"
    return read(folder, text, env).deployments[0]


SIMPLE: list[tuple[str, dict[str, Any]]] = [
    ("runtime: thread", {"runtime": Runtime.THREAD}),
    ("runtime: process", {"runtime": Runtime.PROCESS}),
    ("partial: allow", {"partial": Partial.ALLOW}),
    ("reload: true", {"reload": True}),
    ("depends_on: other", {"depends_on": ("other",)}),
    ("depends_on: [other, third]", {"depends_on": ("other", "third")}),
    ("needs: other\ndepends_on: [other]", {"needs": ("other",), "depends_on": ("other",)}),
    ("depends_on: null\ncommand:\nprobe: ~\ntoken:\npython:\ngpus:\nssl_certfile:", {}),
    ("gpus: spread", {"gpus": "spread"}),
    ("gpus: auto\nenv: {CUDA_VISIBLE_DEVICES: '3'}",
        {"gpus": "auto", "env": {"CUDA_VISIBLE_DEVICES": "3"}}),
    ("gpus: 2", {"gpus": "2"}),
    ("limits: {}", {"limits": Limits()}),
    ("limits: {memory: 2GiB, cpus: 0.5, files: 1024, processes: 64}",
        {"limits": Limits(2 << 30, 0.5, 1024, 64)}),
    ("limits: {memory: 500MB, cpus: 2}", {"limits": Limits(500_000_000, 2)}),
    ("limits: {memory: 1048576}", {"limits": Limits(1 << 20)}),
    ("limits: {memory: 1.5 gib}", {"limits": Limits(3 << 29)}),
    ("command: [./serve, --port, '{port}', -n, 010, true]",
        {"command": ("./serve", "--port", "{port}", "-n", "010", "true")}),
    ("command: ./serve --name 'a b' {port}", {"command": ("./serve", "--name", "a b", "{port}")}),
    ("command: [serve, '{\"a\": {\"b\": 1}}', '{{word}}', 'a {} {1} {a-b}', '$${HOME}']",
        {"command": ("serve", '{"a": {"b": 1}}', "{{word}}", "a {} {1} {a-b}", "${HOME}")}),
    ("command: serve\nenv: {PORT: '{port}', GPU: '{gpu}'}",
        {"command": ("serve",), "env": {"PORT": "{port}", "GPU": "{gpu}"}}),
    ("env: {FORMAT: '{message}'}", {"env": {"FORMAT": "{message}"}}),
    ("command: serve\nprotocol: http\nreplicas: 2\ndepends_on: other",
        {"command": ("serve",), "protocol": "http", "replicas": 2, "depends_on": ("other",)}),
    ("command: serve\nshards: 2", {"command": ("serve",), "shards": 2}),
    ("token: ${TOKEN}", {"token": "12345"}),
    ("token: 00777", {"token": "00777"}),
    ("grpc_metadata: {x-tenant: 7, authorization: 'Basic x'}",
        {"grpc_metadata": {"x-tenant": "7", "authorization": "Basic x"}}),
    ("grpc_channel_options: {grpc.keepalive_time_ms: 1000, grpc.primary_user_agent: qd}",
        {"grpc_channel_options": {"grpc.keepalive_time_ms": 1000, "grpc.primary_user_agent": "qd"}}),
    ("grpc_server_options: {grpc.max_concurrent_streams: -1}",
        {"grpc_server_options": {"grpc.max_concurrent_streams": -1}}),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "fields"), SIMPLE)
def test_a_key(tmp_path: Path, keys: str, fields: dict[str, Any]) -> None:
    assert one(tmp_path, keys, {"TOKEN": "12345"}) == DeploymentSpec("index", **fields)


@pytest.mark.parametrize(
    ("written", "probe"),
    [
        ("grpc", Probe()),
        ("tcp", Probe(ProbeKind.TCP)),
        ("{grpc: true, every: 1m}", Probe(every=60.0)),
        ("{grpc: my.Service, timeout: 500ms}", Probe(path="my.Service", timeout=0.5)),
        ("{tcp: true, port: 9000}", Probe(ProbeKind.TCP, port=9000)),
        ("{tcp: 9000}", Probe(ProbeKind.TCP, port=9000)),
        ("{http: '/health?deep=1', port: 8081}", Probe(ProbeKind.HTTP, "/health?deep=1", 8081)),
        (
            "{exec: [./check.sh, 1], failures: 3}",
            Probe(ProbeKind.EXEC, command=("./check.sh", "1"), failures=3),
        ),
        (
            "{exec: sh -c 'exit 0', delay: 2}",
            Probe(ProbeKind.EXEC, command=("sh", "-c", "exit 0"), delay=2.0),
        ),
        ("{log: '^listening on [0-9]+$'}", Probe(ProbeKind.LOG, pattern="^listening on [0-9]+$")),
    ],
)
def test_a_probe(tmp_path: Path, written: str, probe: Probe) -> None:
    assert one(tmp_path, f"probe: {written}").probe == probe
    if probe.kind is not ProbeKind.LOG:
        assert one(tmp_path, f"runtime: thread\nliveness: {written}").liveness == probe


@pytest.mark.parametrize(
    ("keys", "places"),
    [
        ("port: 9000", [("127.0.0.1", 9000)]),
        ("host: a.example.org\nport: 9000", [("a.example.org", 9000)]),
        ("host: a.example.org:9000", [("a.example.org", 9000)]),
        ("host: [a, b]\nport: 9000", [("a", 9000), ("b", 9000)]),
        ("host: 10.0.0.1\nport: [9000, 9001]", [("10.0.0.1", 9000), ("10.0.0.1", 9001)]),
        ("host: [a, b]\nport: [9000, 9001]\nreplicas: 2", [("a", 9000), ("b", 9001)]),
        ("host: ['a:9000', 'b:9001', 'a:9002']", [("a", 9000), ("b", 9001), ("a", 9002)]),
    ],
)
def test_where_an_external_deployment_is(tmp_path: Path, keys: str, places: list[tuple[str, int]]) -> None:
    spec = one(tmp_path, f"external: true\n{keys}")
    assert list(zip(spec.hosts, spec.ports, strict=True)) == places
    assert (spec.host, spec.port, spec.replicas) == (*places[0], len(places))
    assert (spec.kind, spec.num_pods) == (Runtime.EXTERNAL, 0)


def test_external_ones_may_share_an_address_with_each_other(tmp_path: Path) -> None:
    text = "deployments:\n- {name: a, external: true, port: 9000}\n- {name: b, external: true, port: 9000}\n"
    assert [spec.port for spec in read(tmp_path, text).deployments] == [9000, 9000]


def test_an_external_deployment_under_tls(tmp_path: Path) -> None:
    authority = Authority.new(tmp_path)
    spec = one(
        tmp_path,
        "external: true\nhost: a:443\ntls: true\nssl_cafile: authority.pem\ntoken: x\nprotocol: http\n"
        "probe: {http: /}\ngrpc_metadata: {a: b}\npartial: allow\ntimeout_ready: 5s",
    )
    assert (spec.tls_enabled, spec.ssl_cafile, spec.token) == (True, authority.ca, "x")


# Files


def test_certificates_are_found_from_the_file_and_open_the_host(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    shown = self_signed(tmp_path / "tls", "pods")
    keys = "ssl_certfile: tls/pods.pem, ssl_keyfile: tls/pods.key, token: s3cret, host: 0.0.0.0"
    topology = read(
        tmp_path, f"gateway: {{{keys}}}\ndeployments: [{{name: a, {keys}, ssl_cafile: tls/pods.pem}}]"
    )
    (spec,) = topology.deployments
    assert topology.gateway is not None
    for owner in (topology.gateway, spec):
        assert (owner.ssl_certfile, owner.ssl_keyfile) == (shown.cert, shown.key)
        assert (owner.host, owner.token, owner.tls_enabled) == ("0.0.0.0", "s3cret", True)
    assert spec.ssl_cafile == shown.cert


def environment(folder: Path) -> Path:
    """A virtual environment as far as it is looked at; returns its interpreter."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\n")
    return python


@pytest.mark.parametrize("written", ["venv", "./venv/", "venv/bin/python", "~/venv"])
def test_the_interpreter(tmp_path: Path, written: str) -> None:
    python = environment(tmp_path / "venv")
    assert one(tmp_path, f"python: {written}", {"HOME": str(tmp_path)}).python == str(python)


def test_an_interpreter_of_the_path(tmp_path: Path) -> None:
    python = environment(tmp_path / "elsewhere")
    assert one(tmp_path, "python: python", {"PATH": str(python.parent)}).python == str(python)


def test_a_module_of_the_other_interpreter_may_be_unknown_here(tmp_path: Path) -> None:
    environment(tmp_path / "venv")
    site = tmp_path / "venv" / "lib" / "python3.9" / "site-packages"
    site.mkdir(parents=True)
    (site / "onlythere.py").write_text("class Model: ...\n")
    assert one(tmp_path, "python: venv\nuses: onlythere.Model").uses == "onlythere.Model"
    assert one(tmp_path, "python: venv\nuses: nowhere.to.be.Seen").uses == "nowhere.to.be.Seen"


# Places


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{port}", "9000"),
        ("--at={host}:{port}", "--at=h:9000"),
        ("{gpu}", "{gpu}"),
        ("{{port}}", "{port}"),
        ('{"port": {port}, "a": {"b": {}}}', '{"port": 9000, "a": {"b": {}}}'),
        ('{"a":{"b":1}}', '{"a":{"b":1}}'),
        ("${port}", "${port}"),
        ("{ port }", "{ port }"),
        ("{{ .Go }}", "{{ .Go }}"),
    ],
)
def test_places_are_filled_and_nothing_else(text: str, filled: str) -> None:
    assert fill(text, {"port": "9000", "host": "h"}) == filled


@given(st.text(st.sampled_from('{}$ "ab:'), max_size=12))
def test_what_has_no_word_in_braces_stays(text: str) -> None:
    if not list(unknown(text)) and "{{" not in text:
        assert fill(text, dict.fromkeys(PLACES, "x")) == text
