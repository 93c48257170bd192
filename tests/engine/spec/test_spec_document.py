"""A topology on its way to the engine: nothing is lost, and its digest is that of its meaning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.fakes.topologies import topologies

from quarterdeck.engine.errors import SpecError
from quarterdeck.engine.spec.document import digest, dump, load
from quarterdeck.engine.spec.file import load as load_file
from quarterdeck.engine.spec.topology import DeploymentSpec, Topology


@settings(deadline=None)
@given(topologies())
def test_what_was_dumped_is_loaded(topology: Topology) -> None:
    assert load(dump(topology)) == topology
    assert dump(load(dump(topology))) == dump(topology)


@settings(deadline=None)
@given(topologies(), topologies())
def test_equal_topologies_and_no_others_have_equal_texts(one: Topology, other: Topology) -> None:
    assert (one == other) == (dump(one) == dump(other))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", "7", "{", "[" * 100_000,
        '{"name": "x", "gateway": 7, "deployments": []}',
        '{"name": "x", "gateway": null, "deployments": 3}',
        '{"name": "x", "gateway": null, "deployments": [1]}',
        '{"name": "x", "gateway": null, "deployments": [{}]}',
    ],
    ids=range(11),
)  # fmt: skip
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="not a topology's document"):
        load(text)


def read(path: Path, text: str) -> Topology:
    path.write_text(text)
    return load_file(path, {})


def test_the_digest_is_that_of_the_meaning(tmp_path: Path) -> None:
    path = tmp_path / "topology.yml"
    written = read(
        path, "name: x\ndeployments:\n- {name: a, shards: 2, env: {A: x, B: y}, timeout_ready: 60}\n"
    )
    reworded = read(
        path,
        '# a comment\ndeployments:\n  - env: {B: "y", A: x}\n    timeout_ready: 1m\n'
        "    name: a\n    shards: 2\nname: x\n",
    )
    renamed = read(tmp_path / "other.yml", path.read_text())
    assert digest(written) == digest(reworded) == digest(renamed)
    assert len(digest(written)) == 16


TOPOLOGY = Topology("x", (DeploymentSpec("a"), DeploymentSpec("b")))


@pytest.mark.parametrize(
    "changed",
    [
        replace(TOPOLOGY, name="y"),
        replace(TOPOLOGY, gateway=None),
        replace(TOPOLOGY, folder="/srv"),
        replace(TOPOLOGY, deployments=TOPOLOGY.deployments[:1]),
        replace(TOPOLOGY, deployments=TOPOLOGY.deployments[::-1]),
        replace(TOPOLOGY, deployments=(DeploymentSpec("a", replicas=2), DeploymentSpec("b"))),
        replace(TOPOLOGY, deployments=(DeploymentSpec("a", env={"A": ""}), DeploymentSpec("b"))),
        replace(TOPOLOGY, deployments=(DeploymentSpec("a", timeout_ready=None), DeploymentSpec("b"))),
    ],
)
def test_the_digest_changes_with_the_meaning(changed: Topology) -> None:
    assert digest(changed) != digest(TOPOLOGY)
