"""A supervisor of its own for each test, closed with all that it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.fakes.homes import temporary_home
from tests.fakes.worlds import World

from quarterdeck import __version__
from quarterdeck.engine.home import Home
from quarterdeck.engine.supervise.supervisor import Supervisor


@pytest.fixture
def home() -> Iterator[Home]:
    with temporary_home() as home:
        yield home


@pytest.fixture
async def supervisor(home: Home) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(home, __version__)
    await supervisor.open()
    try:
        yield supervisor
    finally:
        await supervisor.close()


@pytest.fixture
def world(supervisor: Supervisor, tmp_path: Path) -> World:
    return World(supervisor, tmp_path)
