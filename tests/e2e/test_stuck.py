"""Pods that don't want to go: gone within their grace and a second, with all that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.engines import QD, Engine, gone, until, write

GRACE = 1.0
ROOM = 5
"""Bounds are asserted at so many times their value."""
STUCK = '''
import os, signal, threading, time
from quarterdeck import Executor, requests


def flood():
    while True:
        print("water " * 20, flush=True)


def leave():
    """A daemon that left its session by forking twice, and ignores SIGTERM like its parent."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(0)
    os.wait()


class Stuck(Executor):
    def __init__(self):
        leave()
        leave()

    @requests(on="/stick")
    async def stick(self, tensors):
        """Never comes back, in the very thread that serves and takes signals."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        threading.Thread(target=flood, daemon=True).start()
        while True:
            time.sleep(1)

    @requests
    def echo(self, tensors):
        return tensors
'''
TOPOLOGY = """\
name: s
gateway: none
deployments:
  - {name: a, uses: 'stuck.py:Stuck', grace: %g, restart: always}
"""


@pytest.fixture
def stuck(engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """An engine whose only pod is stuck, with two daemons."""
    write(tmp_path / "stuck.py", STUCK)
    engine.qd("up", "-d", write(tmp_path / "s.yml", TOPOLOGY % GRACE))
    stick = ["send", "s", "--endpoint", "/stick", "--data", '{"x": [1]}', "--timeout", "600"]
    log = engine.home.logs / "s" / "a" / "rep-0" / "run-1.log"
    with subprocess.Popen([QD, *stick], env=engine.env, stderr=subprocess.DEVNULL) as sending:
        until(lambda: log.stat().st_size > 100_000, "it floods its log")
        yield engine
        sending.kill()


def of_pods(engine: Engine) -> set[int]:
    """Processes of pods: all that are neither the engine's own, nor the keeper's."""
    status = engine.status()
    family = {status["pid"], status["keeper_pid"]}
    return set(engine.processes()) - family


@pytest.mark.parametrize("how", ["stop", "down"])
def test_a_stuck_pod_is_gone_within_its_grace_and_a_second(stuck: Engine, how: str) -> None:
    pods = of_pods(stuck)
    assert len(pods) == 3  # the pod and its daemons
    begin = time.monotonic()
    with subprocess.Popen(
        [QD, how, *(["s/a/rep-0"] if how == "stop" else ["s"])], env=stuck.env, stdout=subprocess.DEVNULL
    ) as asked:
        until(lambda: all(gone(pid) for pid in pods), "pod and daemons have ended")
        took = time.monotonic() - begin
        assert asked.wait(20) == 0
    assert GRACE <= took < (GRACE + 1.0) * ROOM
    assert of_pods(stuck) == set()


def test_it_is_restarted_all_the_same(stuck: Engine) -> None:
    before = stuck.ps()["s/a/rep-0"]
    stuck.qd("restart", "s/a/rep-0")
    until(lambda: stuck.ps()["s/a/rep-0"]["restarts"] == 1, "there is another run")
    stuck.qd("wait", "s", "--timeout", "20")
    after = stuck.ps()["s/a/rep-0"]
    assert (after["port"], after["phase"]) == (before["port"], "ready")
    stuck.qd("send", "s", "--data", '{"x": [1]}')
    assert len(of_pods(stuck)) == 3


def test_one_that_is_frozen_goes_too(engine: Engine, tmp_path: Path) -> None:
    write(tmp_path / "stuck.py", STUCK)
    engine.qd("up", "-d", write(tmp_path / "s.yml", TOPOLOGY % GRACE))
    pid = engine.ps()["s/a/rep-0"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    begin = time.monotonic()
    engine.qd("down", "s")
    assert gone(pid)
    assert time.monotonic() - begin < (GRACE + 1.0) * ROOM
