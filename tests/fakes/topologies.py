"""Random topologies that are right, for property tests of everything that takes one."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

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


@st.composite
def deployments(draw: st.DrawFn, name: str, earlier: list[str], port: int) -> DeploymentSpec:
    """One deployment that may need any of the earlier ones; its port, if it has one, is `port`."""
    shards = draw(st.integers(1, 3))
    replicas = draw(st.integers(1, 3))
    rule = draw(st.none() | RULES)
    env = draw(VARIABLES)
    return DeploymentSpec(
        name=name,
        uses=draw(USES),
        uses_with=draw(st.dictionaries(TEXTS, JSON_VALUES, max_size=2)),
        uses_before=draw(USES),
        uses_after=draw(USES),
        shards=shards,
        replicas=replicas,
        polling={"*": draw(st.sampled_from(Polling)), "/search": draw(st.sampled_from(Polling))},
        needs=tuple(draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3))) if earlier else (),
        port=port if (shards > 1 or replicas == 1) and draw(st.booleans()) else None,
        env=env if rule is None else {**env, "CUDA_VISIBLE_DEVICES": rule},
        workspace=draw(st.sampled_from([None, "/srv/data"])),
        timeout_ready=draw(st.none() | st.floats(0.001, 1000)),
        restart=draw(st.sampled_from(Restart)),
        idempotent=draw(st.booleans()),
        py_modules=draw(st.sampled_from([(), ("/srv/lib",)])),
        gpus=draw(st.sampled_from([None, "spread", "auto", "1", "3"])) if rule is None else None,
        partial=draw(st.sampled_from(Partial)),
        token=draw(st.sampled_from([None, "secret"])),
        grpc_metadata=draw(st.sampled_from([{}, {"tenant": "a"}])),
        probe=draw(st.none() | st.just(Probe(ProbeKind.HTTP, "/health", every=1.0))),
        limits=draw(st.sampled_from([Limits(), Limits(memory=1 << 30, cpus=0.5)])),
        reload=draw(st.booleans()),
    )


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Deployments with needs and without a cycle, in any order."""
    names = draw(st.lists(NAMES, unique=True, min_size=1, max_size=5))
    specs = [draw(deployments(name, names[:index], 9000 + index)) for index, name in enumerate(names)]
    gateway = draw(st.none() | st.builds(GatewaySpec, port=st.sampled_from([None, 8080])))
    return Topology(
        draw(NAMES), tuple(draw(st.permutations(specs))), gateway, "/srv/app/topology.yml", "/srv/app"
    )
