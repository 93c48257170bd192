"""Each end of the table in the contract (keep off), by `kill -9`: what goes, what stays, what comes back."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.e2e.engines import Engine, gone, until, write

DAEMON = """
import os, subprocess, sys, time
from quarterdeck import Executor, requests

class Leaver(Executor):
    '''Starts a child, and a daemon that left its session by forking twice.'''

    def __init__(self) -> None:
        self.child = subprocess.Popen(["sleep", "1000"])
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        os.wait()

    @requests
    def echo(self, tensors):
        return tensors
"""


@pytest.fixture
def leavers(engine: Engine, tmp_path: Path) -> Engine:
    """An engine with two pods, each with a child and a daemon."""
    write(tmp_path / "leaver.py", DAEMON)
    text = "name: l\ngateway: none\ndeployments:\n  - {name: a, uses: 'leaver.py:Leaver', replicas: 2}\n"
    engine.qd("up", "-d", write(tmp_path / "l.yml", text))
    assert len(engine.processes()) == 2 + 2 * 3  # engine and keeper; pod, child and daemon
    return engine


def test_a_pod_killed_leaves_no_descendant_and_comes_back_on_its_port(leavers: Engine) -> None:
    before = leavers.ps()["l/a/rep-0"]
    old = set(leavers.processes())
    os.kill(before["pid"], signal.SIGKILL)
    took = until(lambda: leavers.ps()["l/a/rep-0"]["restarts"] == 1, "it was restarted")
    leavers.qd("wait", "l", "--timeout", "10")
    after = leavers.ps()["l/a/rep-0"]
    assert (after["port"], after["phase"]) == (before["port"], "ready")
    assert after["pid"] != before["pid"]
    assert took < 10  # the bound is 2 s
    fresh = set(leavers.processes()) - old
    assert len(fresh) == 3
    assert len(set(leavers.processes()) & old) == 2 + 3  # of the old ones the killed pod's three are gone


def test_down_leaves_nothing_but_logs(leavers: Engine) -> None:
    leavers.qd("down")
    status = leavers.status()
    assert sorted(leavers.processes()) == sorted([status["pid"], status["keeper_pid"]])
    assert (leavers.home.logs / "l" / "a" / "rep-0" / "run-1.log").exists()
    leavers.qd("engine", "stop")
    until(lambda: not leavers.processes(), "engine and keeper have ended")
    assert leavers.remains() == []


def test_engine_killed_everything_is_gone_but_logs(leavers: Engine) -> None:
    os.kill(leavers.status()["pid"], signal.SIGKILL)
    took = until(lambda: not leavers.processes(), "every process has ended")
    assert took < 10  # the bound is 2 s
    until(lambda: leavers.remains() == [], "the sockets are gone")
    assert (leavers.home.logs / "l" / "a" / "rep-0" / "run-1.log").exists()
    assert leavers.qd("ps", code=3).stderr.startswith("qd: no engine answers")


def test_keeper_killed_pods_die_with_it_and_a_new_one_restarts_them(leavers: Engine) -> None:
    before = leavers.ps()
    old = leavers.status()
    others = set(leavers.processes()) - {old["pid"]}
    os.kill(old["keeper_pid"], signal.SIGKILL)
    until(lambda: all(gone(pid) for pid in others), "pods and all that they started have ended")
    until(lambda: leavers.status()["keeper_pid"] not in (None, old["keeper_pid"]), "there is a new keeper")
    until(lambda: all(row["restarts"] == 1 for row in leavers.ps().values()), "pods were restarted")
    leavers.qd("wait", "l", "--timeout", "10")
    after = leavers.ps()
    assert leavers.status()["pid"] == old["pid"]
    assert {name: row["port"] for name, row in after.items()} == {
        name: row["port"] for name, row in before.items()
    }


def test_engine_and_keeper_killed_at_once_the_next_engine_ends_what_is_left(leavers: Engine) -> None:
    status = leavers.status()
    rows = leavers.ps().values()
    os.kill(status["pid"], signal.SIGSTOP)  # it must not see that its keeper goes first
    for pid in (status["keeper_pid"], status["pid"]):
        os.kill(pid, signal.SIGKILL)
    until(lambda: all(gone(row["pid"]) for row in rows), "pods died with their keeper")
    strays = leavers.processes()
    assert len(strays) == 4  # children and daemons, under init now
    found = leavers.qd("doctor", code=1).stdout
    assert all(str(pid) in found for pid in strays)
    leavers.qd("engine", "start")
    assert all(gone(pid) for pid in strays)
    leavers.qd("engine", "stop")


def test_a_pod_that_ignores_term_is_gone_within_its_grace(engine: Engine, tmp_path: Path) -> None:
    write(
        tmp_path / "deaf.py",
        "import signal, threading, time\nfrom quarterdeck import Executor, requests\n"
        "class Deaf(Executor):\n    @requests\n    def echo(self, tensors):\n"
        "        while True:\n            pass\n",
    )
    text = "name: d\ngateway: none\ndeployments:\n  - {name: a, uses: 'deaf.py:Deaf', grace: 1}\n"
    engine.qd("up", "-d", write(tmp_path / "d.yml", text))
    engine.qd("send", "d", "--data", '{"x": [1]}', "--timeout", "0.3", code=1)
    pid = engine.ps()["d/a/rep-0"]["pid"]
    engine.qd("stop", "d/a")
    assert gone(pid)
    assert engine.ps()["d/a/rep-0"]["phase"] == "stopped"
