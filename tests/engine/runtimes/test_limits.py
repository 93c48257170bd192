"""Limits of pods: by control group where one can be had on this machine, and what the kernel ends is named."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.engine.runtimes.bench import Bench
from tests.fakes.homes import eventually

from quarterdeck.engine.home import Home
from quarterdeck.engine.keeper import protocol
from quarterdeck.engine.keeper.cgroups import PREFIX, Place, find_places
from quarterdeck.engine.keeper.processes import MARK, marked
from quarterdeck.engine.keeper.start import start_keeper
from quarterdeck.engine.runtimes.runtime import Bound, Broken, Exited, Started

MIB = 1 << 20
PLACES = find_places()


def needs(controller: str) -> pytest.MarkDecorator:
    """Control groups are the machine's to give: without one the rlimits are what there is, and have their own tests."""
    return pytest.mark.skipif(controller not in PLACES, reason=f"no control group with {controller} here")


def groups_of(home: Home) -> list[Path]:
    folders = {Path(place.folder) for place in PLACES.values()}
    return [group for folder in folders for group in folder.glob(f"{PREFIX}{home.mark}-*")]


@needs("memory")
async def test_a_kill_for_want_of_memory_is_named_with_the_limit(bench: Bench) -> None:
    job = bench.run(bench.program("eat", memory=64 * MIB))
    ended = await bench.fact(job, Exited)
    assert ended.code == -signal.SIGKILL
    assert ended.cause == "killed by the kernel: out of memory (limit 64 MiB)"
    assert groups_of(bench.home) == []


@needs("memory")
async def test_a_forked_pod_is_held_too_with_all_that_it_starts(bench: Bench) -> None:
    job = bench.start("Parent", memory=512 * MIB)
    await bench.fact(job, Bound)
    eventually(lambda: len(marked(MARK, job.mark)) == 3, "its children")
    place = PLACES["memory"]
    group = Path(place.folder) / f"{PREFIX}{bench.home.mark}-{job.mark}"
    limit = group / ("memory.max" if place.version == 2 else "memory.limit_in_bytes")
    assert int(limit.read_text()) == 512 * MIB
    held = {int(pid) for pid in (group / "cgroup.procs").read_text().split()}
    assert held == {process.pid for process in marked(MARK, job.mark)}
    bench.runtime.end(job.mark)
    ended = await bench.fact(job, Exited)
    assert (ended.code, ended.cause) == (-signal.SIGKILL, "")
    assert groups_of(bench.home) == []


@needs("memory")
async def test_what_left_without_mark_and_session_is_ended_with_its_group(bench: Bench) -> None:
    job = bench.run(bench.program("escape", memory=256 * MIB))
    await bench.fact(job, Bound)
    group = Path(PLACES["memory"].folder) / f"{PREFIX}{bench.home.mark}-{job.mark}"

    def members() -> list[int]:
        return [int(pid) for pid in (group / "cgroup.procs").read_text().split()]

    eventually(lambda: len(members()) == 2 and len(marked(MARK, job.mark)) == 1, "the daemon without mark")
    (daemon,) = set(members()) - {await bench.pid(job)}
    bench.runtime.signal(job.mark, signal.SIGTERM)
    await bench.fact(job, Exited)
    assert not Path(f"/proc/{daemon}").exists() or "Z" in Path(f"/proc/{daemon}/stat").read_text()
    assert groups_of(bench.home) == []


@needs("cpu")
async def test_a_share_of_a_core_is_held(bench: Bench) -> None:
    job = bench.run(bench.program("busy", cpus=0.1))
    await bench.fact(job, Started)
    stat = Path(PLACES["cpu"].folder) / f"{PREFIX}{bench.home.mark}-{job.mark}" / "cpu.stat"

    def throttled() -> bool:
        words = stat.read_text().split()
        return int(words[words.index("nr_throttled") + 1]) > 0

    eventually(throttled, "a moment in which the kernel held it")


@needs("pids")
async def test_processes_are_counted_by_pod(bench: Bench) -> None:
    job = bench.run(bench.program("sleepers", processes=6))
    eventually(lambda: "children" in bench.log(job).read_text(), "the end of what it may start")
    assert "5 children: Resource temporarily unavailable" in bench.log(job).read_text()
    bench.commands.end(job.mark)
    await bench.fact(job, Exited)
    assert marked(MARK, job.mark) == []


async def test_open_files_are_counted_by_process(bench: Bench) -> None:
    job = bench.run(bench.program("files", files=40))
    await bench.fact(job, Exited)
    assert "37 files: Too many open files" in bench.log(job).read_text()


