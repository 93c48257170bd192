"""Pods in other interpreters: which one it is, and what one that won't do is told in one line."""

from __future__ import annotations

import shlex
import sys
import venv
from pathlib import Path

import pytest
from tests.engine.runtimes.bench import Bench

from quarterdeck.engine.keeper.processes import MARK, environment
from quarterdeck.engine.runtimes.runtime import Bound, Broken, Exited

REAL = shlex.quote(sys.executable)


def script(folder: Path, body: str, mode: int = 0o755) -> str:
    path = folder / "python"
    path.write_text(body)
    path.chmod(mode)
    return str(path)


async def error_of(bench: Bench, python: str) -> str:
    job = bench.start(python=python)
    error = (await bench.fact(job, Broken)).error
    assert (await bench.fact(job, Exited)).code == 1
    assert "\n" not in error
    assert "Traceback" not in bench.log(job).read_text()
    return error


async def test_a_virtual_environment_without_packages_is_told_what_to_install(
    bench: Bench, tmp_path: Path
) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    python = str(tmp_path / "bare" / "bin" / "python")
    error = await error_of(bench, python)
    assert error.startswith(f"index/rep-0: {python}: No module named 'grpc'; pods need it")
    assert error.endswith(f"{python} -m pip install grpcio grpcio-reflection protobuf")


async def test_a_python_that_is_too_old_is_told_so(bench: Bench, tmp_path: Path) -> None:
    """A real one that gives itself out for 3.8."""
    age = "import sys; sys.version_info = (3, 8, 20, 'final', 0); exec(sys.argv[2])"
    python = script(tmp_path, f'#!/bin/sh\nexec {REAL} -c {shlex.quote(age)} "$@"\n')
    error = await error_of(bench, python)
    assert error == f"index/rep-0: {sys.executable} is Python 3.8; pods need 3.11 or newer"


async def test_packages_that_are_too_old_are_told_so(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "grpc").mkdir()
    (tmp_path / "grpc" / "__init__.py").write_text("__version__ = '1.1'\n")
    python = script(tmp_path, f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {REAL} "$@"\n')
    error = await error_of(bench, python)
    assert "bring what pods need up to date there" in error
    assert "-m pip install -U grpcio" in error


async def test_what_is_not_there_is_named(bench: Bench) -> None:
    error = await error_of(bench, "/nowhere/python")
    assert error == "index/rep-0: the interpreter /nowhere/python is not there; name another one as python"


async def test_what_is_not_executable_is_named(bench: Bench, tmp_path: Path) -> None:
    python = script(tmp_path, "#!/bin/sh\n", 0o644)
    assert f"the interpreter {python} is not executable" in await error_of(bench, python)


async def test_a_script_whose_own_interpreter_is_missing_is_named(bench: Bench, tmp_path: Path) -> None:
    python = script(tmp_path, "#!/nowhere/sh\n")
    error = await error_of(bench, python)
    assert error.startswith(f"index/rep-0: the interpreter {python}: its first line names /nowhere/sh")


@pytest.mark.parametrize("link", ["python", "python3"])
async def test_a_virtual_environment_is_another_interpreter_though_it_links_to_ours(
    bench: Bench, tmp_path: Path, link: str
) -> None:
    """It has our packages on its path, and its own prefix."""
    venv.create(tmp_path / "own", with_pip=False)
    (site,) = (tmp_path / "own" / "lib").glob("python3*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (site / "ours.pth").write_text("\n".join(ours))
    job = bench.start(python=str(tmp_path / "own" / "bin" / link))
    await bench.fact(job, Bound)
    pid = await bench.pid(job)
    assert environment(pid)[MARK] == job.mark
    assert str(tmp_path / "own") in Path(f"/proc/{pid}/cmdline").read_text()
