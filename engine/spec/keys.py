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
    HOSTS = "host or list of hosts"
    PORTS = "whole number or list of them"
    NUMBER = "number"
    BYTES = "size"
    PYTHON = "interpreter"
    FILE = "path of a file"
    COMMAND = "list of words, or one line"
    PROBE = "`grpc`, `tcp`, or a map"
    LIMITS = "map of limits"
    TOKEN = "text"
    METADATA = "map of text, its keys in lower case"
    OPTIONS = "map of whole numbers or text"
    GPUS = "`spread`, `auto`, or a whole number"
    SERVICE = "true, or a service's name"
    CONNECT = "true, or a port"
    REQUEST = "path of a URL"
    PATTERN = "regular expression"


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
    Key("host", Kind.HOST, "127.0.0.1", "Address to listen on; without TLS and a token a loopback address."),
    Key("port", Kind.WHOLE, "none", "Port to listen on; without it a free one is found.", 1, 65535),
    Key("protocol", Kind.CHOICE, "grpc", "What it speaks.", choices=("grpc",)),
    Key("ssl_certfile", Kind.FILE, "none", "Certificate that it serves under TLS with."),
    Key("ssl_keyfile", Kind.FILE, "none", "Key of that certificate, without a password."),
    Key("token", Kind.TOKEN, "none", "What callers must send as `authorization: Bearer TOKEN`."),
    Key("grpc_server_options", Kind.OPTIONS, "{}", "Arguments of its gRPC server."),
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
    Key("host", Kind.HOSTS, "127.0.0.1", "Address to listen on, as a gateway's; where an external one is."),
    Key("port", Kind.PORTS, "none",
        "Port of the head or of the only replica, none: a free one; where an external one is.", 1, 65535),
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
    Key("runtime", Kind.CHOICE, "process", "Whether each pod is a process, or all are threads of one.",
        choices=("process", "thread")),
    Key("python", Kind.PYTHON, "none", "Interpreter or virtual environment of its pods; none: the caller's."),
    Key("command", Kind.COMMAND, "none", "Any program that serves on `{port}`, in place of `uses`."),
    Key("protocol", Kind.CHOICE, "grpc", "What a command or an external one speaks; nothing of ours calls `http`.",
        choices=("grpc", "http")),
    Key("probe", Kind.PROBE, "none",
        "When a pod is ready; none: gRPC health, with `protocol: http` that its port takes a connection."),
    Key("liveness", Kind.PROBE, "none", "When a pod is ended and started again; none: only its end is."),
    Key("depends_on", Kind.NAMES, "none", "Deployments that must be ready before a pod of this one starts."),
    Key("external", Kind.FLAG, "false", "Somebody else runs it, at `host` and `port`."),
    Key("ssl_certfile", Kind.FILE, "none", "Certificate that its pods serve under TLS with."),
    Key("ssl_keyfile", Kind.FILE, "none", "Key of that certificate, without a password."),
    Key("ssl_cafile", Kind.FILE, "none",
        "Whom its callers trust; none: the certificate itself, for external ones the system's roots."),
    Key("tls", Kind.FLAG, "false", "Whether an external deployment is spoken to under TLS."),
    Key("token", Kind.TOKEN, "none", "What its pods ask of callers as `authorization: Bearer TOKEN`."),
    Key("grpc_metadata", Kind.METADATA, "{}", "Sent with every request to it."),
    Key("grpc_channel_options", Kind.OPTIONS, "{}", "Arguments of the gRPC channels to its pods."),
    Key("grpc_server_options", Kind.OPTIONS, "{}", "Arguments of its pods' gRPC servers."),
    Key("partial", Kind.CHOICE, "fail", "Whether a request to all shards may go without some of them.",
        choices=("fail", "allow")),
    Key("gpus", Kind.GPUS, "none", "How devices are dealt, or how many each replica gets."),
    Key("limits", Kind.LIMITS, "{}", "What one pod and all that it starts may use."),
    Key("reload", Kind.FLAG, "false", "Restart its pods, one at a time, when its code changes."),
)  # fmt: skip

PROBE = (
    Key("grpc", Kind.SERVICE, "-", "Ask `grpc.health.v1.Health/Check`, of one service if it is named."),
    Key("http", Kind.REQUEST, "-", "GET of this path: any status from 200 to 399 is well."),
    Key("tcp", Kind.CONNECT, "-", "See whether the port takes a connection."),
    Key("exec", Kind.COMMAND, "-", "Run a program in the pod's environment and folder: 0 is well."),
    Key("log", Kind.PATTERN, "-", "Wait until a line of the log matches; not for `liveness`."),
    Key("port", Kind.WHOLE, "none", "Port to ask; none: the pod's own.", 1, 65535),
    Key(
        "every",
        Kind.SECONDS,
        "15s",
        "Time between questions while it is well; sooner while it isn't.",
        0.001,
        DAY,
    ),
    Key("timeout", Kind.SECONDS, "5s", "Time that an answer may take.", 0.001, DAY),
    Key("failures", Kind.WHOLE, "1", "Wrong answers in a row that it takes to be unwell.", 1),
    Key("delay", Kind.SECONDS, "0", "Time after the start before the first question.", 0, DAY),
)

LIMITS = (
    Key("memory", Kind.BYTES, "none", "Memory, as in `2GiB`, `500MB`, or in bytes.", 1),
    Key("cpus", Kind.NUMBER, "none", "Cores: `0.5` is half of one.", 0.01, 4096),
    Key("files", Kind.WHOLE, "none", "Files that each process may have open.", 1),
    Key("processes", Kind.WHOLE, "none", "Processes and threads.", 1),
)

EXECUTOR = (
    Key("jtype", Kind.NAME, "required", "The class, or `module.Class`."),
    Key("with", Kind.VALUES, "{}", "Arguments of its constructor; `uses_with` wins over them."),
    Key(
        "py_modules",
        Kind.PATHS,
        "none",
        "Files and folders that it is imported from, from this file's folder.",
    ),
    Key("metas", Kind.VALUES, "{}", "Name, description and the like, which nothing here uses."),
)

# Keys that later versions will read. Naming them beats calling them unknown.
RESERVED_TOPOLOGY = frozenset({"env", "hosts", "preset", "python", "runtime", "volumes"})
RESERVED_GATEWAY = frozenset(
    {"cors", "env", "monitoring", "port_monitoring", "python", "replicas", "runtime", "timeout_ready", "tls",
     "uses", "uses_with"}
)  # fmt: skip
RESERVED_DEPLOYMENT = frozenset(
    {"docker_kwargs", "gpu", "gpu_memory", "hub", "monitoring", "noblock_on_start", "port_monitoring", "preset",
     "upload_files", "volumes"}
)  # fmt: skip

RESERVED_EXECUTOR = frozenset({"requests", "dynamic_batching", "workspace", "cors"})

# What people write who come from elsewhere, where no likeness of letters leads to our word.
SYNONYMS = {"executors": "deployments", "pods": "deployments", "parallel": "replicas", "image": "uses"}


def key_of(table: tuple[Key, ...], name: str) -> Key:
    """The key of this name; KeyError when the table has none."""
    for key in table:
        if key.name == name:
            return key
    raise KeyError(name)
