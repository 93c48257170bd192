"""What the keys of one deployment, or of a gateway, say together: what goes with what, and what does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields

from ..errors import Mistake
from ..model import Runtime
from . import dealing
from .contents import is_address
from .table import is_whole
from .topology import DeploymentSpec, GatewaySpec, Probe, ProbeKind
from .wrong import shown

_LOOPBACK = re.compile(r"localhost|127(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}")
_NOT_EXTERNAL = (
    "uses", "uses_with", "uses_before", "uses_after", "env", "workspace", "py_modules", "runtime", "python",
    "command", "liveness", "ssl_certfile", "ssl_keyfile", "grpc_server_options", "gpus", "limits", "reload",
)  # fmt: skip
_NOT_COMMAND = ("uses", "uses_with", "runtime", "python")
_SHARED = ("env", "python", "gpus", "limits")
"""What all threads of a process have in common."""


def rules(spec: DeploymentSpec, path: str) -> Iterator[Mistake]:
    """Keys of a deployment that can't stand together, or that lack another."""
    if spec.external is True:
        yield from _external(spec, path)
    elif spec.command:
        for key in _given(spec, _NOT_COMMAND):
            message = f"`{key}` is not for a deployment with a `command`"
            yield Mistake(message, "leave one of the two out", key=f"{path}.{key}")
    elif spec.runtime == Runtime.THREAD:
        yield from _thread(spec, path)
    yield from _protocol(spec, path)
    yield from _tls(spec, path)
    if not spec.external:
        yield from host(spec, path)
        yield from _own_port(spec, path)
    if spec.gpus is not None and _deals(spec):
        message = f"`gpus` and `{dealing.VARIABLE}: RR…` both deal devices"
        yield Mistake(message, "leave one of the two out", key=f"{path}.gpus", value=str(spec.gpus))
    if isinstance(spec.liveness, Probe) and spec.liveness.kind == ProbeKind.LOG:
        hint = "what stands in the log once stays there: ask by `grpc`, `http`, `tcp` or `exec`"
        yield Mistake("`liveness` can't be a line of the log", hint, key=f"{path}.liveness")


def host(spec: DeploymentSpec | GatewaySpec, path: str) -> Iterator[Mistake]:
    """An address that others can reach, without what keeps them out."""
    if not is_address(spec.host) or _LOOPBACK.fullmatch(spec.host):
        return
    if not (spec.tls_enabled and spec.token):
        message = f"{shown(spec.host)} is not a loopback address"
        hint = (
            "nothing but loopback without TLS and a token: set `ssl_certfile`, `ssl_keyfile` and `token`, "
            "or leave `host` out"
        )
        yield Mistake(message, hint, key=f"{path}.host", value=spec.host)


def certificate(spec: DeploymentSpec | GatewaySpec, path: str) -> Iterator[Mistake]:
    """A certificate without its key, or a key without its certificate."""
    for one, other in (("ssl_certfile", "ssl_keyfile"), ("ssl_keyfile", "ssl_certfile")):
        if getattr(spec, one) and not getattr(spec, other):
            yield Mistake(f"`{one}` needs `{other}` beside it", "give both, or none", key=f"{path}.{one}")


def _external(spec: DeploymentSpec, path: str) -> Iterator[Mistake]:
    for key in _given(spec, _NOT_EXTERNAL):
        message = f"`{key}` is not for an external deployment: somebody else runs it"
        yield Mistake(message, "leave it out", key=f"{path}.{key}")
    if is_whole(spec.shards) and spec.shards != 1:
        hint = "its replicas are the addresses of `host` and `port`"
        yield Mistake(
            "an external deployment has one shard", hint, key=f"{path}.shards", value=str(spec.shards)
        )
    if not spec.hosts or len(spec.hosts) != len(spec.ports):
        hint = "say where it is: `host: name:port`, or `host` and `port`"
        yield Mistake("an external deployment needs its host and port", hint, key=f"{path}.port")
    elif is_whole(spec.replicas) and spec.replicas != len(spec.hosts):
        message = f"`replicas: {spec.replicas}`, but {len(spec.hosts)} addresses stand in `host` and `port`"
        yield Mistake(message, "leave `replicas` out", key=f"{path}.replicas", value=str(spec.replicas))
    if isinstance(spec.probe, Probe) and spec.probe.kind in (ProbeKind.EXEC, ProbeKind.LOG):
        hint = "ask by `grpc`, `http` or `tcp`"
        message = f"an external deployment can't be asked by `{spec.probe.kind}`: nothing of it runs here"
        yield Mistake(message, hint, key=f"{path}.probe")


def _thread(spec: DeploymentSpec, path: str) -> Iterator[Mistake]:
    for key in _given(spec, _SHARED):
        message = f"`{key}` is not for `runtime: thread`: all threads of one process share it"
        yield Mistake(message, "leave it out, or `runtime`", key=f"{path}.{key}")


def _protocol(spec: DeploymentSpec, path: str) -> Iterator[Mistake]:
    if spec.protocol != "http":
        return
    if not (spec.command or spec.external):
        hint = "executors speak gRPC: leave it out, or give a `command`"
        message = "`protocol: http` is for a command or an external deployment"
        yield Mistake(message, hint, key=f"{path}.protocol", value="http")
    if is_whole(spec.shards) and spec.shards > 1:
        message = "shards need a head, and no head speaks HTTP"
        yield Mistake(message, "use `replicas`", key=f"{path}.shards", value=str(spec.shards))
    if spec.needs:
        hint = "what must run before it stands in `depends_on`"
        yield Mistake("no gateway calls what speaks HTTP, so it can't need others", hint, key=f"{path}.needs")


def _tls(spec: DeploymentSpec, path: str) -> Iterator[Mistake]:
    if not spec.external:
        yield from certificate(spec, path)
        if spec.tls is True:
            hint = "give `ssl_certfile` and `ssl_keyfile`: then it serves under TLS"
            yield Mistake("`tls` is for an external deployment", hint, key=f"{path}.tls", value="true")
    if spec.ssl_cafile and not spec.tls_enabled:
        hint = "set `tls: true`" if spec.external else "give `ssl_certfile` and `ssl_keyfile`"
        yield Mistake("`ssl_cafile` is of no use without TLS", hint, key=f"{path}.ssl_cafile")


def _own_port(spec: DeploymentSpec, path: str) -> Iterator[Mistake]:
    whole = is_whole(spec.replicas) and is_whole(spec.shards)
    if spec.port is not None and whole and not spec.has_head and spec.replicas > 1:
        message = f"`port: {spec.port}` can't be that of {spec.replicas} replicas"
        hint = "it is the gateway's to have: set `gateway: {port: …}`, or leave `port` out"
        yield Mistake(message, hint, key=f"{path}.port", value=str(spec.port))


def _deals(spec: DeploymentSpec) -> bool:
    return str(spec.env.get(dealing.VARIABLE, "")).startswith("RR")


def _given(spec: DeploymentSpec, keys: tuple[str, ...]) -> list[str]:
    """Those of the keys that say something else than when they are left out."""
    left_out = DeploymentSpec(spec.name)
    values = {one.name: getattr(spec, one.name) for one in fields(spec)}
    return [key for key in keys if values[key] != getattr(left_out, key)]
