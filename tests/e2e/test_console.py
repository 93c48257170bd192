"""The console as its user has it: the real program in a real terminal, by keys alone, on real pods."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from tests.e2e.engines import QD, Engine, gone, until, write
from tests.e2e.terminal import terminal

EXECUTOR = """
from quarterdeck import Executor, requests

class Greeter(Executor):
    def __init__(self) -> None:
        print("first words of", self.name)

    @requests
    def greet(self, tensors):
        print("greeting", flush=True)
        return {"said": ["hello"]}
"""
TOPOLOGY = "name: g\ndeployments:\n  - {name: a, uses: 'greeter.py:Greeter', replicas: 2}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path / "greeter.py", EXECUTOR)
    return write(tmp_path / "g.yml", TOPOLOGY)


def said(engine: Engine, target: str) -> str:
    return str(json.loads(engine.qd("send", target).stdout)["said"][0])


def test_filter_follow_restart_stop_start_quit_and_attach_again(engine: Engine, file: Path) -> None:
    with terminal([str(QD), "up", str(file)], engine.env, 160, 45) as console:
        console.until("3/3 ready")
        pod = engine.ps()["g/a/rep-1"]
        assert str(pod["port"]) in console.row("└ rep-1")

        console.press("/", "rep-1", "enter")
        console.until(lambda text: "rep-0" not in text.split("│")[0] and "rep-1" in text)
        console.press("G")
        console.until("first words of")

        assert said(engine, "g/a/rep-1") == "hello"
        console.until("greeting")  # followed without a key

        write(file.with_name("greeter.py"), EXECUTOR.replace('"hello"', '"good day"'))
        console.press("r")
        console.until(lambda _: engine.ps()["g/a/rep-1"]["restarts"] == 1)
        console.until(lambda _: " ready" in console.row("└ rep-1") and "  1  " in console.row("└ rep-1"))
        after = engine.ps()["g/a/rep-1"]
        assert (after["port"], after["pid"] != pod["pid"]) == (pod["port"], True)
        assert said(engine, "g/a/rep-1") == "good day"

        console.press("x")
        console.until(lambda _: "stopped" in console.row("└ rep-1"))
        console.press("S")
        console.until(lambda _: " ready" in console.row("└ rep-1"))

        console.press("q")
        console.until("leave running")
        console.press("enter")  # the first and default button
        assert console.exit_code() == 0
        assert console.is_sane()
    assert engine.ps()["g/a/rep-1"]["ready"]
    with terminal([str(QD)], engine.env, 80, 24) as console:
        console.until("3/3 ready")
        console.press("q")
        assert console.exit_code() == 0
        assert console.is_sane()
    assert engine.ps()["g/a/rep-1"]["ready"]


def test_engine_lost_and_found_by_the_same_console(engine: Engine, file: Path) -> None:
    engine.qd("up", "-d", file)
    with terminal([str(QD), "attach"], engine.env) as console:
        console.until("3/3 ready")
        old = engine.ps()["g/a/rep-0"]
        os.kill(engine.status()["pid"], signal.SIGKILL)
        console.until("lost the engine")
        assert "rep-0" in console.text  # the last picture stays
        until(lambda: not engine.processes() or gone(old["pid"]), "pods went with the engine")
        engine.qd("up", "-d", file)
        port = str(engine.ps()["g/a/rep-0"]["port"])
        console.until(lambda text: "3/3 ready" in text and port in text)
        console.press("q")
        assert console.exit_code() == 0


def test_a_hang_up_ends_the_console_and_no_pod(engine: Engine, file: Path) -> None:
    with terminal([str(QD), "up", str(file)], engine.env) as console:
        console.until("3/3 ready")
        console.hang_up()
        console.exit_code()
    assert all(row["ready"] for row in engine.ps().values())


def test_without_an_engine_it_says_what_to_do_and_finds_one_that_starts(engine: Engine, file: Path) -> None:
    with terminal([str(QD)], engine.env, 80, 24) as console:
        console.until("no engine")
        console.until("qd up FILE")
        engine.qd("up", "-d", file)
        console.until("3/3 ready")
        console.resize(160, 45)
        console.until(lambda text: "3/3 ready" in text and "details" in text)
        console.press("q")
        assert console.exit_code() == 0
        assert console.is_sane()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda n: n.name)
def test_the_terminal_is_sane_after_a_signal(engine: Engine, file: Path, number: signal.Signals) -> None:
    engine.qd("up", "-d", file)
    with terminal([str(QD), "attach"], engine.env) as console:
        console.until("3/3 ready")
        os.kill(console.process.pid, number)
        console.exit_code()
        assert console.is_sane()
    assert all(row["ready"] for row in engine.ps().values())
