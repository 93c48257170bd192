"""What the keeper removes when it goes."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from quarterdeck.engine.keeper.sockets import remove_sockets


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """The keeper's socket, the engine's, and its lock."""
    own, engine, lock = (tmp_path / name for name in ("keeper.sock", "qd.sock", "qd.lock"))
    for path in (own, engine, lock):
        path.touch()
    return own, engine, lock


def hold(lock: Path) -> int:
    descriptor = os.open(lock, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def test_an_engine_that_gives_its_lock_back_after_its_link_ended_is_waited_for(
    places: tuple[Path, Path, Path],
) -> None:
    own, engine, lock = places
    held = hold(lock)
    going = threading.Thread(target=remove_sockets, args=(*map(str, places), 30.0))
    going.start()
    while own.exists():
        pass
    assert engine.exists()
    os.close(held)
    going.join(30)
    assert not engine.exists()


def test_an_engine_that_holds_the_lock_keeps_its_socket(places: tuple[Path, Path, Path]) -> None:
    own, engine, lock = places
    held = hold(lock)
    remove_sockets(str(own), str(engine), str(lock), 0.0)
    os.close(held)
    assert not own.exists()
    assert engine.exists()
