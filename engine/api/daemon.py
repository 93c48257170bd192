"""The engine as a daemon: `python -m quarterdeck.engine.api.daemon SOCKET READY_FD STAYS`.

Owns the lock that makes it the only one. The lock is taken before the socket is bound and held for life, since a
second gRPC server could bind the same path without an error. The keeper is started before the server is loaded, so
that both load side by side.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import sys

from ..errors import QuarterdeckError
from ..home import Home, find_home
from ..keeper.start import start_keeper

IDLE = 60.0
"""Seconds without topology and console after which an engine that `qd up` started ends by itself."""
log = logging.getLogger("quarterdeck.engine")


def take_lock(home: Home) -> None:
    """Take the lock; the kernel gives it back when this process has ended, which whoever waits for that relies on.

    Raises QuarterdeckError when another engine has it.
    """
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise QuarterdeckError(f"an engine runs at {home.socket} already") from None


def _tell(ready_fd: int, text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(ready_fd, text.encode())
        os.close(ready_fd)


def main(socket: str, ready_fd: int, stays: bool) -> int:
    os.umask(0o077)
    home = find_home({}, socket)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    idle = float(os.environ.get("QUARTERDECK_IDLE", IDLE))
    try:
        home.prepare()
        take_lock(home)
    except QuarterdeckError as error:
        _tell(ready_fd, str(error))
        return error.exit_code
    keeper = start_keeper(home, log_fd=2)
    from .server import serve

    try:
        asyncio.run(serve(home, lambda: _tell(ready_fd, "ready"), stays, keeper, idle))
    except QuarterdeckError as error:
        log.error("%s", error)
        _tell(ready_fd, str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "stays"))
