"""Starting a keeper, from the engine's side. Standard library only: a keeper loads while its engine still does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

from ..home import ENGINE_MARK, Home
from .groups import NOTE, remove_left
from .processes import MARK, marked

TITLE_ROOM = 120
"""Bytes of padding in the keeper's arguments, so that a forked pod's title fits."""


def end_strays(home: Home) -> None:
    """SIGKILL what carries the home's mark although no keeper looks after it any more; we and our parent apart.

    What a keeper that was killed could not remove goes too: its control groups and its socket.
    """
    for process in marked(ENGINE_MARK, home.mark):
        if process.pid not in (os.getpid(), os.getppid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGKILL)
    keepers = home.keeper_socket.name.removesuffix(f"{os.getpid()}.sock")
    for note in home.folder.glob(f"{keepers}*{NOTE}"):
        remove_left(str(note), home.mark)
    for socket in home.folder.glob(f"{keepers}*.sock"):
        socket.unlink(missing_ok=True)


def start_keeper(home: Home, log_fd: int | None = None) -> subprocess.Popen[bytes]:
    """End what an earlier keeper left, and start one; it binds `home.keeper_socket` within milliseconds.

    What it prints goes to `log_fd`, else nowhere.
    """
    end_strays(home)
    path = home.keeper_socket
    arguments = [str(path), str(home.socket), str(home.lock), "." * TITLE_ROOM]
    out = subprocess.DEVNULL if log_fd is None else log_fd
    return subprocess.Popen(
        [sys.executable, "-m", "quarterdeck.engine.keeper.main", *arguments],
        env={**os.environ, MARK: "0" * 16, ENGINE_MARK: home.mark},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        start_new_session=True,
    )