async def test_more_files_than_the_system_gives_are_refused(bench: Bench) -> None:
    job = bench.run(bench.program("files", files=1 << 40))
    assert (
        "limits.files 1099511627776 is more than the system allows" in (await bench.fact(job, Broken)).error
    )
    await bench.fact(job, Exited)


async def test_what_can_not_be_held_here_is_said(bench: Bench) -> None:
    assert set(bench.runtime.caps.cannot) == {
        limit
        for limit, held in {
            "cpus": "cpu" in PLACES,
            "processes": "pids" in PLACES or os.getuid() != 0,
        }.items()
        if not held
    }


@needs("memory")
async def test_the_groups_of_a_keeper_that_was_killed_are_removed_by_the_next(bench: Bench) -> None:
    job = bench.run(bench.program("serve", memory=256 * MIB))
    await bench.fact(job, Bound)
    assert groups_of(bench.home)
    os.kill(bench.runtime.keeper_pid or 0, signal.SIGKILL)
    await bench.runtime.reap()
    await bench.runtime.open()
    assert groups_of(bench.home) == []
    assert list(bench.home.folder.glob("*.groups")) == []


@needs("memory")
def test_a_keeper_whose_engine_was_killed_removes_its_groups(home: Home, tmp_path: Path) -> None:
    keeper = start_keeper(home)
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    eventually(lambda: link.connect_ex(str(home.keeper_socket)) == 0, "the keeper's socket")
    said: dict[str, Any] | None = protocol.receive(link)[0]
    bench_job = _job(tmp_path, home)
    job_fd = os.memfd_create("job")
    os.write(job_fd, bench_job.dump())
    os.lseek(job_fd, 0, os.SEEK_SET)
    nothing = os.open(os.devnull, os.O_RDWR)
    message = {"op": "start", "id": bench_job.mark, "limits": {"memory": 256 * MIB}}
    protocol.send(link, message, (job_fd, nothing, nothing))
    while said is not None and said["event"] != "started":
        said = protocol.receive(link)[0]
    assert groups_of(home)
    link.close()  # the engine's end, as the keeper sees it
    os.close(job_fd)
    os.close(nothing)
    keeper.wait(20)
    assert groups_of(home) == []
    assert marked(MARK, bench_job.mark) == []


def _job(folder: Path, home: Home) -> Any:
    return Bench(home, folder).job(None, command=("sleep", "600"))


# -- where groups can be made, from what the kernel says

HYBRID = """\
35 31 0:32 / {0}/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / {0}/pids rw,relatime shared:9 - cgroup cgroup rw,pids
41 31 0:38 / {0}/unified rw,relatime - cgroup2 cgroup2 rw
22 1 0:21 / /proc rw - proc proc rw
"""
OWN = "8:pids:/\n4:memory:/user/me\n0::/user/me\n"


def test_version_1_is_found_by_controller(tmp_path: Path) -> None:
    for folder in ("memory/user/me", "pids", "unified/user/me"):
        (tmp_path / folder).mkdir(parents=True)
    assert find_places(HYBRID.format(tmp_path), OWN) == {
        "memory": Place(f"{tmp_path}/memory/user/me", 1),
        "pids": Place(f"{tmp_path}/pids", 1),
    }


UNIFIED = "30 23 0:26 / {0} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"


def test_version_2_takes_the_nearest_group_with_most_controllers(tmp_path: Path) -> None:
    """Our own has processes, so it can't give controllers away; the user's above it has, the root has less."""
    own = tmp_path / "user.slice" / "app.slice" / "run.scope"
    own.mkdir(parents=True)
    for folder, names in ((tmp_path, "cpu memory"), (own.parent.parent, "cpu memory pids"), (own.parent, "")):
        (folder / "cgroup.subtree_control").write_text(names)
        (folder / "cgroup.procs").touch()
    found = find_places(UNIFIED.format(tmp_path), "0::/user.slice/app.slice/run.scope\n")
    assert found == dict.fromkeys(("memory", "cpu", "pids"), Place(f"{tmp_path}/user.slice", 2))
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["user.slice"]  # the trial has gone


def test_a_container_s_view_begins_at_its_own_group(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    mounts = f"35 31 0:32 /docker/1a2b {tmp_path}/memory rw - cgroup cgroup rw,memory\n"
    assert find_places(mounts, "4:memory:/docker/1a2b\n") == {"memory": Place(f"{tmp_path}/memory", 1)}
    assert find_places(mounts, "4:memory:/elsewhere\n") == {}


def test_without_any_there_is_none() -> None:
    assert find_places("22 1 0:21 / /proc rw - proc proc rw\n", "0::/\n") == {}
