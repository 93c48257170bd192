"""Finding the engine, or starting one: twenty callers at once start one engine."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from ..errors import EngineUnreachable, QuarterdeckError
from ..home import ENGINE_MARK, Home

START_TIMEOUT = 30.0


def answers(home: Home) -> bool:
    """Whether an engine holds the lock and its socket can be connected to."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(home.socket))
        except OSError:
            return False
    return True


@contextmanager
def _turn(home: Home) -> Iterator[None]:
    """One caller at a time looks and starts."""
    descriptor = os.open(home.start_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def ensure(home: Home, stays: bool = False) -> bool:
    """Have an engine at `home`; True when it was started now. Raises QuarterdeckError when none comes up."""
    home.prepare()
    if answers(home):
        return False
    with _turn(home):
        if answers(home):
            return False
        wait_gone(home)
        _start(home, stays)
    return True


def wait_gone(home: Home) -> None:
    """Wait until no engine process is left at `home`; one that is ending holds its lock to the last."""
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _start(home: Home, stays: bool) -> None:
    ready_read, ready_write = os.pipe()
    log = os.open(home.engine_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    words = ["stays" if stays else "leaves"]
    try:
        engine = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "quarterdeck.engine.api.daemon",
                str(home.socket),
                str(ready_write),
                *words,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**os.environ, ENGINE_MARK: home.mark},
            pass_fds=(ready_write,),
            start_new_session=True,
        )
    finally:
        os.close(ready_write)
        os.close(log)
    # Whoever starts an engine wants to talk to it next: loading that part now costs no time, the engine loads too.
    import_module(".client", __package__)
    try:
        readable, _, _ = select.select([ready_read], [], [], START_TIMEOUT)
        said = os.read(ready_read, 4096).decode() if readable else ""
    finally:
        os.close(ready_read)
    # Whoever started it need not be its parent for its whole life; the reference is all that would warn.
    engine.returncode = 0
    if said != "ready":
        why = said or _last_words(home)
        raise QuarterdeckError(f"the engine did not start: {why}", f"what it printed is in {home.engine_log}")


def _last_words(home: Home) -> str:
    lines = home.engine_log.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"


def require(home: Home) -> None:
    """Raise EngineUnreachable when no engine answers at `home`."""
    if not answers(home):
        raise EngineUnreachable(f"no engine answers at {home.socket}", "one starts with: qd up FILE")
