"""Files that were written for Jina: the same topology, times in milliseconds, mistakes at their lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.spec.test_spec_mistakes import only, written

from quarterdeck.engine.spec.file import load
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec, Polling

FLOW = """\
jtype: Flow
version: '1'
with:
  port: 51000
  protocol: gRPC
executors:
  - name: encode
    uses: search.py:Encode
    uses_with: {dim: 64}
    timeout_ready: 120000
    replicas: 2
  - uses: search.Index
    shards: 2
    polling: '{"/search": "ALL", "*": "ANY"}'
    needs: [encode]
    timeout_ready: -1
    env: {OMP_NUM_THREADS: 2}
  - name: remote
    external: true
    host: example.org
    port: 443
    tls: true
    needs: gateway
    timeout_ready: 90s
"""


def test_a_flow(tmp_path: Path) -> None:
    (tmp_path / "search.py").write_text("class Encode: ...\nclass Index: ...\n")
    topology = load(written(tmp_path, FLOW), {})
    assert topology.gateway == GatewaySpec(port=51000)
    assert topology.deployments == (
        DeploymentSpec(
            "encode",
            uses=f"{tmp_path}/search.py:Encode",
            uses_with={"dim": 64},
            timeout_ready=120.0,
            replicas=2,
        ),
        DeploymentSpec(
            "executor1",
            uses="search.Index",
            shards=2,
            polling={"*": Polling.ANY, "/search": Polling.ALL},
            needs=("encode",),
            timeout_ready=None,
            env={"OMP_NUM_THREADS": "2"},
        ),
        DeploymentSpec(
            "remote",
            external=True,
            host="example.org",
            port=443,
            hosts=("example.org",),
            ports=(443,),
            tls=True,
            timeout_ready=90.0,
        ),
    )


def test_a_deployment(tmp_path: Path) -> None:
    text = "jtype: Deployment\nwith:\n  port: 51000\n  timeout_ready: 500\n"
    topology = load(written(tmp_path, text), {})
    assert topology.gateway is None
    assert topology.deployments == (DeploymentSpec("executor", port=51000, timeout_ready=0.5),)


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        ("jtype: Client\n", 1, "", "`jtype` is `Client`"),
        ("jtype: [Flow]\n", 1, "", "`jtype` is a list or a map"),
        ("jtype: Flow\n", 1, "deployments", "a topology needs the key `deployments`"),
        ("jtype: Flow\nexecutors:\n- name: a\n  shard: 2\n", 4, "deployments[0].shard", "is not a key"),
        ("jtype: Flow\nexecutors:\n- 7\n", 3, "deployments[0]", "a deployment is a map, not `7`"),
        ("jtype: Flow\nexecutors: 7\n", 2, "deployments", "must be a list, not `7`"),
        (
            "jtype: Flow\nwith: {prefetch: 3}\nexecutors: [{name: a}]\n",
            2, "gateway.prefetch", "`prefetch` is not a key of a gateway",
        ),
        (
            "jtype: Flow\nexecutors:\n- name: a\n  polling: '{\"/a\": \"SOME\"}'\n",
            4, "deployments[0].polling./a", "must be `ANY` or `ALL`",
        ),
        (
            "jtype: Flow\nexecutors:\n- name: a\n  polling: '{'\n",
            4, "deployments[0].polling", "must be `ANY` or `ALL`",
        ),
        ("jtype: Deployment\nwith: {shard: 2}\n", 2, "deployments[0].shard", "is not a key of a deployment"),
    ],
)  # fmt: skip
def test_a_mistake(tmp_path: Path, text: str, line: int, key: str, message: str) -> None:
    found = only(tmp_path, text)
    assert (found.line, found.key) == (line, key)
    assert message in found.message
