"""Fixtures for tests with live pods."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.engine.pods.house import House


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Pods of one test; all of them have ended after it."""
    house = House(tmp_path_factory.mktemp("pods"))
    try:
        yield house
    finally:
        house.close()


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Pods of one file, for tests that leave them as they are."""
    house = House(tmp_path_factory.mktemp("pods"))
    try:
        yield house
    finally:
        house.close()
