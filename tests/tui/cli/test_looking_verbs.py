"""Verbs that only look: ps, logs, events, wait, send, engine status, on topologies that are up."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest
from tests.tui.cli.command import Qd

from quarterdeck import __version__

KEYS = [
    "name", "topology", "deployment", "role", "shard", "replica", "runtime", "phase", "ready", "reason", "host",
    "port", "port_monitoring", "gpu", "pid", "restarts", "exit_code", "started_at", "ready_at", "cpu_percent",
    "memory_bytes",
]  # fmt: skip
NAMES = ["alpha/gateway", "alpha/clean/rep-0", "alpha/clean/rep-1", "alpha/quiet/rep-0", "beta/clean/rep-0"]
LOG = "line 0 of clean/rep-0\nline 1 of clean/rep-0\nline 2 of clean/rep-0\nno newline at the end"


# -- ps


def test_ps_is_a_plain_table_where_there_is_no_terminal(shared: Qd) -> None:
    lines = shared.done("ps").splitlines()
    assert lines[0].split() == ["name", "state", "port", "gpu", "pid", "cpu", "mem", "rst", "age", "reason"]
    assert [line.split()[0] for line in lines[1:]] == NAMES
    assert {line.split()[1] for line in lines[1:]} == {"ready"}
    assert "\x1b" not in "".join(lines)
    assert all(re.search(r" \d+M ", line) for line in lines[1:])


def test_ps_json_has_the_keys_that_are_promised(shared: Qd) -> None:
    rows = shared.rows()
    assert [list(row) for row in rows] == [KEYS] * 5
    assert [f"{row['topology']}/{row['name']}" for row in rows] == NAMES
    gateway, clean, _, quiet, _ = rows
    assert (gateway["deployment"], gateway["role"], gateway["shard"], gateway["replica"]) == (
        "gateway", "gateway", None, None,
    )  # fmt: skip
    assert (clean["role"], clean["shard"], clean["replica"], clean["runtime"]) == ("worker", 0, 0, "process")
    assert (clean["phase"], clean["ready"], clean["reason"], clean["restarts"]) == ("ready", True, "", 0)
    assert (clean["exit_code"], clean["gpu"], quiet["gpu"]) == (None, None, "0")
    assert len({row["port"] for row in rows}) == 5
    assert os.path.exists(f"/proc/{clean['pid']}")
    assert clean["memory_bytes"] > 1 << 20
    assert 0 <= clean["ready_at"] - clean["started_at"] < 60


def test_ps_of_a_target(shared: Qd) -> None:
    assert [row["name"] for row in shared.rows("alpha/clean")] == ["clean/rep-0", "clean/rep-1"]
    assert [row["topology"] for row in shared.rows("*/rep-0")] == ["alpha", "alpha", "beta"]


def test_ps_watch_prints_again_after_a_change(shared: Qd) -> None:
    import subprocess

    watcher = shared.open("ps", "--json", "--watch", "alpha/quiet", stdout=subprocess.PIPE)
    try:
        assert watcher.stdout is not None
        first = json.loads(watcher.stdout.readline())
        shared.done("restart", "alpha/quiet")
        while True:
            (now,) = json.loads(watcher.stdout.readline())
            if now["ready"] and now["pid"] != first[0]["pid"]:
                break
        assert (now["port"], now["restarts"]) == (first[0]["port"], first[0]["restarts"] + 1)
    finally:
        watcher.send_signal(2)
        assert watcher.wait(10) == 130
        assert watcher.stdout is not None
        watcher.stdout.close()


# -- targets


@pytest.mark.parametrize("verb", ["ps", "logs", "wait", "stop", "restart", "start", "kill", "send"])
def test_a_target_that_means_nothing_or_several_things(shared: Qd, verb: str) -> None:
    code, said = shared.wrong(verb, "alpha/claen")
    assert (code, said) == (2, "qd: alpha/claen names nothing that is up; did you mean alpha/clean?\n")
    code, said = shared.wrong(verb, "clean")
    assert code == 2
    assert said == "qd: clean could mean several things: alpha/clean, beta/clean; name the topology too\n"


# -- logs


def test_logs_are_every_byte_of_the_file(shared: Qd) -> None:
    path = shared.done("logs", "--path", "alpha/clean/rep-0").strip()
    assert shared.raw("logs", "alpha/clean/rep-0").stdout == Path(path).read_bytes() == LOG.encode()


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("0", ""), ("1", "no newline at the end"), ("2", LOG[-43:]), ("4", LOG), ("99", LOG),
    ],
)  # fmt: skip
def test_the_tail_of_a_log(shared: Qd, lines: str, text: str) -> None:
    assert shared.done("logs", "--tail", lines, "alpha/clean/rep-0") == text


def test_lines_of_several_pods_are_tagged(shared: Qd) -> None:
    out = shared.done("logs", "alpha/clean", "beta/clean", "--tail", "2").splitlines()
    assert len(out) == 6
    tags = [line.split("  ")[0] for line in out]
    assert sorted(set(tags)) == ["alpha/clean/rep-0", "alpha/clean/rep-1", "beta/clean/rep-0"]


def test_lines_of_pods_of_one_topology_are_tagged_by_name(shared: Qd) -> None:
    out = shared.done("logs", "alpha/clean").splitlines()
    assert sorted(out) == sorted(
        f"clean/rep-{n}  {line}" for n in (0, 1) for line in LOG.replace("rep-0", f"rep-{n}").splitlines()
    )


def test_one_that_printed_nothing(shared: Qd) -> None:
    assert shared.done("logs", "alpha/quiet") == ""


def test_a_run_before_the_first(shared: Qd) -> None:
    code, said = shared.wrong("logs", "--previous", "beta/clean")
    assert (code, "beta/clean/rep-0 has no run before the present one" in said) == (2, True)


# -- events, wait, status


def test_events(shared: Qd) -> None:
    lines = shared.done("events").splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d  info   alpha  up from .*alpha\.yml: 4 pods", lines[0])
    found = [json.loads(line) for line in shared.done("events", "--json").splitlines()]
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    assert list(found[0]) == ["seq", "time", "level", "topology", "pod", "text", "phase"]
    assert {"alpha", "beta"} <= {event["topology"] for event in found}


def test_wait_for_what_is_there_already(shared: Qd) -> None:
    shared.done("wait", "alpha")
    begin = time.monotonic()
    code, said = shared.wrong("wait", "beta", "--for", "stopped", "--timeout", "0.3")
    assert code == 1
    assert said.startswith("qd: not stopped after 0.3s")
    assert time.monotonic() - begin < 10


def test_engine_status(shared: Qd) -> None:
    said = json.loads(shared.done("engine", "status", "--json"))
    assert (said["version"], said["topologies"], said["pods"]) == (__version__, 2, 5)
    text = shared.done("engine", "status")
    assert f"pid       {said['pid']}, keeper {said['keeper_pid']}" in text
    assert re.search(r"pods +\d/5 ready in 2 topologies", text)
    assert shared.done("engine", "start") == f"the engine runs already at {shared.home.socket}\n"


# -- send


def test_send_gives_the_answer_as_json(shared: Qd) -> None:
    answer = json.loads(shared.done("send", "beta/clean", "--endpoint", "/who"))
    assert answer == {"name": ["clean/rep-0"]}
    shared.write("request.json", '{"x": [1, 2]}')
    for data, stdin in (('{"x": [1, 2]}', ""), ("@request.json", ""), ("-", '{"x": [1, 2]}')):
        assert json.loads(shared.done("send", "alpha/quiet", "--data", data, input=stdin)) == {"x": [1, 2]}


def test_send_to_a_topology_goes_through_its_gateway(shared: Qd) -> None:
    code, said = shared.wrong("send", "alpha", "--endpoint", "/fail")
    assert code == 1
    assert "this one never works" in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--data", "{"], 2, "--data: not JSON: "),
        (["--data", "@nowhere.json"], 2, "nowhere.json: No such file or directory"),
        (["--data", "-"], 2, "standard input: not JSON"),
        (["--data", "[1]"], 2, "--data: "),
        (["--data", '{"x": {"a": 1}}'], 2, "x"),
        (["--rate", "5"], 2, "--rate and --for go together"),
        (["--rate", "0", "--for", "1"], 2, "--rate 0 is not a rate"),
        (["--rate", "5", "--for", "-1"], 2, "--for -1"),
        (["--timeout", "0"], 2, "--timeout"),
        (["--endpoint", "/nope"], 1, "/nope"),
        (["--endpoint", "/fail"], 1, "this one never works"),
    ],
)
def test_what_send_refuses(shared: Qd, arguments: list[str], code: int, said: str) -> None:
    found, text = shared.wrong("send", "beta/clean", *arguments)
    assert found == code
    assert said in text
    assert len(text.splitlines()) <= 3


def test_send_where_there_is_no_single_address(shared: Qd) -> None:
    code, said = shared.wrong("send", "*/clean/*")
    assert code == 2
    assert "has no single address" in said


def test_a_load_is_counted(shared: Qd) -> None:
    out = shared.done("send", "beta/clean", "--endpoint", "/who", "--rate", "40", "--for", "0.5")
    assert re.match(r"20 sent in \d\.\ds, 20 answered, 0 failed\n[\d.]+ answers/s, p50 [\d.]+ms, p99 ", out)
    code, out, _ = shared.run("send", "beta/clean", "--endpoint", "/fail", "--rate", "40", "--for", "0.1")
    assert code == 1
    assert "0 answered, 4 failed" in out
    assert "4 x " in out


# -- pipes that close


@pytest.mark.parametrize(
    "verb", [["ps"], ["ps", "--json"], ["events"], ["logs", "alpha"], ["--help"], ["doctor"]]
)
def test_a_reader_that_goes_away_is_no_error(shared: Qd, verb: list[str]) -> None:
    import subprocess

    read, write = os.pipe()
    os.close(read)
    process = shared.open(*verb, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
