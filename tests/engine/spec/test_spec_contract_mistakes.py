"""Mistakes in the keys of commands, probes, external pods, TLS, threads, GPUs and limits: one each."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.engine.spec.test_spec_mistakes import mistakes, only, written
from tests.fakes.certificates import self_signed

from quarterdeck.engine.spec.check import check
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec, Limits, Probe, ProbeKind, Topology

# Each: keys of a deployment named `index` from line 3 on; line, key, and words of the message and hint.
MISTAKES: list[tuple[str, int, str, str, str]] = [
    # Runtimes
    ("runtime: fiber", 3, "runtime", "must be one of `process`, `thread`, not `fiber`", ""),
    ("runtime: external", 3, "runtime", "must be one of `process`, `thread`", ""),
    ("runtime: thread\nenv: {A: b}", 4, "env", "`env` is not for `runtime: thread`", "of one process share it"),
    ("runtime: thread\nenv: {CUDA_VISIBLE_DEVICES: RR}", 4, "env", "threads of one process share it", ""),
    ("runtime: thread\npython: /bin/sh", 4, "python", "threads of one process share it", ""),
    ("runtime: thread\ngpus: spread", 4, "gpus", "threads of one process share it", "leave it out"),
    ("runtime: thread\nlimits: {cpus: 1}", 4, "limits", "threads of one process share it", ""),
    ("python: gone", 3, "python", "there is no interpreter", "python3 -m venv"),
    ("python: sub", 3, "python", "has no interpreter `bin/python`", "python3 -m venv"),
    ("python: plain.txt", 3, "python", "can't be run as an interpreter", "venv/bin/python"),
    ("python: 3.11", 3, "python", "must be an interpreter", "put it in quotes"),
    # Commands
    ("command: []", 3, "command", "names no program", "begin with the program"),
    ("command: ''", 3, "command", "names no program", ""),
    ("command: ['']", 3, "command", "names no program", ""),
    ("command: {a: b}", 3, "command", "must be a list of words, or one line, not a map", ""),
    ("command: [a, [b]]", 3, "command[1]", "a word is text, not a list", ""),
    ("command: \"serve 'a\"", 3, "command", "can't be split into words: No closing quotation", "list"),
    ('command: ["a\\0b"]', 3, "command", "U+0000", ""),
    ("command: 'serve {prot}'", 3, "command", "`{prot}` is no place", "did you mean `port`?"),
    ("command: [awk, '{print}']", 3, "command", "`{print}` is no place", "`{{print}}`"),
    ("command: [a, '{x}']", 3, "command", "`{x}` is no place", "`{port}`, `{host}`, `{gpu}`"),
    ("command: a\nenv: {A: '{prt}'}", 4, "env.A", "`{prt}` is no place", "`port`"),
    ("uses: search.py:Search\ncommand: a", 3, "uses", "`uses` is not for a deployment with a `command`", ""),
    ("command: a\nuses_with: {a: 1}", 4, "uses_with", "is not for a deployment with a `command`", "leave one"),
    ("command: a\nruntime: thread", 4, "runtime", "is not for a deployment with a `command`", ""),
    ("command: a\npython: /bin/sh", 4, "python", "is not for a deployment with a `command`", ""),
    ("protocol: ftp", 3, "protocol", "must be one of `grpc`, `http`, not `ftp`", ""),
    ("protocol: http", 3, "protocol", "`protocol: http` is for a command or an external", "a `command`"),
    ("command: a\nprotocol: http\nshards: 2", 5, "shards", "shards need a head", "`replicas`"),
    ("command: a\nprotocol: http\nneeds: other", 5, "needs", "it can't need others", "`depends_on`"),
    # Probes
    ("probe: http", 3, "probe", "must be `grpc`, `tcp` or a map, not `http`", "{http: /health}"),
    ("probe: [grpc]", 3, "probe", "must be `grpc`, `tcp` or a map, not a list", ""),
    ("probe: {}", 3, "probe", "here stands none of these", ""),
    ("probe: {every: 1s}", 3, "probe", "a probe asks by one of `grpc`, `http`, `tcp`, `exec` and `log`", ""),
    ("probe: {http: /, tcp: true}", 3, "probe", "here stands `http` and `tcp`", "keep one"),
    ("probe: {htp: /}", 3, "probe.htp", "`htp` is not a key of a probe", "did you mean `http`?"),
    ("probe: {http: health}", 3, "probe.http", "`health` is not the path of a URL", "begin with `/`"),
    ('probe: {http: "/a\\nb"}', 3, "probe.http", "no control characters", ""),
    ("probe: {http: }", 3, "probe.http", "`http` has no value", ""),
    ("probe: {tcp: false}", 3, "probe.tcp", "must be true or a port, not `false`", ""),
    ("probe: {tcp: 0}", 3, "probe.port", "must be from 1 to 65535", ""),
    ("probe: {tcp: 1, port: 2}", 3, "probe", "the port stands here twice", ""),
    ("probe: {grpc: 7}", 3, "probe.grpc", "must be true or a service's name, not `7`", ""),
    ("probe: {exec: []}", 3, "probe.exec", "names no program", ""),
    ("probe: {exec: 'a {prot}'}", 3, "probe.exec", "`{prot}` is no place", "did you mean `port`?"),
    ("probe: {exec: a, port: 1}", 3, "probe.port", "`exec` asks no port", ""),
    ("probe:\n  log: '[a'", 4, "probe.log", "`[a` is not a regular expression: unterminated", "`\\`"),
    ("probe: {log: ''}", 3, "probe.log", "must be a regular expression", ""),
    ("probe: {tcp: true, every: 0}", 3, "probe.every", "must be from 0.001 to 86400 seconds", ""),
    ("probe: {tcp: true, failures: 0}", 3, "probe.failures", "must be 1 or more", ""),
    ("probe: {tcp: true, delay: soon}", 3, "probe.delay", "`soon` is not a duration", ""),
    ("liveness: {log: a}", 3, "liveness", "`liveness` can't be a line of the log", "ask by `grpc`"),
    # Order
    ("depends_on: inde", 3, "depends_on", "there is no deployment `inde`", "did you mean `index`?"),
    ("depends_on: index", 3, "depends_on", "`depends_on` goes in a circle: index -> index", ""),
    ("depends_on: gateway", 3, "depends_on", "`gateway` is not a deployment", "leave it out"),
    ("depends_on: [other, other]", 3, "depends_on", "`other` stands twice in `depends_on`", ""),
    # External
    ("external: true", 3, "external", "needs its host and port", "say where it is"),
    ("external: maybe", 3, "external", "must be true or false, not `maybe`", ""),
    ("external: maybe\nport: [1, 2]\nprotocol: http", 3, "external", "must be true or false", ""),
    ("external: true\nhost: [a, b]", 4, "host", "needs its host and port", ""),
    ("external: true\nhost: [a, b]\nport: [1, 2, 3]", 5, "port", "2 hosts and 3 ports don't pair up", ""),
    ("external: true\nhost: ['a:1', b]", 4, "host", "`b` has no port, and others have", "`name:port`"),
    ("external: true\nhost: 'a:1'\nport: 2", 5, "port", "stand both in `host` and in `port`", ""),
    ("external: true\nhost: 'a:99999'", 4, "host", "the port of `a:99999` must be from 1 to 65535", ""),
    ("external: true\nport: [1, x]", 4, "port[1]", "must be a whole number, not `x`", ""),
    ("external: true\nport: []", 4, "port", "needs its host and port", ""),
    ("external: true\nport: 1\nhost: '::1'", 5, "host", "`::1` is not an address", "IPv4"),
    ("external: true\nport: 1\nhost: 'http://a'", 5, "host", "`http://a` is not an address", ""),
    ("external: true\nport: [1, 2]\nreplicas: 3", 5, "replicas", "`replicas: 3`, but 2 addresses", ""),
    ("external: true\nport: 1\nshards: 2", 5, "shards", "has one shard", ""),
    ("external: true\nport: 1\nuses: search.Search", 5, "uses", "somebody else runs it", "leave it out"),
    ("external: true\nport: 1\ncommand: a", 5, "command", "somebody else runs it", ""),
    ("external: true\nport: 1\nenv: {A: b}", 5, "env", "somebody else runs it", ""),
    ("external: true\nport: 1\nlimits: {cpus: 1}", 5, "limits", "somebody else runs it", ""),
    ("external: true\nport: 1\nruntime: thread", 5, "runtime", "somebody else runs it", ""),
    ("external: true\nport: 1\nliveness: tcp", 5, "liveness", "somebody else runs it", ""),
    ("external: true\nport: 1\nprobe: {exec: a}", 5, "probe", "can't be asked by `exec`", "`tcp`"),
    ("external: true\nport: 1\nssl_cafile: cert.pem", 5, "ssl_cafile", "of no use without TLS", "`tls: true`"),
    ("external: true\nport: 1\nprotocol: http\nneeds: other", 6, "needs", "it can't need others", ""),
    ("host: [127.0.0.1]", 3, "host", "a list is for an external deployment", "`external: true`"),
    ("port: [9000]", 3, "port", "a list is for an external deployment", ""),
    # TLS
    ("tls: true", 3, "tls", "`tls` is for an external deployment", "`ssl_certfile`"),
    ("ssl_certfile: cert.pem", 3, "ssl_certfile", "`ssl_certfile` needs `ssl_keyfile` beside it", "both"),
    ("ssl_keyfile: cert.key", 3, "ssl_keyfile", "`ssl_keyfile` needs `ssl_certfile` beside it", "both"),
    ("ssl_certfile: gone.pem\nssl_keyfile: cert.key", 3, "ssl_certfile", "there is no file", "gone.pem"),
    ("ssl_certfile: sub\nssl_keyfile: cert.key", 3, "ssl_certfile", "is a folder", ""),
    ("ssl_certfile: cert.pem\nssl_keyfile: other.key", 4, "ssl_keyfile", "does not fit the certificate", ""),
    ("ssl_certfile: cert.pem\nssl_keyfile: locked.key", 4, "ssl_keyfile", "is behind a password", "openssl"),
    ("ssl_certfile: cert.pem\nssl_keyfile: plain.txt", 4, "ssl_keyfile", "holds no key in PEM", "BEGIN"),
    ("ssl_certfile: plain.txt\nssl_keyfile: cert.key", 3, "ssl_certfile", "holds no certificate", "BEGIN"),
    ("ssl_cafile: cert.pem", 3, "ssl_cafile", "of no use without TLS", "`ssl_certfile`"),
    ("token: ''", 3, "token", "a token is printable ASCII without spaces, and not empty", ""),
    ("token: a b", 3, "token", "a token is printable ASCII without spaces", ""),
    ("token: [a]", 3, "token", "a token is text, not", ""),
    ("token: ${NOPE}", 3, "token", "the variable `NOPE` is not set", ""),
    ("host: 10.0.0.1\ntoken: x", 3, "host", "is not a loopback address", "`ssl_certfile`"),
    ("host: 10.0.0.1\nssl_certfile: cert.pem\nssl_keyfile: cert.key", 3, "host", "not a loopback", "token"),
    ("host: a b", 3, "host", "`a b` is not an address", ""),
    ("grpc_metadata: {X-Tenant: a}", 3, "grpc_metadata.X-Tenant", "can't be a key", "lower-case"),
    ("grpc_metadata: {x-bin: a}", 3, "grpc_metadata.x-bin", "`-bin` has bytes", ""),
    ("grpc_metadata: {grpc-timeout: a}", 3, "grpc_metadata.grpc-timeout", "can't be a key", "gRPC's own"),
    ("grpc_metadata: {a: é}", 3, "grpc_metadata.a", "is printable ASCII", ""),
    ("grpc_metadata: [a]", 3, "grpc_metadata", "must be a map of values, not a list", ""),
    ("grpc_channel_options: {a: true}", 3, "grpc_channel_options.a", "whole number or text", "1 for true"),
    ("grpc_server_options: {a: 1.5}", 3, "grpc_server_options.a", "a whole number or text, not `1.5`", ""),
    ("grpc_server_options: {a: 99999999999}", 3, "grpc_server_options.a", "does not fit in 32 bits", ""),
    ("grpc_server_options: 7", 3, "grpc_server_options", "must be a map of options, not `7`", ""),
    # Requests, devices, limits
    ("partial: some", 3, "partial", "must be one of `fail`, `allow`, not `some`", ""),
    ("reload: 1", 3, "reload", "must be true or false, not `1`", ""),
    ("gpus: 0", 3, "gpus", "a whole number from 1 up, not `0`", ""),
    ("gpus: sprad", 3, "gpus", "must be `spread`, `auto` or a whole number from 1 up", ""),
    ("gpus: [1]", 3, "gpus", "must be `spread`, `auto` or a whole number, not a list", ""),
    ("gpus: 1\nenv: {CUDA_VISIBLE_DEVICES: RR}", 3, "gpus", "both deal devices", "leave one"),
    ("limits: 2GiB", 3, "limits", "must be a map of limits, not `2GiB`", "{memory: 2GiB"),
    ("limits: {memry: 1}", 3, "limits.memry", "`memry` is not a key of limits", "`memory`"),
    ("limits: {memory: 2 apples}", 3, "limits.memory", "`2 apples` is not a size", "`2GiB`"),
    ("limits: {memory: 2.5}", 3, "limits.memory", "must be a size, not `2.5`", ""),
    ("limits: {memory: 0}", 3, "limits.memory", "must be 1 or more", ""),
    ("limits: {cpus: 0}", 3, "limits.cpus", "must be from 0.01 to 4096, not `0`", ""),
    ("limits: {cpus: two}", 3, "limits.cpus", "must be a number, not `two`", ""),
    ("limits: {files: 0}", 3, "limits.files", "must be 1 or more", ""),
    ("limits: {processes: 1.5}", 3, "limits.processes", "must be a whole number, not `1.5`", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the mistakes name: certificates and keys, a class, a folder, a text."""
    folder = tmp_path_factory.mktemp("files")
    shown = self_signed(folder, "cert")
    self_signed(folder, "other")
    subprocess.run(
        ["openssl", "pkey", "-in", shown.key, "-out", str(folder / "locked.key"), "-aes128", "-passout", "pass:x"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "sub").mkdir()
    (folder / "plain.txt").write_text("plain\n")
    (folder / "search.py").write_text("class Search: ...\n")
    return folder


@pytest.mark.parametrize(("keys", "line", "key", "message", "hint"), MISTAKES)
def test_a_mistake(
    tmp_path: Path, files: Path, keys: str, line: int, key: str, message: str, hint: str
) -> None:
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    body = "".join(f"    {row}\n" for row in keys.splitlines())
    found = only(tmp_path, f"deployments:\n  - name: index\n{body}  - name: other\n")
    assert (found.file, found.line) == (str(tmp_path / "topology.yml"), line)
    assert found.key == f"deployments[0].{key}"
    assert message in found.message
    assert hint in f"{found.message} {found.hint}"


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ("host: 0.0.0.0, token: x", "host", "is not a loopback address"),
        ("host: 0.0.0.0, ssl_certfile: cert.pem, ssl_keyfile: cert.key", "host", "is not a loopback address"),
        ("ssl_certfile: cert.pem", "ssl_certfile", "needs `ssl_keyfile`"),
        ("ssl_certfile: cert.pem, ssl_keyfile: other.key", "ssl_keyfile", "does not fit the certificate"),
        ("token: ' '", "token", "without spaces"),
        ("tls: true", "tls", "`tls` is not built yet"),
        ("host: [a]", "host", "must be an address, not a list"),
        ("grpc_server_options: {a: [1]}", "grpc_server_options.a", "a whole number or text, not a list"),
    ],
)
def test_a_mistake_in_a_gateway(tmp_path: Path, files: Path, keys: str, key: str, message: str) -> None:
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    found = only(tmp_path, f"deployments: [{{name: a}}]\ngateway: {{{keys}}}\n")
    assert (found.line, found.key) == (2, f"gateway.{key}")
    assert message in found.message


