"""The world of whoever calls `qd up`, as it is handed to the engine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from quarterdeck.tui.cli.session import caller


def test_the_interpreter_is_that_of_the_callers_virtual_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    assert caller().python == str(python)


@pytest.mark.parametrize("venv", ["", "/nowhere/venv", sys.prefix])
def test_elsewhere_it_is_left_to_the_engine(venv: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", venv)
    assert caller().python == ""


def test_environment_folder_and_umask_are_those_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUE", "red")
    before = os.umask(0o027)
    try:
        found = caller()
    finally:
        left = os.umask(before)
    assert (found.umask, left, found.cwd, found.env["HUE"]) == (0o027, 0o027, os.getcwd(), "red")
