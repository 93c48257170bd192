"""Deployments that somebody else runs: in the tree and behind the gateway, unready while they don't answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.engines import Engine, new_engine, until, write

EXECUTOR = """
from quarterdeck import Executor, requests

class Adds(Executor):
    @requests
    def add(self, tensors):
        return {"x": [value + 1 for value in tensors["x"]]}
"""
THEIRS = "name: theirs\ngateway: none\ndeployments:\n- {name: far, uses: 'adds.py:Adds', replicas: 2}\n"
OURS = """\
name: ours
deployments:
- {{name: far, external: true, host: 127.0.0.1, port: [{ports}], timeout_send: 0.2}}
- {{name: near, uses: 'adds.py:Adds', needs: far}}
"""


@pytest.fixture
def file(tmp_path: Path, engine: Engine) -> Iterator[tuple[Path, Engine]]:
    """A file whose external deployment stands on two pods of another engine."""
    write(tmp_path / "adds.py", EXECUTOR)
    with new_engine() as other:
        other.qd("up", "-d", write(tmp_path / "theirs.yml", THEIRS))
        ports = ", ".join(str(row["port"]) for row in other.ps().values())
        path = write(tmp_path / "ours.yml", OURS.format(ports=ports))
        engine.qd("up", "-d", path)
        yield path, other
        engine.qd("down")
        assert all(row["ready"] for row in other.ps().values())


def test_they_are_asked_watched_and_left_alone(engine: Engine, file: tuple[Path, Engine]) -> None:
    _, other = file
    rows = engine.ps()
    for name in ("ours/far/rep-0", "ours/far/rep-1"):
        assert (rows[name]["runtime"], rows[name]["phase"], rows[name]["pid"]) == ("external", "ready", None)
    assert engine.qd("send", "ours", "--data", '{"x": [1]}').stdout.strip() == '{"x": [3]}'
    for verb in ("restart", "stop", "kill"):
        said = engine.qd(verb, "ours/far/rep-0", code=2).stderr
        assert said.startswith(f"qd: can't {verb} ours/far/rep-0: somebody else runs it")
    assert engine.qd("exec", "ours/far/rep-0", "--", "true", code=2).stderr.startswith(
        "qd: ours/far/rep-0: somebody else runs it"
    )
    other.qd("stop", "theirs")
    until(lambda: engine.ps()["ours/far/rep-0"]["phase"] == "unready", "it is seen that one does not answer")
    assert "connection refused" in engine.ps()["ours/far/rep-0"]["reason"]
    said = engine.qd("send", "ours", "--data", '{"x": [1]}', code=1).stderr
    assert "UNAVAILABLE" in said
    other.qd("start", "theirs")
    until(lambda: engine.ps()["ours/far/rep-0"]["ready"], "it is seen that one answers again")
    assert engine.ps()["ours/far/rep-0"]["restarts"] == 0
    assert engine.qd("send", "ours", "--data", '{"x": [1]}').stdout.strip() == '{"x": [3]}'