def test_nobody_needs_what_speaks_http(tmp_path: Path) -> None:
    found = only(tmp_path, "deployments:\n- {name: a, command: x, protocol: http}\n- name: b\n  needs: a\n")
    assert (found.line, found.key) == (4, "deployments[1].needs")
    assert found.message == "`a` speaks HTTP, and no gateway calls it"


def test_what_a_misread_key_leads_to_is_no_second_mistake(tmp_path: Path) -> None:
    found = only(tmp_path, "deployments: [{name: a, comand: x, protocol: http}]\n")
    assert found.key == "deployments[0].comand"


@pytest.mark.parametrize(
    ("specs", "told"),
    [
        ([("a", (), ("b",)), ("b", (), ("a",))], "`depends_on` goes in a circle: a -> b -> a"),
        ([("a", ("b",), ()), ("b", (), ("a",))], "`needs` and `depends_on` go in a circle: a -> b -> a"),
        (
            [("a", ("b",), ("c",)), ("b", (), ()), ("c", ("a",), ())],
            "`needs` and `depends_on` go in a circle: a -> c -> a",
        ),
    ],
)
def test_circles(specs: list[tuple[str, tuple[str, ...], tuple[str, ...]]], told: str) -> None:
    deployments = tuple(
        DeploymentSpec(name, needs=needs, depends_on=depends) for name, needs, depends in specs
    )
    found = check(Topology("x", deployments))
    assert [mistake.message for mistake in found] == [told]
    assert found[0].key.startswith("deployments[0].")


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"deployments: [{{name: a, token: '{SECRET} x'}}]",
        f"deployments: [{{name: a, token: {{a: {SECRET}}}}}]",
        f"gateway: {{token: 'é{SECRET}'}}\ndeployments: [{{name: a}}]",
        f"deployments: [{{name: a, grpc_metadata: {{authorization: 'é{SECRET}'}}}}]",
        f"deployments: [{{name: a, grpc_metadata: {{Authorization: '{SECRET}'}}}}]",
        f"deployments: [{{name: a, command: x, env: {{TOKEN: '{SECRET}{{x}}'}}}}]",
        "deployments: [{name: a, token: 'a ${DB_PASSWORD}'}]",
    ],
)
def test_no_message_tells_a_secret(tmp_path: Path, text: str) -> None:
    assert SECRET not in repr(mistakes(written(tmp_path, text), {"DB_PASSWORD": SECRET}))


