"""A process runtime with a keeper of its own, for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.engine.runtimes.bench import Bench
from tests.fakes.homes import temporary_home

from quarterdeck.engine.home import Home


@pytest.fixture
def home() -> Iterator[Home]:
    with temporary_home() as home:
        home.prepare()
        yield home


@pytest.fixture
async def bench(home: Home, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(home, tmp_path)
    await bench.runtime.open()
    try:
        yield bench
    finally:
        await bench.runtime.close()
