"""A topology under TLS with tokens, as its user sees it: a file and `qd`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.engines import Engine, new_engine, write
from tests.fakes.certificates import Authority, Shown, self_signed

EXECUTOR = """\
from quarterdeck import Executor, requests


class Index(Executor):
    @requests(on="/find")
    def find(self, tensors):
        return {"found": [f"in {self.shard}"]}
"""
TOPOLOGY = """\
name: vault
gateway: {{ssl_certfile: {gate.cert}, ssl_keyfile: {gate.key}, token: front}}
deployments:
  - name: index
    uses: index.py:Index
    shards: 2
    polling: ALL
    ssl_certfile: {pods.cert}
    ssl_keyfile: {pods.key}
    ssl_cafile: {ca}
    token: back
"""


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return self_signed(tmp_path_factory.mktemp("gate"), "gate.test")


@pytest.fixture(scope="module")
def vault(gate: Shown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("vault")
    authority = Authority.new(folder)
    write(folder / "index.py", EXECUTOR)
    text = TOPOLOGY.format(gate=gate, pods=authority.sign("pods.test"), ca=authority.ca)
    with new_engine() as engine:
        engine.qd("up", "-d", "--wait", write(folder / "vault.yml", text))
        yield engine


def test_a_request_passes_under_tls_with_each_ones_token(vault: Engine, gate: Shown, tmp_path: Path) -> None:
    token = write(tmp_path / "token", "front\n")
    sent = vault.qd("send", "vault", "--endpoint", "/find", "--ca", gate.cert, "--token", f"@{token}")
    assert json.loads(sent.stdout) == {"found": ["in 0", "in 1"]}
    named = vault.qd("send", "vault", "--endpoint", "/find", "--ca", gate.cert, "--tls-name", "gate.test",
                     "--metadata", "Authorization=Bearer front")  # fmt: skip
    assert named.stdout == sent.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ca", "{ca}"], "UNAUTHENTICATED: it asks for a token, and got none"),
        (["--ca", "{ca}", "--token", "x"], "UNAUTHENTICATED: the token in `authorization` is another"),
        (
            ["--ca", "{ca}", "--token", "front", "--tls-name", "x.test"],
            "TLS: the certificate is for another name",
        ),
        (["--tls", "--token", "front"], "TLS: the certificate is not trusted"),
        (["--ca", "/none.pem"], "TLS: /none.pem: No such file or directory"),
    ],
)
def test_who_is_not_let_in_is_told_why(vault: Engine, gate: Shown, options: list[str], words: str) -> None:
    filled = [option.format(ca=gate.cert) for option in options]
    assert words in vault.qd("send", "vault", "--endpoint", "/find", *filled, code=1).stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--metadata", "x"], "--metadata 'x' is not an entry"),
        (["--token", "@/none"], "--token: /none: No such file"),
    ],
)
def test_what_is_no_entry_and_no_file(vault: Engine, options: list[str], words: str) -> None:
    assert words in vault.qd("send", "vault", *options, code=2).stderr


def test_a_pod_that_its_callers_do_not_trust_says_so_where_it_stands(vault: Engine, tmp_path: Path) -> None:
    shown, other = self_signed(tmp_path, "pods.test"), Authority.new(tmp_path)
    text = (
        "name: distrust\ngateway: none\ndeployments:\n  - name: a\n    timeout_ready: 2\n"
        f"    ssl_certfile: {shown.cert}\n    ssl_keyfile: {shown.key}\n    ssl_cafile: {other.ca}\n"
    )
    failed = vault.qd("up", "-d", "--wait", write(tmp_path / "distrust.yml", text), code=1)
    assert "TLS: the certificate is not trusted: self-signed certificate" in failed.stdout + failed.stderr
