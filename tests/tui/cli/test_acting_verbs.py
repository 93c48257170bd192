"""Verbs that change something: up, down, restart, stop, start, kill, wait, engine; and what they exit with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest
from tests.fakes.homes import eventually, ours
from tests.tui.cli.command import Qd

ONE = "name: one\ngateway: none\ndeployments:\n- {name: a, uses: work.py:Talks, replicas: 2, grace: 2}\n"
BAD = "name: bad\ngateway: none\ndeployments:\n- {name: a, uses: work.py:Fails}\n- {name: b}\n"
SLOW = "name: slow\ngateway: none\ndeployments:\n- {name: a, uses: work.py:Slow, grace: 1}\n"


def test_up_waits_shows_the_pods_and_is_no_surprise_the_second_time(qd: Qd) -> None:
    file = qd.write("one.yml", ONE)
    out = qd.done("up", "-d", file).splitlines()
    assert [line.split()[:2] for line in out[1:]] == [["one/a/rep-0", "ready"], ["one/a/rep-1", "ready"]]
    pids = [row["pid"] for row in qd.rows()]
    qd.done("up", "-d", file)
    assert qd.done("up", "-d", "--no-wait", file) == "one is up already, unchanged\n"
    qd.write("one.yml", ONE.replace("replicas: 2", "replicas: 3"))
    out = qd.done("up", "-d", file).splitlines()
    assert out[:3] == ["a: replicas 2 -> 3", "  + a/rep-2", "  2 pods untouched"]
    assert [row["phase"] for row in qd.rows()] == ["ready"] * 3
    assert [row["pid"] for row in qd.rows()][:2] == pids
    assert qd.done("down", "one") == "one down\n"
    assert qd.done("down") == "nothing is up\n"
    assert qd.rows() == []
    assert qd.done("ps") == "nothing is up; start something with: qd up FILE\n"
    assert qd.done("engine", "stop") == "the engine ended, and all its pods\n"
    assert ours(qd.home) == []
    assert (qd.home.logs / "one" / "a" / "rep-0" / "run-1.log").exists()


def test_up_of_what_fails_closes_all_and_says_why(qd: Qd) -> None:
    code, said = qd.wrong("up", "-d", qd.write("bad.yml", BAD))
    assert code == 1
    lines = said.splitlines()
    assert lines[0].startswith("qd: bad/a/rep-0 failed: exit 1 after ")
    assert "work.py:" in lines[0]
    assert "no weights at /weights.bin" in lines[0]
    assert any("RuntimeError: no weights at /weights.bin" in line for line in lines[1:])
    assert qd.rows() == []


def test_up_that_does_not_wait_leaves_what_failed_in_the_tree(qd: Qd) -> None:
    assert qd.done("up", "-d", "--no-wait", qd.write("bad.yml", BAD)) == "bad is starting\n"
    code, said = qd.wrong("wait", "bad/a")
    assert code == 1
    assert "no weights at /weights.bin" in said
    qd.done("wait", "bad/b")
    assert [row["phase"] for row in qd.rows()] == ["failed", "ready"]
    work = (qd.folder / "work.py").read_text()
    qd.write("work.py", work.replace('raise RuntimeError("no weights at /weights.bin")', "pass"))
    assert qd.done("start", "bad/a") == "1 pod ready\n"
    assert {row["phase"] for row in qd.rows()} == {"ready"}


def test_up_with_too_little_time(qd: Qd) -> None:
    code, said = qd.wrong("up", "-d", "--timeout", "0.5", qd.write("slow.yml", SLOW))
    assert code == 1
    assert said.startswith("qd: slow is not ready after 0.5s: a/rep-0 is starting")
    assert qd.rows() == []


def test_restart_stop_start_kill(qd: Qd) -> None:
    qd.done("up", "-d", qd.write("one.yml", ONE))
    before = qd.row("a/rep-0")
    assert qd.done("restart", "a/rep-0") == "1 pod restarted\n"
    after = qd.row("a/rep-0")
    assert (after["port"], after["restarts"], after["ready"]) == (before["port"], 1, True)
    assert after["pid"] != before["pid"]
    assert qd.done("logs", "--previous", "a/rep-0") == qd.done("logs", "a/rep-0")

    assert qd.done("stop", "one") == "2 pods stopped\n"
    assert [(row["phase"], row["pid"], row["ready"]) for row in qd.rows()] == [("stopped", None, False)] * 2
    qd.done("wait", "one", "--for", "stopped")
    code, said = qd.wrong("send", "a/rep-0")
    assert code == 2
    assert said.startswith("qd: one/a/rep-0 is stopped")
    assert qd.done("start", "one") == "2 pods ready\n"
    assert qd.row("a/rep-0")["port"] == before["port"]

    assert "USR1" in qd.done("kill", "-s", "usr1", "a/rep-1")
    eventually(lambda: qd.row("a/rep-1")["exit_code"] == -signal.SIGUSR1, "the end of the pod")
    qd.done("wait", "one", "--timeout", "30")
    assert qd.row("a/rep-1")["restarts"] == 1


def test_no_wait_returns_at_once(qd: Qd) -> None:
    qd.done("up", "-d", "--no-wait", qd.write("slow.yml", SLOW))
    assert qd.done("restart", "--no-wait", "slow") == "1 pod told to restart\n"
    code, said = qd.wrong("restart", "--timeout", "0.5", "slow")
    assert code == 1
    assert said.startswith("qd: not all restarted after 0.5s: a/rep-0 is ")


@pytest.mark.parametrize("option", ["--timeout=-1", "--timeout=x"])
def test_times_that_are_none(qd: Qd, option: str) -> None:
    assert qd.wrong("wait", "x", option)[0] in (2, 3)
    assert qd.wrong("wait", "x", "--timeout=x")[0] == 2


def test_stopping_what_ignores_sigterm(qd: Qd) -> None:
    qd.write("work.py", (qd.folder / "work.py").read_text().replace(
        "        for number", "        import signal\n"
        "        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n        for number",
    ))  # fmt: skip
    qd.done("up", "-d", qd.write("one.yml", ONE.replace("grace: 2", "grace: 0.3")))
    begin = time.monotonic()
    assert qd.done("stop", "one") == "2 pods stopped\n"
    assert time.monotonic() - begin < 6.5
    assert [row["exit_code"] for row in qd.rows()] == [-9, -9]


@pytest.mark.parametrize("name", ["99", "0", "SIGNOPE", "-1", ""])
def test_signals_that_are_none(qd: Qd, name: str) -> None:
    code, said = qd.wrong("kill", f"--signal={name}", "x")
    assert (code, "is not a signal; try TERM, INT, HUP, USR1 or KILL" in said) == (2, True)


# -- without a terminal `up` prints logs, and an interrupt closes what it started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_of_up_closes_the_topology(qd: Qd, number: signal.Signals) -> None:
    up = qd.open("up", qd.write("one.yml", ONE), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert up.stdout is not None
    assert up.stderr is not None
    seen = {up.stdout.readline() for _ in range(6)}
    assert b"a/rep-0  line 0 of a/rep-0\n" in seen
    up.send_signal(number)
    rest, err = up.communicate(timeout=30)
    assert (up.returncode, err) == (130, b"qd: closing one\n")
    assert b"\x1b" not in rest
    assert qd.rows() == []


@pytest.mark.parametrize(
    "verb", [["logs", "-f", "one"], ["events", "-f"], ["wait", "one", "--for", "stopped"]]
)
def test_an_interrupt_of_what_only_looks(qd: Qd, verb: list[str]) -> None:
    qd.done("up", "-d", qd.write("one.yml", ONE))
    follower = qd.open(*verb, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert follower.stdout is not None
    if verb[0] == "wait":
        # It prints nothing to be seen by; gRPC's threads begin with its channel.
        eventually(lambda: len(os.listdir(f"/proc/{follower.pid}/task")) > 1, "its connection")
    else:
        follower.stdout.readline()
    follower.send_signal(signal.SIGINT)
    _, err = follower.communicate(timeout=30)
    assert (follower.returncode, err) == (130, b"")
    assert [row["ready"] for row in qd.rows()] == [True, True]


def test_a_log_is_followed_over_a_restart(qd: Qd) -> None:
    qd.done("up", "-d", qd.write("one.yml", ONE))
    follower = qd.open("logs", "-f", "a/rep-0", stdout=subprocess.PIPE)
    try:
        assert follower.stdout is not None
        assert [follower.stdout.readline() for _ in range(3)] == [
            b"line %d of a/rep-0\n" % n for n in range(3)
        ]
        qd.done("restart", "a/rep-0")
        assert follower.stdout.readline() == b"no newline at the end\n"
        assert follower.stdout.readline() == b"line 0 of a/rep-0\n"
    finally:
        follower.kill()
        follower.communicate()


# -- exit codes


def test_no_engine_is_three(qd: Qd) -> None:
    for verb in (["ps"], ["logs", "x"], ["down"], ["restart", "x"], ["send", "x"], ["events"], ["wait", "x"],
                 ["engine", "status"], ["engine", "stop"]):  # fmt: skip
        code, said = qd.wrong(*verb)
        assert (code, said) == (
            3,
            f"qd: no engine answers at {qd.home.socket}; one starts with: qd up FILE\n",
        )
    assert not qd.home.socket.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pss"], "qd: pss is not a verb; did you mean ps?"),
        (["zzz"], "qd: zzz is not a verb; see: qd --help"),
        (["ps", "--jsn"], "unrecognized arguments: --jsn"),
        (["logs"], "the following arguments are required: target"),
        (["logs", "x", "--tail", "x"], "invalid int value: 'x'"),
        (["engine", "dance"], "invalid choice: 'dance'"),
        (["wait", "x", "--for", "x"], "invalid choice: 'x'"),
        (["up", "nowhere.yml"], "nowhere.yml"),
        ([], "the console needs a terminal"),
        (["attach"], "the console needs a terminal"),
    ],
    ids=str,
)
def test_your_input_is_two(qd: Qd, arguments: list[str], said: str) -> None:
    code, text = qd.wrong(*arguments)
    assert code == 2
    assert said in text


def test_every_mistake_of_a_file_is_a_line(qd: Qd) -> None:
    file = qd.write("wrong.yml", "name: wrong\ndeployments:\n- {name: a, shard: 2}\n- {name: b, shards: 0}\n")
    code, said = qd.wrong("up", "-d", file)
    lines = said.splitlines()
    assert code == 2
    assert len(lines) == 2
    assert all(line.startswith(f"qd: {file}:") for line in lines)
    assert "did you mean shards" in lines[0].replace("`", "")
    assert not qd.home.socket.exists()


# -- the engine


def test_an_engine_that_stays(qd: Qd) -> None:
    assert qd.done("engine", "start") == f"the engine listens at {qd.home.socket}\n"
    assert json.loads(qd.done("engine", "status", "--json"))["stays"] is True
    qd.done("engine", "stop")
    assert qd.wrong("engine", "status")[0] == 3


def test_another_socket_is_another_engine(qd: Qd) -> None:
    other = qd.home.folder / "other.sock"
    qd.done("engine", "start", "--socket", str(other))
    try:
        assert other.exists()
        assert qd.wrong("ps")[0] == 3
        assert qd.done("ps", "--json", "--socket", str(other)) == "[]\n"
    finally:
        qd.done("engine", "stop", "--socket", str(other))
    assert not other.exists()


def test_a_home_that_others_can_enter_is_refused(qd: Qd) -> None:
    qd.home.folder.chmod(0o755)
    code, said = qd.wrong("engine", "start")
    assert code == 1
    assert "can be entered by others (mode 0755); chmod 700" in said
