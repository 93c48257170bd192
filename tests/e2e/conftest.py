"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.engines import Engine, new_engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    with new_engine() as made:
        yield made
