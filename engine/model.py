"""What the console may know of the engine: frozen plain data, standard library only.

Everything here is immutable and compares by value, so that a screen can tell what changed with `==`.
Times are seconds since the epoch (`time.time()`); memory is bytes; CPU is percent of one core.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Phase(StrEnum):
    """Where a pod is in its life; the words are shown as they stand."""

    PENDING = "pending"
    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"
    BACKOFF = "backoff"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"

    @property
    def alive(self) -> bool:
        """Whether a process of the pod may be running."""
        return self in (Phase.STARTING, Phase.READY, Phase.UNREADY, Phase.STOPPING)

    @property
    def settled(self) -> bool:
        """Whether nothing more happens without a person or a fault."""
        return self in (Phase.READY, Phase.FAILED, Phase.STOPPED)


TOO_SLOW = "not ready within"
"""How the reason of a pod begins that did not get ready in its time."""

# Worst first: a branch of the tree takes the first of these that one of its leaves has.
SEVERITY: tuple[Phase, ...] = (
    Phase.FAILED,
    Phase.BACKOFF,
    Phase.UNREADY,
    Phase.STOPPING,
    Phase.STARTING,
    Phase.PENDING,
    Phase.STOPPED,
    Phase.READY,
)


class Role(StrEnum):
    """What a pod is for; `uses_before` and `uses_after` pods are workers."""

    GATEWAY = "gateway"
    HEAD = "head"
    WORKER = "worker"


class Runtime(StrEnum):
    """How a pod runs."""

    PROCESS = "process"
    THREAD = "thread"
    COMMAND = "command"
    CONTAINER = "container"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class PodKey:
    """What names a pod everywhere: its topology and its name in it, `index/shard-0/rep-1`."""

    topology: str
    name: str

    def __str__(self) -> str:
        return f"{self.topology}/{self.name}"


@dataclass(frozen=True, slots=True)
class PodStatus:
    """One pod as it is now."""

    topology: str
    name: str
    """Name within the topology: `gateway`, `index/head`, `index/shard-0/rep-1`, `clean/rep-0`."""
    deployment: str
    role: Role
    shard: int | None
    replica: int | None
    runtime: Runtime
    phase: Phase
    reason: str = ""
    """One clause: why it is not ready. Empty when it is."""
    host: str = "127.0.0.1"
    port: int | None = None
    port_monitoring: int | None = None
    gpu: str | None = None
    pid: int | None = None
    run: int = 0
    """Number of the present run, from 1; 0 before the first."""
    restarts: int = 0
    exit_code: int | None = None
    """Of the last run that ended; a negative number is the signal that ended it."""
    started_at: float | None = None
    ready_at: float | None = None
    since: float = 0.0
    """When the present phase began."""
    next_try_at: float | None = None
    """When a pod in backoff starts again."""
    uses: str = ""

    @property
    def key(self) -> PodKey:
        return PodKey(self.topology, self.name)

    @property
    def ready(self) -> bool:
        return self.phase is Phase.READY

    @property
    def address(self) -> str | None:
        """`host:port`, or None while the port is unknown."""
        return None if self.port is None else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """One deployment as it was planned, with what its pods add up to."""

    topology: str
    name: str
    uses: str
    shards: int
    replicas: int
    needs: tuple[str, ...] = ()
    polling: str = "ANY"
    port: int | None = None
    """The head's port, or the only worker's; None with several replicas and no head."""
    restart: str = "on-failure"


@dataclass(frozen=True, slots=True)
class TopologyStatus:
    """One topology that the engine runs."""

    name: str
    source: str
    """The file it came from, or `<python>`."""
    digest: str
    """Changes when the file's meaning does; `qd up` compares it."""
    created_at: float
    gateway: bool = True
    owner: str = ""
    """Name of the console that owns it (`qd up` without `-d`), or empty."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Who answers."""

    version: str
    pid: int
    host: str
    started_at: float
    socket: str
    home: str
    keeper_pid: int | None = None
    stays: bool = False
    """False: it ends by itself a minute after the last topology and console have gone."""
    gpus: int = 0
    gpus_source: str = ""
    """`NVML`, `CUDA_TOTAL_DEVICES`, or why there are none."""


@dataclass(frozen=True)
class Fleet:
    """Everything the engine runs, at one revision. `pods` are in the order of the tree."""

    revision: int = 0
    topologies: tuple[TopologyStatus, ...] = ()
    deployments: tuple[DeploymentStatus, ...] = ()
    pods: tuple[PodStatus, ...] = ()

    @cached_property
    def by_key(self) -> dict[PodKey, PodStatus]:
        return {pod.key: pod for pod in self.pods}

    def of(self, topology: str) -> tuple[PodStatus, ...]:
        """Pods of one topology, in the tree's order."""
        return tuple(pod for pod in self.pods if pod.topology == topology)

    @property
    def ready(self) -> int:
        return sum(pod.ready for pod in self.pods)

    def same_as(self, other: Fleet) -> bool:
        """Whether nothing but the revision differs."""
        mine = self.pods, self.deployments, self.topologies
        return mine == (other.pods, other.deployments, other.topologies)


class Level(StrEnum):
    """How much an event matters."""

    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; numbered from 1 without gaps in one engine's life."""

    seq: int
    time: float
    level: Level
    topology: str
    pod: str
    """Name of the pod within the topology, or empty."""
    text: str
    phase: Phase | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What a pod uses now."""

    cpu_percent: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class HostSample:
    """What the host uses now."""

    cpu_percent: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None


@dataclass(frozen=True)
class Samples:
    """One round of sampling."""

    time: float = 0.0
    host: HostSample = HostSample()
    pods: dict[PodKey, Sample] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that holds memory of a GPU."""

    pid: int
    memory_bytes: int | None
    command: str = ""
    user: str = ""
    pod: PodKey | None = None
    """The pod whose process tree it belongs to; None: somebody else's."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One device of this host as it is now."""

    index: int
    name: str = ""
    uuid: str = ""
    memory_used: int | None = None
    memory_total: int | None = None
    busy_percent: float | None = None
    processes: tuple[GpuProcess, ...] = ()
    pods: tuple[PodKey, ...] = ()
    """Pods that were dealt it."""
    trouble: str = ""
    """Why it can't be asked: it was lost while running, say."""


@dataclass(frozen=True, slots=True)
class LogRun:
    """One run of a pod, and the file that its output went to."""

    run: int
    path: str
    size: int
    started_at: float
    ended_at: float | None = None
    ending: str = ""
    """Why it ended: `exit 1 after 3s`; empty while it runs."""


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Bytes `[offset, offset + len(data))` of one run's log."""

    run: int
    offset: int
    data: bytes
    size: int
    """Size of the whole file when it was read."""
    ended: bool
    """Whether the run is over, so that the file grows no more."""


@dataclass(frozen=True, slots=True)
class PodDetails:
    """What Details shows beside the status. Secrets are masked by the engine before they leave it."""

    key: PodKey
    command: str
    workspace: str
    env: tuple[tuple[str, str], ...]
    probe: str
    restart: str
    limits: str
    attempts: str
    last_error: str
    log_end: tuple[str, ...]
    history: tuple[Event, ...]
    log_path: str
    blocked_by: str = ""
    gpu_rule: str = ""
    cannot: tuple[tuple[str, str], ...] = ()
    """What its runtime can't do, with the reason: `kill`, `nobody here runs it`."""
