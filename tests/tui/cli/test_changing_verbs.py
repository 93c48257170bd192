"""`diff`, `scale`, `up` of a changed file, `restart --rolling` and `exec`, on a real engine."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from tests.tui.cli.command import Qd

FILE = """\
name: top
deployments:
- {name: a, uses: work.py:Talks, replicas: 2, env: {COLOUR: red, API_TOKEN: abc}}
- {name: b, uses: work.py:Talks}
"""


@pytest.fixture
def top(qd: Qd) -> Qd:
    """`top` is up: `a` twice, `b` once, a gateway."""
    qd.done("up", "-d", qd.write("top.yml", FILE))
    return qd


def pods(qd: Qd) -> dict[str, Any]:
    return {row["name"]: row for row in qd.rows()}


def test_diff_tells_what_up_then_does_and_the_rest_is_not_touched(top: Qd) -> None:
    file = top.write("top.yml", FILE.replace("red, API_TOKEN: abc", "blue, API_TOKEN: xyz"))
    before = pods(top)
    told = top.done("diff", file)
    assert [line for line in told.splitlines() if line.startswith("  ")] == [
        "  ~ a/rep-0",
        "  ~ a/rep-1",
        "  2 pods untouched",
    ]
    assert "COLOUR" in told
    assert "xyz" not in told
    assert "abc" not in told
    as_json = json.loads(top.done("diff", file, "--json"))
    assert (as_json["replaced"], as_json["kept"]) == (["a/rep-0", "a/rep-1"], ["gateway", "b/rep-0"])
    assert {name: row["pid"] for name, row in pods(top).items()} == {
        name: row["pid"] for name, row in before.items()
    }
    assert top.done("up", "-d", file).startswith(told)
    after = pods(top)
    for name, row in after.items():
        replaced = name.startswith("a/")
        assert (row["pid"] != before[name]["pid"]) is replaced
        assert row["port"] == before[name]["port"]
        assert row["phase"] == "ready"
    assert top.done("diff", file) == "top: nothing differs\n"


def test_diff_of_what_is_not_up(qd: Qd) -> None:
    qd.done("engine", "start")
    code, said = qd.wrong("diff", qd.write("top.yml", FILE))
    assert code == 2
    assert "top" in said


def test_scale_up_and_down(top: Qd) -> None:
    before = pods(top)
    assert top.done("scale", "top/a=3") == "a: replicas 2 -> 3\n  + a/rep-2\n  4 pods untouched\n"
    assert pods(top)["a/rep-2"]["phase"] == "ready"
    assert top.done("scale", "a=1") == "a: replicas 3 -> 1\n  - a/rep-1\n  - a/rep-2\n  3 pods untouched\n"
    after = pods(top)
    assert sorted(after) == ["a/rep-0", "b/rep-0", "gateway"]
    assert after["a/rep-0"]["pid"] == before["a/rep-0"]["pid"]
    assert top.done("scale", "a=1") == "top: nothing differs\n"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("a", "qd: a: not DEPLOYMENT=N; write for example index=3; N is 1 or more"),
        ("a=0", "qd: a=0: not DEPLOYMENT=N; write for example index=3; N is 1 or more"),
        ("nope=2", "qd: there is no deployment nope; up are: alpha/clean, alpha/quiet, beta/clean"),
        ("clean=2", "qd: clean could mean several things: alpha/clean, beta/clean; name the topology too"),
    ],
)
def test_scale_says_what_is_wrong(shared: Qd, change: str, says: str) -> None:
    assert shared.wrong("scale", change) == (2, says + "\n")


def test_rolling_restarts_every_worker_of_the_deployment_and_nothing_else(top: Qd) -> None:
    before = pods(top)
    told = top.done("restart", "--rolling", "top/a")
    assert told == "top: a: 2 pods restarted one at a time\n"
    for name, row in pods(top).items():
        assert (row["pid"] != before[name]["pid"]) is name.startswith("a/")
        assert (row["phase"], row["port"]) == ("ready", before[name]["port"])


def test_rolling_takes_whole_deployments(shared: Qd) -> None:
    code, said = shared.wrong("restart", "--rolling", "alpha/clean/rep-0")
    assert (code, said) == (
        2,
        "qd: --rolling restarts whole deployments, and clean/rep-1 was not named; "
        "name the deployment: alpha/clean\n",
    )


def test_exec_runs_in_the_pods_environment_and_folder(top: Qd) -> None:
    told = top.done("exec", "top/a/rep-0", "--", "sh", "-c", "echo $COLOUR $API_TOKEN; pwd")
    assert told.splitlines() == ["red abc", os.path.realpath(top.folder)]
    code, said = top.wrong("exec", "top/a/rep-0", "--", "sh", "-c", "exit 7")
    assert (code, said) == (7, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["beta/clean"], "qd: no command is given; write: qd exec beta/clean -- CMD"),
        (
            ["alpha/clean", "--", "true"],
            "qd: alpha/clean is 2 pods: alpha/clean/rep-0, alpha/clean/rep-1; name one",
        ),
        (
            ["beta/clean", "--", "no-such-program"],
            "qd: no-such-program: No such file or directory; it is looked for",
        ),
    ],
)
def test_exec_says_what_is_wrong(shared: Qd, words: list[str], says: str) -> None:
    code, said = shared.wrong("exec", *words)
    assert code == 2
    assert said.startswith(says)
