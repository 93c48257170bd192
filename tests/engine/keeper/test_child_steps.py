"""Whether a pod may be forked, and what engine and keeper say to each other."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from quarterdeck.engine.keeper import protocol
from quarterdeck.engine.keeper.child import import_root, must_exec
from quarterdeck.engine.plan.job import Job

OWN = {"PATH": "/bin", "PYTHONPATH": "/lib", "OMP_NUM_THREADS": "4"}


def job(env: dict[str, str], python: str = "") -> Job:
    return Job("0" * 16, "top", "a/rep-0", "a", "worker", "127.0.0.1", 0, env=env, python=python)


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ({}, False),
        ({"PATH": "/usr/bin"}, False),
        ({"CUDA_VISIBLE_DEVICES": "1"}, False),
        ({"PYTHONPATH": "/other"}, True),
        ({"PYTHONPATH": None}, True),
        ({"OMP_NUM_THREADS": "1"}, True),
        ({"LD_PRELOAD": "x.so"}, True),
        ({"MALLOC_ARENA_MAX": "1"}, True),
        ({"GRPC_VERBOSITY": "DEBUG"}, True),
        ({"MKL_NUM_THREADS": "1"}, True),
    ],
    ids=str,
)
def test_variables_read_at_start_forbid_a_fork_where_they_differ(
    change: dict[str, str | None], needed: bool
) -> None:
    env = {name: value for name, value in {**OWN, **change}.items() if value is not None}
    assert must_exec(job(env), OWN) is needed


def test_another_interpreter_forbids_a_fork_ours_by_another_name_does_not() -> None:
    folder = os.path.dirname(sys.executable)
    assert not must_exec(job(OWN, sys.executable), OWN)
    assert not must_exec(job(OWN, os.path.join(folder, "python")), OWN)
    assert must_exec(job(OWN, "/bin/sh"), OWN)


def test_another_python_in_the_folder_of_ours_is_another_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("python3.11", "python3.13"):
        (tmp_path / name).touch()
    (tmp_path / "python3").symlink_to("python3.11")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3.11"))
    assert not must_exec(job(OWN, str(tmp_path / "python3")), OWN)
    assert must_exec(job(OWN, str(tmp_path / "python3.13")), OWN)


def test_an_environment_of_its_own_is_another_interpreter_though_it_links_to_ours(
    tmp_path: os.PathLike[str],
) -> None:
    link = os.path.join(tmp_path, "python")
    os.symlink(os.path.realpath(sys.executable), link)
    assert must_exec(job(OWN, link), OWN)


def test_another_interpreter_finds_us_where_we_are() -> None:
    assert os.path.isfile(os.path.join(import_root(), "quarterdeck", "engine", "keeper", "child.py"))


def test_packets_carry_descriptors_and_keep_their_bounds() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    read, write = os.pipe()
    with here, there:
        protocol.send(here, {"op": "start", "id": "a"}, (write,))
        protocol.send(here, {"op": "end", "id": "a"})
        os.close(write)
        message, (copy,) = protocol.receive(there)
        assert message == {"op": "start", "id": "a"}
        os.write(copy, b"through")
        assert os.read(read, 99) == b"through"
        assert protocol.receive(there) == ({"op": "end", "id": "a"}, ())
        here.close()
        assert protocol.receive(there) == (None, ())
    os.close(copy)
    os.close(read)


def test_a_job_survives_the_way_to_its_pod() -> None:
    full = Job(
        "f" * 16, "top", "index/shard-1/rep-0", "index", "worker", "127.0.0.1", 7000, 1, 0, 2,
        "/srv/a.py:A", {"limit": 5, "names": ["ä", None]}, "/w", ("/lib",), {"A": "b\nc"}, "/srv", 0o27, "/py", 2.5,
    )  # fmt: skip
    assert Job.load(full.dump()) == full
