"""Where an engine keeps its things: sockets, lock, logs, workspaces. Owns paths and their modes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import QuarterdeckError, UsageError

SOCKET_NAME = "qd.sock"
ENGINE_MARK = "QUARTERDECK_ENGINE"
"""Environment variable of every process of ours: `Home.mark` of the engine that it belongs to."""
LONGEST_SOCKET_PATH = 107
"""Bytes that fit into `sockaddr_un.sun_path`, less the final zero."""
README = """\
This folder belongs to Quarterdeck's engine.

qd.sock, qd.lock   the engine's control socket, and the lock that it holds for life
engine.log         what the engine and its keeper printed
logs/              one file for each run of a pod: logs/TOPOLOGY/POD/run-N.log, plain text as the pod wrote it
workspaces/        folders of pods that named none of their own

`qd logs --path TARGET` names a pod's file. Files under logs/ may be deleted when their pods don't run.
"""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one engine; one user has one for a host unless `--socket` names another."""

    folder: Path
    socket_name: str = SOCKET_NAME

    @property
    def socket(self) -> Path:
        return self.folder / self.socket_name

    @property
    def lock(self) -> Path:
        return self.folder / (Path(self.socket_name).stem + ".lock")

    @property
    def start_lock(self) -> Path:
        """Held by whoever is starting an engine."""
        return self.folder / (Path(self.socket_name).stem + ".start.lock")

    @property
    def keeper_socket(self) -> Path:
        return self.folder / (Path(self.socket_name).stem + f".keeper-{os.getpid()}.sock")

    @property
    def engine_log(self) -> Path:
        return self.folder / "engine.log"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def workspaces(self) -> Path:
        return self.folder / "workspaces"

    @property
    def mark(self) -> str:
        """16 hexadecimal digits that every process of this engine carries in its environment."""
        return hashlib.sha256(os.fsencode(str(self.socket))).hexdigest()[:16]

    def prepare(self) -> None:
        """Make the folder (0700) and check that nobody else can reach into it."""
        length = len(os.fsencode(str(self.keeper_socket)))
        if length > LONGEST_SOCKET_PATH:
            raise UsageError(
                f"{self.folder}: too long a path for a socket ({length} bytes of {LONGEST_SOCKET_PATH})",
                "name a shorter one with --socket or QUARTERDECK_HOME",
            )
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.folder.stat()
        except OSError as error:
            raise QuarterdeckError(
                f"{self.folder}: {error.strerror}", "name another folder with --socket or QUARTERDECK_HOME"
            ) from None
        if found.st_uid != os.getuid():
            raise QuarterdeckError(
                f"{self.folder} belongs to user {found.st_uid}, not to you",
                "name another folder with --socket or QUARTERDECK_HOME",
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise QuarterdeckError(
                f"{self.folder} can be entered by others (mode {stat.S_IMODE(found.st_mode):04o})",
                f"chmod 700 {self.folder}, or name another folder with --socket",
            )
        readme = self.folder / "README"
        try:
            self.logs.mkdir(mode=0o700, exist_ok=True)
            if not readme.exists():
                readme.write_text(README)
        except OSError as error:
            raise QuarterdeckError(
                f"{error.filename}: {error.strerror}", f"remove it, or make room in {self.folder}"
            ) from None


def find_home(env: Mapping[str, str], socket: str | None = None) -> Home:
    """The home that `--socket`, else QUARTERDECK_HOME, else the user's home folder says."""
    if socket:
        path = Path(os.path.abspath(os.path.expanduser(socket)))
        return Home(path.parent, path.name)
    if env.get("QUARTERDECK_HOME"):
        return Home(Path(os.path.abspath(env["QUARTERDECK_HOME"])))
    base = env.get("HOME") or os.path.expanduser("~")
    return Home(Path(base) / ".quarterdeck")