@pytest.mark.parametrize(
    ("fields", "key", "message"),
    [
        ({"runtime": "container"}, "runtime", "must be one of `process`, `thread`, not `container`"),
        ({"command": ["serve"]}, "command", "must be words"),
        ({"command": ("serve", 1)}, "command", "must be words"),
        ({"probe": "grpc"}, "probe", "must be a probe, not `grpc`"),
        ({"probe": Probe(ProbeKind.EXEC)}, "probe.exec", "names no program"),
        ({"probe": Probe(every=-1)}, "probe.every", "must be from 0.001"),
        ({"liveness": Probe(ProbeKind.LOG, pattern="a")}, "liveness", "can't be a line of the log"),
        ({"limits": {"memory": 1}}, "limits", "must be limits"),
        ({"limits": Limits(memory=-1)}, "limits.memory", "must be 1 or more, not `-1`"),
        ({"gpus": 2}, "gpus", "must be `spread`, `auto` or a whole number from 1 up"),
        ({"external": True}, "port", "needs its host and port"),
        ({"external": True, "hosts": ("a",), "ports": (0,)}, "port", "must be from 1 to 65535, not `0`"),
        ({"external": True, "hosts": ("a", "b"), "ports": (1, 2)}, "replicas", "but 2 addresses"),
        ({"external": 1}, "external", "must be true or false, not `1`"),
        ({"token": 7}, "token", "a token is printable ASCII"),
        ({"grpc_metadata": {"a": 7}}, "grpc_metadata.a", "is printable ASCII"),
        ({"grpc_metadata": [("a", "b")]}, "grpc_metadata", "must be a map of text"),
        ({"grpc_channel_options": {"a": True}}, "grpc_channel_options.a", "is a whole number or text"),
        ({"grpc_server_options": ()}, "grpc_server_options", "must be a map of options"),
        ({"partial": "maybe"}, "partial", "must be one of `fail`, `allow`, not `maybe`"),
        ({"ssl_certfile": "/a.pem"}, "ssl_certfile", "needs `ssl_keyfile`"),
        ({"depends_on": ("b",)}, "depends_on", "there is no deployment `b`"),
    ],
)
def test_a_mistake_made_in_python(fields: dict[str, Any], key: str, message: str) -> None:
    (found,) = check(Topology("x", (DeploymentSpec(**{"name": "a", **fields}),)))
    assert found.key == f"deployments[0].{key}"
    assert message in found.message


def test_a_gateway_made_in_python_that_all_can_reach() -> None:
    gateway = GatewaySpec("0.0.0.0", 8080, ssl_certfile="/a.pem", ssl_keyfile="/a.key", token="x")
    assert check(Topology("x", (DeploymentSpec("a"),), gateway)) == ()
