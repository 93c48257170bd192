"""The keys of a topology file: the one table from which the loader, the checks and the reference are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What stands behind a key; the words are those of the reference."""

    NAME = "name"
    USES = "executor"
    WHOLE = "whole number"
    SECONDS = "duration"
    FLAG = "true or false"
    HOST = "host"
    CHOICE = "word"
    PATH = "path"
    PATHS = "path or list of paths"
    NAMES = "name or list of names"
    POLLING = "`ANY`, `ALL`, or a map by endpoint"
    ENV = "map of text"
    VALUES = "map"
    GATEWAY = "map or `none`"
    DEPLOYMENTS = "list of maps"
    KEEP = "false"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what may stand behind it."""

    name: str
    kind: Kind
    default: str
    """As the reference shows it; `required` when there is none."""
    help: str
    low: float | None = None
    """Least value, of numbers."""
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return self.default == "required"

    @property
    def optional(self) -> bool:
        """Whether an empty value (`null`) says the same as leaving the key out."""
        return self.default == "none"


MAX_PODS = 4096
"""Pods of one topology; more is a slip of the finger on any single host."""
DAY = 86_400.0
WEEK = 7 * DAY

TOPOLOGY = (
    Key("name", Kind.NAME, "from the file", "Name of the topology."),
    Key("gateway", Kind.GATEWAY, "a gateway on a free port", "The front door; `none` leaves it out."),
    Key("deployments", Kind.DEPLOYMENTS, "required", "The deployments, at least one."),
    Key("keep", Kind.KEEP, "false", "Pods end with their engine; keeping them is not built yet."),
)

GATEWAY = (
    Key("host", Kind.HOST, "127.0.0.1", "Address to listen on; a loopback address."),
    Key("port", Kind.WHOLE, "none", "Port to listen on; without it a free one is found.", 1, 65535),
    Key("protocol", Kind.CHOICE, "grpc", "What it speaks.", choices=("grpc",)),
)

DEPLOYMENT = (
    Key("name", Kind.NAME, "required", "Name of the deployment, unlike all others of the file."),
    Key("uses", Kind.USES, "none", "The executor; without it requests pass through unchanged."),
    Key("uses_with", Kind.VALUES, "{}", "Arguments of the executor's constructor."),
    Key("uses_before", Kind.USES, "none", "Executor that the head runs before it fans out to shards."),
    Key("uses_after", Kind.USES, "none", "Executor that the head runs on what all shards answered."),
    Key("shards", Kind.WHOLE, "1", "Slices of the data; more than one puts a head in front.", 1),
    Key("replicas", Kind.WHOLE, "1", "Copies of each shard.", 1),
    Key("polling", Kind.POLLING, "ANY", "Whether a request goes to one shard or to all of them."),
    Key("needs", Kind.NAMES, "none", "Deployments whose output feeds this one; none: the gateway's input."),
    Key("host", Kind.HOST, "127.0.0.1", "Address to listen on; a loopback address."),
    Key("port", Kind.WHOLE, "none", "Port of the head or of the only replica; none: a free one.", 1, 65535),
    Key("env", Kind.ENV, "{}", "Environment variables of its pods, beside the caller's."),
    Key("workspace", Kind.PATH, "none", "Folder for the executor's data; none: one of the engine's."),
    Key("timeout_ready", Kind.SECONDS, "10m", "Time a pod may take to get ready; -1: for ever.", 0.001, WEEK),
    Key("timeout_send", Kind.SECONDS, "30s", "Time a request waits for a ready replica.", 0.001, WEEK),
    Key("grace", Kind.SECONDS, "10s", "Time that requests in flight get when a pod stops.", 0, DAY),
    Key("restart", Kind.CHOICE, "on-failure", "When a pod that ended starts again.",
        choices=("no", "on-failure", "always")),
    Key("idempotent", Kind.FLAG, "true", "Whether an unanswered request may be sent to another replica."),
    Key("keep", Kind.KEEP, "false", "Pods end with their engine; keeping them is not built yet."),
    Key("py_modules", Kind.PATHS, "none", "Modules or folders put on the import path of its pods."),
)  # fmt: skip

# Keys that later versions will read. Naming them beats calling them unknown.
RESERVED_TOPOLOGY = frozenset({"env", "hosts", "preset", "python", "runtime", "volumes"})
RESERVED_GATEWAY = frozenset(
    {"cors", "env", "monitoring", "port_monitoring", "python", "replicas", "runtime", "ssl_certfile",
     "ssl_keyfile", "timeout_ready", "tls", "token", "uses", "uses_with"}
)  # fmt: skip
RESERVED_DEPLOYMENT = frozenset(
    {"command", "depends_on", "docker_kwargs", "external", "gpu", "gpu_memory", "gpus", "hub", "limits",
     "monitoring", "noblock_on_start", "port_monitoring", "preset", "probe", "protocol", "python", "reload",
     "runtime", "ssl_certfile", "ssl_keyfile", "tls", "upload_files", "volumes"}
)  # fmt: skip

# What people write who come from elsewhere, where no likeness of letters leads to our word.
SYNONYMS = {"executors": "deployments", "pods": "deployments", "parallel": "replicas", "image": "uses"}


def key_of(table: tuple[Key, ...], name: str) -> Key:
    """The key of this name; KeyError when the table has none."""
    for key in table:
        if key.name == name:
            return key
    raise KeyError(name)
