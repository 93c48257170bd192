"""`Topology`: what the user asked for, checked and complete; plain frozen data, no file and no line in it.

Whatever the source was, paths in here are absolute and defaults are filled in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

DEFAULT_TIMEOUT_READY = 600.0
DEFAULT_TIMEOUT_SEND = 30.0
DEFAULT_GRACE = 10.0
LOOPBACK = "127.0.0.1"
DEFAULT_EXECUTOR = (None, "", "none")
"""What `uses` says for the executor that passes its input through."""


class Polling(StrEnum):
    """Whether a request goes to one shard or to every shard."""

    ANY = "ANY"
    ALL = "ALL"


class Restart(StrEnum):
    """When a pod that ended is started again."""

    NO = "no"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    """The topology's front door."""

    host: str = LOOPBACK
    port: int | None = None
    protocol: str = "grpc"


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """One deployment as asked for."""

    name: str
    """Empty only for a deployment made in Python without a name."""
    uses: str | None = None
    """`/abs/file.py:Class`, `module.Class`, or None for the default executor."""
    uses_with: dict[str, Any] = field(default_factory=dict)
    uses_before: str | None = None
    uses_after: str | None = None
    shards: int = 1
    replicas: int = 1
    polling: dict[str, Polling] = field(default_factory=lambda: {"*": Polling.ANY})
    """By endpoint with its leading slash; `*` is for all others."""
    needs: tuple[str, ...] = ()
    """Names of deployments whose output feeds this one; empty: the gateway's input does."""
    host: str = LOOPBACK
    port: int | None = None
    env: dict[str, str] = field(default_factory=dict)
    workspace: str | None = None
    timeout_ready: float | None = DEFAULT_TIMEOUT_READY
    """Seconds; None waits for ever."""
    timeout_send: float = DEFAULT_TIMEOUT_SEND
    grace: float = DEFAULT_GRACE
    restart: Restart = Restart.ON_FAILURE
    idempotent: bool = True
    py_modules: tuple[str, ...] = ()
    """Absolute paths of modules or folders put on the pod's import path."""

    @property
    def has_head(self) -> bool:
        return self.shards > 1

    @property
    def has_before(self) -> bool:
        return self.has_head and self.uses_before not in DEFAULT_EXECUTOR

    @property
    def has_after(self) -> bool:
        return self.has_head and self.uses_after not in DEFAULT_EXECUTOR

    @property
    def num_pods(self) -> int:
        """Head, before, after and all workers."""
        return self.has_head + self.has_before + self.has_after + self.shards * self.replicas


@dataclass(frozen=True, slots=True)
class Topology:
    """Deployments joined by their needs, behind one gateway (or none)."""

    name: str
    deployments: tuple[DeploymentSpec, ...]
    gateway: GatewaySpec | None = GatewaySpec()
    source: str = "<python>"
    """The file it came from."""
    folder: str = "/"
    """Absolute; relative paths were resolved against it."""
