"""Programs that are not ours: what they are told, the port that is held for them, and why one can't be run."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tests.engine.runtimes.bench import Bench
from tests.fakes.homes import eventually

from quarterdeck.engine.errors import PortTaken
from quarterdeck.engine.keeper.processes import MARK, marked, read
from quarterdeck.engine.runtimes import ports
from quarterdeck.engine.runtimes.runtime import Bound, Broken, Exited, Started


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def listener(port: int = 0) -> socket.socket:
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", port))
    taken.listen()
    return taken


# -- what they get


async def test_environment_folder_umask_and_session_are_the_jobs(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    job = bench.program("world", "HUE", cwd=str(folder), umask=0o027, env={"HUE": "red"})
    bench.run(job)
    eventually(lambda: "serving" in bench.log(job).read_text(), "its server")
    assert "HUE=red\n" in bench.log(job).read_text()
    assert f"cwd={folder} umask=027 session=True\n" in bench.log(job).read_text()
    process = read(await bench.pid(job))
    assert process is not None
    assert process.parent == bench.runtime.keeper_pid


async def test_it_gets_no_descriptor_but_its_own(bench: Bench) -> None:
    job = bench.run(bench.program("serve"))
    pid = await bench.pid(job)
    eventually(lambda: "serving" in bench.log(job).read_text(), "its server")
    held = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    (own,) = {name for name in held if name.startswith("socket:")}
    assert held == {os.devnull, str(bench.log(job)), own}


async def test_signals_do_by_default_what_they_do(bench: Bench) -> None:
    job = bench.run(bench.command("grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"))
    await bench.fact(job, Exited)
    masks = [int(line.split()[1], 16) for line in bench.log(job).read_text().splitlines()]
    libc = 1 << 31 | 1 << 32  # signals 32 and 33, which the C library keeps for itself and lets nobody set
    assert [mask & ~libc for mask in masks] == [0, 0]


async def test_a_program_is_found_in_the_pods_own_path(bench: Bench, tmp_path: Path) -> None:
    shutil.copy("/bin/true", tmp_path / "gets-ready")
    job = bench.run(bench.command("gets-ready", env={"PATH": f"/nowhere:{tmp_path}"}))
    assert (await bench.fact(job, Exited)).code == 0


# -- why one can't be run


@pytest.mark.parametrize(
    ("word", "text", "mode", "said"),
    [
        (
            "no-such",
            None,
            0,
            "no program no-such in PATH (/nowhere:FOLDER); install it, or name it in command",
        ),
        (
            "./no-such",
            None,
            0,
            "./no-such: no such file or directory in FOLDER; name a program that is there",
        ),
        (
            "FOLDER/no-such",
            None,
            0,
            "FOLDER/no-such: no such file or directory; name a program that is there",
        ),
        ("./it", "#!/bin/sh\n", 0o644, "./it is not executable; chmod +x ./it"),
        ("it", "#!/bin/sh\n", 0o644, "FOLDER/it is not executable; chmod +x FOLDER/it"),
        ("it", "#!/nowhere/sh\n", 0o755, "FOLDER/it: its first line names /nowhere/sh, which is not there"),
        ("it", "print()\n", 0o755, "FOLDER/it is no program of this machine; a script needs #!"),
        (".", None, 0, "no program . in PATH"),
        ("./", None, 0, "./ is a folder; name a program in it"),
        ("it/it", "", 0o755, "it/it: not a directory in FOLDER"),
    ],
)
async def test_a_program_that_can_not_be_run_is_named_with_what_would_do(
    bench: Bench, tmp_path: Path, word: str, text: str | None, mode: int, said: str
) -> None:
    if text is not None:
        (tmp_path / "it").write_text(text)
        (tmp_path / "it").chmod(mode)
    here = str(tmp_path)
    job = bench.run(bench.command(word.replace("FOLDER", here), cwd=here, env={"PATH": f"/nowhere:{here}"}))
    error = (await bench.fact(job, Broken)).error
    assert error.startswith(f"index/rep-0: {said.replace('FOLDER', here)}")
    assert "\n" not in error
    assert (await bench.fact(job, Exited)).code == 1
    assert not any(isinstance(fact, Bound) for fact in bench.facts[job.mark])


# -- its port


async def test_a_program_that_sets_no_reuseaddr_gets_its_port(bench: Bench) -> None:
    for _ in range(5):  # each would lose a race against whoever still held it
        job = bench.run(bench.program("strict"))
        port = (await bench.fact(job, Bound)).port
        eventually(lambda job=job: "serving" in bench.log(job).read_text(), "its server")  # type: ignore[misc]
        assert answers(port)


async def test_ports_are_held_until_their_programs_begin(bench: Bench) -> None:
    jobs = [bench.program("serve") for _ in range(20)]
    assert len({job.port for job in jobs}) == 20
    for job in jobs:
        with socket.socket() as stranger, pytest.raises(OSError, match="Address already in use"):
            stranger.bind(("127.0.0.1", job.port))
    bench.run(jobs[0])
    await bench.fact(jobs[0], Started)
    eventually(lambda: answers(jobs[0].port), "its server")


async def test_a_chosen_port_is_none_that_the_kernel_gives_away(bench: Bench) -> None:
    first = int(Path(ports.EPHEMERAL).read_text().split()[0])
    assert all(bench.program("serve").port < first for _ in range(10))


async def test_a_port_of_the_plan_that_is_taken_names_its_holder(bench: Bench) -> None:
    with listener() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} is taken by pid {os.getpid()} "):
            bench.program("serve", port=port, ours=False)


async def test_a_port_that_was_ours_and_is_taken_gives_way_to_another(bench: Bench) -> None:
    with listener() as taken:
        port = taken.getsockname()[1]
        assert bench.program("serve", port=port).port not in (0, port)


async def test_an_address_of_another_host_is_named(bench: Bench) -> None:
    with pytest.raises(
        PortTaken, match=r"host 192\.0\.2\.1 can't be bound: .*; name an address of this host"
    ):
        bench.program("serve", host="192.0.2.1")


async def test_whoever_came_between_us_and_the_program_is_named(bench: Bench, tmp_path: Path) -> None:
    """The program waits for a file, so that a stranger can take its port first."""
    go = tmp_path / "go"
    wait = f'while [ ! -e {go} ]; do sleep 0.005; done; exec "$0" "$@"'
    job = bench.program("serve")
    bench.run(replace(job, command=("sh", "-c", wait, *job.command)))
    await bench.fact(job, Bound)
    with listener(job.port):
        go.touch()
        broken = await bench.fact(job, Broken)
        assert (await bench.fact(job, Exited)).code == 1
    me = " ".join(psutil.Process().cmdline())
    assert broken.port_taken
    assert broken.error == f"port {job.port} is taken by pid {os.getpid()} ({me[:80]})"


async def test_what_keeps_raising_itself_is_ended(bench: Bench) -> None:
    job = bench.run(bench.program("hydra"))
    await bench.fact(job, Bound)
    eventually(lambda: "serving" in bench.log(job).read_text(), "its server")
    bench.commands.end(job.mark)
    await bench.fact(job, Exited)
    assert marked(MARK, job.mark) == []


async def test_a_child_without_mark_and_session_is_ended_with_its_parent(bench: Bench) -> None:
    """Nothing but its parent's pid tells whose it is."""
    job = bench.run(bench.program("bare"))
    await bench.fact(job, Bound)
    eventually(lambda: "serving" in bench.log(job).read_text(), "its server")
    child = int(bench.log(job).read_text().split()[1])
    assert len(marked(MARK, job.mark)) == 1
    bench.commands.end(job.mark)
    await bench.fact(job, Exited)
    eventually(lambda: read(child) is None, "the end of the child")
