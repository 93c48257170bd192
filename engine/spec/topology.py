"""`Topology`: what the user asked for, checked and complete; plain frozen data, no file and no line in it.

Whatever the source was, paths in here are absolute and defaults are filled in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..model import Runtime

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


class Partial(StrEnum):
    """What becomes of a request to all shards when one of them has no answer."""

    FAIL = "fail"
    ALLOW = "allow"
    """The others' answers are the answer; the trailing metadata names what is missing."""


class ProbeKind(StrEnum):
    """How a pod is asked whether it is well."""

    GRPC = "grpc"
    """`grpc.health.v1.Health/Check`; `path` names the service."""
    HTTP = "http"
    """GET of `path`: any answer from 200 to 399 is well."""
    TCP = "tcp"
    """The port takes a connection."""
    EXEC = "exec"
    """`command` in the pod's environment and folder ends with 0."""
    LOG = "log"
    """A line of the run's log matches the regular expression `pattern`; once it has, it stays well."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question put to a pod again and again. Times are seconds."""

    kind: ProbeKind = ProbeKind.GRPC
    path: str = ""
    port: int | None = None
    """None: the pod's own."""
    command: tuple[str, ...] = ()
    pattern: str = ""
    every: float = 15.0
    """While it is well; sooner while it is not."""
    timeout: float = 5.0
    failures: int = 1
    """Wrong answers in a row that it takes to be unwell."""
    delay: float = 0.0
    """After the start, before the first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one pod and all that it starts may use; None: as much as there is."""

    memory: int | None = None
    """Bytes."""
    cpus: float | None = None
    """Cores: 0.5 is half of one."""
    files: int | None = None
    """Open at a time, by each process."""
    processes: int | None = None
    """Processes and threads."""


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    """The topology's front door."""

    host: str = LOOPBACK
    port: int | None = None
    protocol: str = "grpc"
    ssl_certfile: str | None = None
    """Absolute paths; TLS is on when both certificate and key are set."""
    ssl_keyfile: str | None = None
    token: str | None = None
    """What callers must send as `authorization: Bearer TOKEN`; None: nothing is asked for."""
    grpc_server_options: dict[str, int | str] = field(default_factory=dict)

    @property
    def tls_enabled(self) -> bool:
        return bool(self.ssl_certfile and self.ssl_keyfile)


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
    runtime: Runtime = Runtime.PROCESS
    """PROCESS or THREAD as asked; COMMAND and EXTERNAL follow from `command` and `external`."""
    python: str | None = None
    """Absolute path of the interpreter of its workers; None: the caller's, else the engine's."""
    command: tuple[str, ...] = ()
    """Program and arguments of each worker, with `{port}`, `{host}`, `{gpu}`, `{shard}`, `{replica}` and
    `{workspace}` still in them; the values of `env` may have them too."""
    protocol: str = "grpc"
    """What its workers speak: `grpc`, or `http` (a command's only; no head or gateway sends to it)."""
    probe: Probe | None = None
    """Readiness; None: gRPC health, or for `protocol: http` that the port takes a connection."""
    liveness: Probe | None = None
    """Whether it is to be ended and started again; None: only its end is."""
    depends_on: tuple[str, ...] = ()
    """Deployments that must be ready before a pod of this one starts."""
    external: bool = False
    """Somebody else runs it; `hosts` and `ports` say where."""
    hosts: tuple[str, ...] = ()
    """Of an external deployment's replicas; as many as `ports`, one replica each."""
    ports: tuple[int, ...] = ()
    ssl_certfile: str | None = None
    """Absolute paths; its pods serve under TLS when both certificate and key are set."""
    ssl_keyfile: str | None = None
    ssl_cafile: str | None = None
    """Whom its callers trust; None: the certificate itself, or for external ones the system's roots."""
    tls: bool = False
    """Of an external deployment: it is spoken to under TLS."""
    token: str | None = None
    """What its pods ask of callers as `authorization: Bearer TOKEN`; heads and gateways send it."""
    grpc_metadata: dict[str, str] = field(default_factory=dict)
    """Sent with every request to it."""
    grpc_channel_options: dict[str, int | str] = field(default_factory=dict)
    grpc_server_options: dict[str, int | str] = field(default_factory=dict)
    partial: Partial = Partial.FAIL
    gpus: str | None = None
    """`spread`, `auto`, or how many devices each replica gets; beside it CUDA_VISIBLE_DEVICES can't be dealt."""
    limits: Limits = Limits()
    reload: bool = False
    """Restart its pods, one at a time, when its code changes."""

    @property
    def kind(self) -> Runtime:
        """How its workers run."""
        if self.external:
            return Runtime.EXTERNAL
        return Runtime.COMMAND if self.command else self.runtime

    @property
    def tls_enabled(self) -> bool:
        """Whether its pods are spoken to under TLS."""
        return self.tls or bool(self.ssl_certfile and self.ssl_keyfile)

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
        """Head, before, after and all workers; none of an external deployment's is ours."""
        if self.external:
            return 0
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
