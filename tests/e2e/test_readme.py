"""README.md and pages of docs/ do what they say: their files and commands are run as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.engines import Engine
from tests.e2e.pages import ROOT, Page


@pytest.mark.parametrize("name", ["README.md", "docs/executor.md", "docs/python.md", "docs/requests.md"])
def test_a_page_runs_as_written(engine: Engine, tmp_path: Path, name: str) -> None:
    page = Page(ROOT / name)
    assert page.files()
    assert any(step.shown for step in page.steps())
    page.follow(engine, tmp_path)
    assert engine.qd("ps", code=None).returncode in (0, 3)
