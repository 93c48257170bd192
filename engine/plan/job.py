"""`Job`: what a pod's process is told when it starts; plain data that travels as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

THREADS = "threads"
"""The role of a process whose pods are its threads; each of those has a job of its own."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one pod."""

    mark: str
    """16 hexadecimal digits, new for each run; stands in the environment of all that the pod starts."""
    topology: str
    name: str
    deployment: str
    role: str
    """`worker`, `head` or `gateway`; or `THREADS`."""
    host: str
    port: int
    """0: bind a free one."""
    shard: int = 0
    replica: int = 0
    shards: int = 1
    uses: str | None = None
    uses_with: dict[str, Any] = field(default_factory=dict)
    workspace: str = ""
    py_modules: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    """The whole environment of the pod."""
    cwd: str = "/"
    umask: int = 0o022
    python: str = ""
    """Interpreter, or empty for the keeper's own (then it is forked)."""
    grace: float = 10.0
    """Seconds that requests in flight get after SIGTERM."""
    command: tuple[str, ...] = ()
    """Program and arguments with every place filled, instead of our own server; it is told its port."""
    ssl_certfile: str = ""
    """It serves under TLS when both are there."""
    ssl_keyfile: str = ""
    token: str = ""
    """What callers must send as `authorization: Bearer TOKEN`."""
    server_options: dict[str, int | str] = field(default_factory=dict)
    memory: int | None = None
    """Limits of the pod and all that it starts, see `spec.topology.Limits`."""
    cpus: float | None = None
    files: int | None = None
    processes: int | None = None

    @property
    def title(self) -> str:
        """What htop shows."""
        return f"qd: {self.topology}/{self.name}"

    def dump(self) -> bytes:
        given = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(given, separators=(",", ":")).encode()

    @classmethod
    def load(cls, data: bytes) -> Job:
        raw = json.loads(data)
        raw["py_modules"], raw["command"] = tuple(raw["py_modules"]), tuple(raw["command"])
        return cls(**raw)
