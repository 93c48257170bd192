"""A deployment of threads behind the gateway, beside one that somebody else runs, as its user sees them."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from tests.e2e.engines import Engine, gone, new_engine, until, write

EXECUTOR = """
from quarterdeck import Executor, requests

class Adds(Executor):
    def __init__(self, much=1):
        self.much = much
        print(f"made {self.name}")

    @requests
    def add(self, tensors):
        print(f"adds in {self.name}")
        return {"x": [value + self.much for value in tensors["x"]]}
"""
THEIRS = "name: theirs\ngateway: none\ndeployments:\n- {name: far, uses: 'adds.py:Adds'}\n"
OURS = """\
name: ours
deployments:
- {{name: far, external: true, port: {port}}}
- {{name: light, uses: 'adds.py:Adds', uses_with: {{much: 10}}, runtime: thread, replicas: 2, needs: far}}
"""


def threads(engine: Engine) -> dict[str, dict[str, Any]]:
    return {name: row for name, row in engine.ps().items() if row["runtime"] == "thread"}


def sent(engine: Engine) -> str:
    return engine.qd("send", "ours", "--data", '{"x": [1]}').stdout.strip()


def test_threads_and_somebody_elses_pod_in_one_topology(engine: Engine, tmp_path: Path) -> None:
    write(tmp_path / "adds.py", EXECUTOR)
    with new_engine() as other:
        other.qd("up", "-d", write(tmp_path / "theirs.yml", THEIRS))
        (port,) = (row["port"] for row in other.ps().values())
        engine.qd("up", "-d", write(tmp_path / "ours.yml", OURS.format(port=port)))
        _one_of_two_threads_stops(engine)
        _their_process_is_killed(engine)
        other.qd("stop", "theirs")
        until(lambda: engine.ps()["ours/far/rep-0"]["phase"] == "unready", "it is seen that theirs is gone")
        assert all(row["ready"] for row in threads(engine).values())
        other.qd("start", "theirs")
        until(lambda: engine.ps()["ours/far/rep-0"]["ready"], "it is seen that theirs is back")
        assert sent(engine) == '{"x": [12]}'
        running = {row["pid"] for row in engine.ps().values()} - {None}
        engine.qd("down", "ours")
        assert engine.ps() == {}
        assert all(gone(pid) for pid in running)
        assert all(row["ready"] for row in other.ps().values())
    engine.qd("engine", "stop")
    assert (engine.processes(), engine.remains()) == ([], [])


def _one_of_two_threads_stops(engine: Engine) -> None:
    rows = threads(engine)
    assert set(rows) == {"ours/light/rep-0", "ours/light/rep-1"}
    assert len({row["pid"] for row in rows.values()}) == 1
    assert len({row["port"] for row in rows.values()}) == 2
    said = engine.qd("kill", "ours/light/rep-0", code=2).stderr
    assert said.startswith("qd: can't kill ours/light/rep-0: threads of one process can't be killed alone")
    engine.qd("stop", "ours/light/rep-0")
    until(lambda: threads(engine)["ours/light/rep-0"]["phase"] == "stopped", "the end of one thread")
    assert [sent(engine) for _ in range(4)] == ['{"x": [12]}'] * 4
    engine.qd("start", "ours/light/rep-0")
    until(lambda: threads(engine)["ours/light/rep-0"]["ready"], "another life of the thread")
    again = threads(engine)
    assert {row["pid"] for row in again.values()} == {row["pid"] for row in rows.values()}
    assert again["ours/light/rep-0"]["port"] == rows["ours/light/rep-0"]["port"]
    log = engine.qd("logs", "ours/light/rep-1").stdout
    assert "made light/rep-1" in log
    assert log.count("adds in light/rep-1") == 4
    assert "light/rep-0" not in log.replace("ours/light/rep-0", "")


def _their_process_is_killed(engine: Engine) -> None:
    before = threads(engine)
    (pid,) = {row["pid"] for row in before.values()}
    os.kill(pid, signal.SIGKILL)
    until(
        lambda: all(row["ready"] and row["pid"] != pid for row in threads(engine).values()), "a new process"
    )
    after = threads(engine)
    assert len({row["pid"] for row in after.values()}) == 1
    assert [row["port"] for row in after.values()] == [row["port"] for row in before.values()]
    assert [row["exit_code"] for row in after.values()] == [-9, -9]
    assert sent(engine) == '{"x": [12]}'
