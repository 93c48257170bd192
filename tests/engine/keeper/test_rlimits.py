"""Limits where no control group can be had, and what is written into one of version 2."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.homes import eventually

from quarterdeck.engine.keeper.cgroups import Group, Place
from quarterdeck.engine.keeper.limits import LimitError, Limits, cannot, group_for

LIMITED = """\
import os, subprocess, threading
from quarterdeck.engine.keeper.limits import Limits, hold
{first}
hold(Limits({limits}), None)
{then}
"""


def limited(limits: str, then: str, first: str = "") -> str:
    """What a process writes that runs `first`, limits itself, and then runs `then`."""
    source = LIMITED.format(first=first, limits=limits, then=then)
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


def test_memory_is_what_is_mapped_for_writing() -> None:
    said = limited("memory=100_000_000", "x = bytes(50_000_000)\nprint('half')\nx = bytes(200_000_000)")
    assert said.startswith("half\n")
    assert said.rstrip().endswith("MemoryError")


def test_a_child_of_it_is_limited_too() -> None:
    said = limited(
        "memory=100_000_000, files=50",
        "import resource, sys\n"
        "print(subprocess.run([sys.executable, '-c', 'import resource; print(resource.getrlimit(resource.RLIMIT_DATA),"
        " resource.getrlimit(resource.RLIMIT_NOFILE))'], capture_output=True, text=True).stdout)",
    )
    assert "(100000000, 100000000) (50, 50)" in said


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user without processes of its own")
def test_processes_beside_the_pods_are_let_through() -> None:
    then = (
        "begun = []\n"
        "try:\n"
        "    while True: begun.append(subprocess.Popen(['sleep', '60']))\n"
        "except OSError as error: print(len(begun), error.strerror)\n"
        "for each in begun: each.kill()"
    )
    said = limited("processes=5", then, "os.setuid(54_321)")
    assert said == "5 Resource temporarily unavailable\n"


def test_what_rlimits_can_not_do_is_said_with_what_would() -> None:
    lacking = cannot({})
    assert "run the engine as root, or in a delegated group" in lacking["cpus"]
    assert ("processes" in lacking) is (os.getuid() == 0)
    assert cannot({"cpu": Place("/a", 2), "pids": Place("/a", 2)}) == {}


# -- version 2: this shows what is written where, in a folder that stands in for the kernel's


def test_a_group_of_version_2_holds_all_in_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = os.mkdir

    def populated(path: str) -> None:
        make(path)
        for name in (
            "memory.max",
            "memory.swap.max",
            "memory.oom.group",
            "cpu.max",
            "pids.max",
            "cgroup.procs",
        ):
            Path(path, name).touch()
        Path(path, "memory.events").write_text("low 0\noom 3\noom_kill 2\noom_group_kill 1\n")

    monkeypatch.setattr(os, "mkdir", populated)
    places = dict.fromkeys(("memory", "cpu", "pids"), Place(str(tmp_path), 2))
    group = group_for(Limits(memory=1 << 28, cpus=0.5, files=9, processes=64), places, "e-p")
    assert group is not None
    folder = tmp_path / "quarterdeck-e-p"
    written = {path.name: path.read_text() for path in folder.iterdir() if path.read_text()}
    assert written == {
        "memory.max": "268435456",
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "cpu.max": "50000 100000",
        "pids.max": "64",
        "memory.events": "low 0\noom 3\noom_kill 2\noom_group_kill 1\n",
    }
    assert group.memory_kills() == 2
    group.join()
    assert (folder / "cgroup.procs").read_text() == "0"


def test_a_group_that_can_not_be_made_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    places = {"pids": Place(str(tmp_path), 2), "memory": Place(str(tmp_path / "none"), 2)}
    with pytest.raises(LimitError, match=r"none/quarterdeck-e-p: No such file or directory"):
        group_for(Limits(memory=1, processes=1), places, "e-p")
    assert list(tmp_path.iterdir()) == []


def test_without_limits_there_is_no_group() -> None:
    assert group_for(Limits(files=9), {"memory": Place("/a", 2)}, "e-p") is None


def unified() -> str:
    """Where version 2 is mounted and may be written, with or without controllers."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    points = [fields[4] for fields in mounts if fields[fields.index("-") + 1] == "cgroup2"]
    return next((point for point in points if os.access(f"{point}/cgroup.procs", os.W_OK)), "")


@pytest.mark.skipif(not unified(), reason="no version 2 that may be written here")
def test_the_kernels_own_group_of_version_2_is_entered_killed_and_removed() -> None:
    folder = f"{unified()}/quarterdeck-test-{os.getpid()}"
    group = Group({"pids": Place(folder, 2)})
    os.mkdir(folder)
    try:
        child = subprocess.Popen(["sleep", "600"], preexec_fn=group.join)
        assert group.pids() == {child.pid}
        assert not group.remove()
        group.kill()
        assert child.wait(20) == -signal.SIGKILL
    finally:
        eventually(group.remove, "the group's end")
