"""Random topologies that are right, for property tests of everything that takes one."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from quarterdeck.engine.model import Runtime
from quarterdeck.engine.spec.topology import (
    DeploymentSpec,
    GatewaySpec,
    Limits,
    Partial,
    Polling,
    Probe,
    ProbeKind,
    Restart,
    Topology,
)

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("gateway", "head")
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
USES = st.sampled_from([None, "/srv/app/search.py:Search", "package.module.Class"])
RULES = st.sampled_from(["RR", "RR0:2", "RR[1:3]", "RR-1", "RR-2:", "RR0,2", "RR::2", "0", "2,3", ""])
VARIABLES = st.dictionaries(st.from_regex(r"[A-Z_]{1,6}", fullmatch=True), TEXTS, max_size=2)
SECRET = {"ssl_certfile": "/srv/cert.pem", "ssl_keyfile": "/srv/key.pem"}
OPTIONS = {"grpc.keepalive_time_ms": 9000, "grpc.primary_user_agent": "a"}

Fields = dict[str, Any]

COMMON: st.SearchStrategy[Fields] = st.fixed_dictionaries(
    {
        "polling": st.fixed_dictionaries(
            {"*": st.sampled_from(Polling), "/search": st.sampled_from(Polling)}
        ),
        "timeout_ready": st.none() | st.floats(0.001, 1000),
        "restart": st.sampled_from(Restart),
        "idempotent": st.booleans(),
        "partial": st.sampled_from(Partial),
        "token": st.sampled_from([None, "secret"]),
        "grpc_metadata": st.sampled_from([{}, {"tenant": "a"}]),
        "grpc_channel_options": st.sampled_from([{}, OPTIONS]),
        "probe": st.sampled_from(
            [None, Probe(ProbeKind.HTTP, "/health", every=1.0), Probe(ProbeKind.TCP, port=9)]
        ),
    }
)
OURS: st.SearchStrategy[Fields] = st.fixed_dictionaries(
    {
        "workspace": st.sampled_from([None, "/srv/data"]),
        "py_modules": st.sampled_from([(), ("/srv/lib",)]),
        "liveness": st.sampled_from([None, Probe(ProbeKind.EXEC, command=("true",), failures=3)]),
        "grpc_server_options": st.sampled_from([{}, OPTIONS]),
        "reload": st.booleans(),
        "uses_before": USES,
        "uses_after": USES,
    }
)
OWN: st.SearchStrategy[Fields] = st.fixed_dictionaries(
    {
        "env": VARIABLES,
        "limits": st.sampled_from([Limits(), Limits(memory=1 << 30, cpus=0.5)]),
    }
)
"""What pods have that share no process."""
EXECUTOR: st.SearchStrategy[Fields] = st.fixed_dictionaries(
    {"uses": USES, "uses_with": st.dictionaries(TEXTS, JSON_VALUES, max_size=2)}
)
INTERPRETER: st.SearchStrategy[Fields] = st.fixed_dictionaries(
    {"python": st.sampled_from([None, "/srv/venv/bin/python"])}
)
COMMAND = st.sampled_from([("serve", "--port", "{port}"), ("sh", "-c", "serve {gpu} {shard} {replica}")])
KINDS = ("executor", "thread", "command", "http", "external", "external http")


@st.composite
def deployments(draw: st.DrawFn, name: str, earlier: list[DeploymentSpec], port: int) -> DeploymentSpec:
    """One deployment that may need any of the earlier ones; its port, if it has one, is `port`."""
    kind = draw(st.sampled_from(KINDS))
    http, external = "http" in kind, "external" in kind
    fields = draw(COMMON)
    if earlier:
        fields["depends_on"] = _some(draw, earlier)
        fields["needs"] = () if http else _some(draw, [one for one in earlier if one.protocol == "grpc"])
    if http:
        fields["protocol"] = "http"
    if external:
        return DeploymentSpec(name, **fields, **_places(draw))
    shards, replicas = 1 if http else draw(st.integers(1, 3)), draw(st.integers(1, 3))
    fields |= {"shards": shards, "replicas": replicas} | draw(OURS)
    if (shards > 1 or replicas == 1) and draw(st.booleans()):
        fields["port"] = port
    if draw(st.booleans()):
        fields |= SECRET
    match kind:
        case "thread":
            fields |= {"runtime": Runtime.THREAD} | draw(EXECUTOR)
        case "executor":
            fields |= draw(EXECUTOR) | draw(OWN) | draw(INTERPRETER) | _dealing(draw)
        case _:
            fields |= {"command": draw(COMMAND)} | draw(OWN) | _dealing(draw)
            fields["env"] = {**fields["env"], "PORT": "{port}"}
    if rule := fields.pop("rule", None):
        fields["env"] = {**fields["env"], "CUDA_VISIBLE_DEVICES": rule}
    return DeploymentSpec(name, **fields)


def _some(draw: st.DrawFn, earlier: list[DeploymentSpec]) -> tuple[str, ...]:
    names = [spec.name for spec in earlier]
    return tuple(draw(st.lists(st.sampled_from(names), unique=True, max_size=3))) if names else ()


def _dealing(draw: st.DrawFn) -> Fields:
    """How devices are dealt: by a rule of the variable, by `gpus`, or not at all."""
    rule = draw(st.none() | RULES)
    return (
        {"gpus": draw(st.sampled_from([None, "spread", "auto", "1", "3"]))}
        if rule is None
        else {"rule": rule}
    )


def _places(draw: st.DrawFn) -> Fields:
    """Where somebody else's pods are."""
    ports = tuple(draw(st.lists(st.integers(1, 65535), min_size=1, max_size=3)))
    hosts = tuple(draw(st.sampled_from(["far", "10.0.0.7"])) for _ in ports)
    tls: Fields = draw(st.sampled_from([{}, {"tls": True}, {"tls": True, "ssl_cafile": "/srv/ca.pem"}]))
    return {
        "external": True,
        "host": hosts[0],
        "port": ports[0],
        "hosts": hosts,
        "ports": ports,
        "replicas": len(ports),
        **tls,
    }


GATEWAYS = st.none() | st.builds(
    GatewaySpec,
    port=st.sampled_from([None, 8080]),
    token=st.sampled_from([None, "secret"]),
    ssl_certfile=st.just("/srv/cert.pem"),
    ssl_keyfile=st.just("/srv/key.pem"),
)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Deployments of all kinds with needs and without a cycle, in any order."""
    names = draw(st.lists(NAMES, unique=True, min_size=1, max_size=5))
    specs: list[DeploymentSpec] = []
    for index, name in enumerate(names):
        specs.append(draw(deployments(name, list(specs), 9000 + index)))
    return Topology(
        draw(NAMES), tuple(draw(st.permutations(specs))), draw(GATEWAYS), "/srv/app/topology.yml", "/srv/app"
    )
