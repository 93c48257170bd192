"""Help that fits a screen, `--version`, and what `qd doctor` finds."""

from __future__ import annotations

import json
import os
import re
import signal
from importlib import import_module

import pytest
from tests.fakes.homes import eventually, ours
from tests.tui.cli.command import Qd

from quarterdeck import __version__
from quarterdeck.tui.cli import main as cli
from quarterdeck.tui.cli.main import VERBS, main, overview


def page(verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_a_screen_and_has_an_example(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = page(verb, capsys, monkeypatch).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    example = text.partition("example:\n")[2]
    assert re.search(rf"\bqd( {verb}\b|\s)", example), text


def test_the_overview_fits_too_and_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--help", "-h", "help"):
        assert main([option]) == 0
        assert capsys.readouterr().out == overview() + "\n"
    lines = overview().splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 32
    assert all(any(line.startswith(f"  {verb} ") for line in lines) for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_a_module_with_three_things(verb: str) -> None:
    module = import_module(f"quarterdeck.tui.cli.{verb}")
    assert module.__doc__
    assert f"`qd {verb}`" in module.__doc__
    assert callable(module.configure)
    assert callable(module.run)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"quarterdeck {__version__}\n"


def test_an_interrupt_while_it_thinks_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "dispatch", interrupted)
    assert main(["ps"]) == 130


# -- doctor


def findings(qd: Qd) -> dict[str, dict[str, str]]:
    _, out, _ = qd.run("doctor", "--json")
    return {finding["what"]: finding for finding in json.loads(out)}


def test_a_sound_host_with_nothing_running(qd: Qd) -> None:
    found = findings(qd)
    assert {"quarterdeck", "terminal", "home", "engine", "gpus", "docker", "open files", "disk"} <= set(found)
    assert all(list(finding) == ["what", "state", "found", "help"] for finding in found.values())
    assert {finding["state"] for finding in found.values()} <= {"good", "note"}
    assert found["quarterdeck"]["found"].startswith(__version__)
    assert found["engine"]["found"] == "none runs"
    assert found["terminal"]["found"] == "standard output is not one"
    code, out, err = qd.run("doctor")
    assert (code, err) == (0, "")
    assert all(line.startswith(("ok  ", "note", "BAD ", " ")) for line in out.splitlines())
    assert ours(qd.home) == []  # looking starts nothing


def test_an_engine_that_runs(qd: Qd) -> None:
    qd.done("engine", "start")
    assert findings(qd)["engine"]["found"] == f"answers at {qd.home.socket}"


def test_what_a_killed_engine_left(qd: Qd) -> None:
    qd.done("engine", "start")
    status = json.loads(qd.done("engine", "status", "--json"))
    # The keeper first, held still: with its engine gone it would end everything and leave nothing to find.
    os.kill(status["keeper_pid"], signal.SIGSTOP)
    os.kill(status["pid"], signal.SIGKILL)
    eventually(
        lambda: [process.pid for process in ours(qd.home)] == [status["keeper_pid"]], "the engine's end"
    )
    found = findings(qd)
    assert (found["stray processes"]["state"], found["stray processes"]["found"]) == (
        "bad", f"pid {status['keeper_pid']}",
    )  # fmt: skip
    assert "qd.sock" in found["stale files"]["found"]
    assert qd.run("doctor")[0] == 1
    qd.done("engine", "start")  # the help says that this ends them
    assert "stray processes" not in findings(qd)
    assert status["keeper_pid"] not in [process.pid for process in ours(qd.home)]


def test_a_home_that_others_can_enter(qd: Qd) -> None:
    qd.home.folder.chmod(0o755)
    found = findings(qd)["home"]
    assert (found["state"], "chmod 700" in found["help"]) == ("bad", True)
    assert qd.run("doctor")[0] == 1


def test_devices_that_are_only_counted(qd: Qd) -> None:
    found = findings(Qd(qd.home, qd.folder, {"CUDA_TOTAL_DEVICES": "3"}))["gpus"]
    assert found["found"].startswith("3 (CUDA_TOTAL_DEVICES)") or "NVML" in found["found"]


def test_a_proxy_is_mentioned(qd: Qd) -> None:
    assert (
        "http_proxy"
        in findings(Qd(qd.home, qd.folder, {"http_proxy": "http://proxy:3128"}))["proxy"]["found"]
    )
