"""Reading /proc: who descends from whom, and who carries a mark."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.fakes.homes import eventually

from quarterdeck.engine.keeper import processes

VARIABLE = "QUARTERDECK_TEST_MARK"
FAMILY = """
import subprocess, sys
child = subprocess.Popen(["sleep", "600"])
print(child.pid, flush=True)
sys.stdin.read()
child.kill()
child.wait()
"""


@pytest.fixture
def mark() -> str:
    return secrets.token_hex(8)


@pytest.fixture
def family(mark: str) -> Iterator[tuple[int, int]]:
    """A parent with a marked environment, and its child."""
    parent = subprocess.Popen(
        [sys.executable, "-c", FAMILY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, VARIABLE: mark},
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    try:
        yield parent.pid, int(parent.stdout.readline())
    finally:
        parent.stdin.close()
        parent.wait()
        parent.stdout.close()


def test_reads_what_the_kernel_says_of_ourselves() -> None:
    own = processes.read(os.getpid())
    assert own is not None
    assert (own.pid, own.parent, own.session) == (os.getpid(), os.getppid(), os.getsid(0))
    assert own.state in "RS"


def test_a_command_name_with_blanks_and_brackets_is_no_trap(tmp_path: os.PathLike[str]) -> None:
    name = os.path.join(tmp_path, "a) R 1 (b")
    os.symlink("/bin/sleep", name)
    odd = subprocess.Popen([name, "600"])
    try:
        eventually(lambda: processes.environment(odd.pid) != {}, "exec")
        found = processes.read(odd.pid)
        assert found is not None
        assert found.parent == os.getpid()
    finally:
        odd.kill()
        odd.wait()


def test_who_has_gone_is_nobody() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert processes.read(gone.pid) is None
    assert processes.environment(gone.pid) == {}


def test_marks_are_inherited_and_found(family: tuple[int, int], mark: str) -> None:
    assert sorted(process.pid for process in processes.marked(VARIABLE, mark)) == sorted(family)
    assert processes.marked(VARIABLE, "another") == []
    assert processes.environment(family[1])[VARIABLE] == mark


def test_children_and_descendants(family: tuple[int, int]) -> None:
    parent, child = family
    assert [process.pid for process in processes.children(parent)] == [child]
    assert parent in [process.pid for process in processes.children(os.getpid())]
    below = [process.pid for process in processes.descendants(os.getpid())]
    assert below.index(parent) < below.index(child)


def test_zombies_are_children_but_live_nowhere() -> None:
    dead = subprocess.Popen(["true"])
    eventually(lambda: (found := processes.read(dead.pid)) is not None and found.state == "Z", "a zombie")
    assert dead.pid in [process.pid for process in processes.children(os.getpid())]
    assert dead.pid not in [process.pid for process in processes.descendants(os.getpid())]
    dead.wait()
