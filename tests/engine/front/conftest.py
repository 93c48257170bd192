"""Homes of the engines that a test makes in this process: nothing alive or on the disk afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.homes import Homes, kill_all


@pytest.fixture(autouse=True)
def homes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Homes]:
    """All that these engines run has ended after the test."""
    with tempfile.TemporaryDirectory(prefix="qd-d-") as name:
        homes = Homes(Path(name))
        monkeypatch.setattr(tempfile, "mkdtemp", homes.mkdtemp)
        yield homes
        monkeypatch.undo()
        for home in homes.made:
            kill_all(home)
