"""Whatever the bytes, loading ends with a topology or with a `SpecError`."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from quarterdeck.engine.errors import Mistake, SpecError
from quarterdeck.engine.spec.document import dump
from quarterdeck.engine.spec.file import load
from quarterdeck.engine.spec.keys import DEPLOYMENT, GATEWAY, LIMITS, PROBE, RESERVED_DEPLOYMENT, TOPOLOGY

FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WIDE = settings(FUZZ, max_examples=50)
"""For trees with any of all keys, which take long to think up."""
NAMES = {key.name for key in (*TOPOLOGY, *GATEWAY, *DEPLOYMENT, *PROBE, *LIMITS)} | RESERVED_DEPLOYMENT
KEYS = [*sorted(NAMES - {"name"}), "shard", "<<", ""]

# Pieces of YAML in any order: far more of these get past the parser than random characters do.
PIECES = st.lists(
    st.sampled_from(
        [*KEYS, "name: a", "deployments:", "- ", "  ", "\n", "\n  ", "\n- ", ": ", "[", "]", "{", "}", ",", "&a ", "*a",
         "!!int ", "? ", "|\n", ">-\n", "'", '"', "#", "---\n", "...\n", "%YAML 1.1\n", "\t", "0", "-1", "true", "~",
         "${A}", "${", "$${", "010", "\\x", "é", "\ufeff", "\x85", "\u2028", "a.py:B", "a.B", "RR[", "docker://x",
         "external: true", "host: a:1", "command: a {port}", "probe: {log: (", "limits: {memory: 1GiB}",
         "depends_on: a", "runtime: thread", "protocol: http",
         "python: /bin/sh", "ssl_certfile: topology.yml", "jtype: Flow", "jtype: Deployment", "executors:", "with:"]
    ),
    max_size=30,
).map("".join)  # fmt: skip

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 70_000)
    | st.floats()
    | st.sampled_from(
        [
            "a",
            "b",
            "ALL",
            "no",
            "90s",
            "a.py:B",
            "x.Y",
            "",
            "none",
            "0.0.0.0",
            "${A}",
            "${A:-3}",
            "RR1:",
            "thread",
            "http",
            "grpc",
            "tcp",
            "allow",
            "spread",
            "2GiB",
            "a:1",
            "(?P<",
            "{port}",
            "{x}",
            "/bin/sh",
            "/",
            "'",
            "topology.yml",
            "a\0",
        ]
    )
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner)
    ),
    max_leaves=10,
)
PROBES = st.dictionaries(st.sampled_from([key.name for key in PROBE]), SCALARS, max_size=3)
CONTRACT = {
    "external": st.booleans(),
    "host": st.lists(st.sampled_from(["a", "a:1", "b:2", "::1"]), max_size=3) | SCALARS,
    "port": st.lists(st.integers(0, 3), max_size=3) | SCALARS,
    "command": st.lists(SCALARS, max_size=3) | SCALARS,
    "probe": PROBES | SCALARS,
    "liveness": PROBES | SCALARS,
    "limits": st.dictionaries(st.sampled_from([key.name for key in LIMITS]), SCALARS, max_size=3),
    **dict.fromkeys(
        [
            "runtime",
            "protocol",
            "partial",
            "gpus",
            "token",
            "python",
            "ssl_certfile",
            "ssl_keyfile",
            "ssl_cafile",
            "tls",
            "reload",
            "replicas",
            "shards",
        ],
        SCALARS,
    ),
    **dict.fromkeys(["depends_on", "needs"], st.lists(st.sampled_from("abcd"), max_size=2)),
    **dict.fromkeys(
        ["grpc_metadata", "grpc_channel_options", "grpc_server_options"],
        st.dictionaries(st.text(max_size=3), SCALARS, max_size=2),
    ),
}
DEPLOYMENTS = st.lists(
    st.dictionaries(st.sampled_from([key.name for key in DEPLOYMENT]), VALUES, max_size=6)
    | st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional=dict.fromkeys(KEYS, VALUES)),
    max_size=4,
)


def ends_well(folder: Path, data: bytes) -> None:
    """Load the bytes; what comes of it can be sent on or printed."""
    path = folder / "topology.yml"
    path.write_bytes(data)
    mistakes: tuple[Mistake, ...] = ()
    try:
        dump(load(path, {"A": "2"}))
    except SpecError as error:
        mistakes = error.mistakes
        str(error).encode()
        if not mistakes:
            raise
    assert all(mistake.message and mistake.file for mistake in mistakes)


@FUZZ
@given(st.binary(max_size=200))
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    ends_well(tmp_path, data)


@FUZZ
@given(st.text(max_size=100))
def test_random_text(tmp_path: Path, text: str) -> None:
    ends_well(tmp_path, text.encode("utf-8", "surrogatepass"))


@FUZZ
@given(PIECES)
@example("%YAML 1.1\n---\ndeployments: [{name: yes}]")
def test_random_pieces_of_yaml(tmp_path: Path, text: str) -> None:
    ends_well(tmp_path, text.encode())


@WIDE
@given(
    st.fixed_dictionaries(
        {"deployments": DEPLOYMENTS}, optional={"name": SCALARS, "gateway": VALUES, "keep": SCALARS}
    )
)
def test_random_values_behind_known_keys(tmp_path: Path, tree: object) -> None:
    ends_well(tmp_path, flow(tree).encode("utf-8", "surrogatepass"))


@FUZZ
@given(
    st.lists(
        st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional=CONTRACT), min_size=1, max_size=3
    )
)
def test_values_of_the_right_kind_behind_the_contracts_keys(tmp_path: Path, deployments: object) -> None:
    ends_well(tmp_path, flow({"deployments": deployments}).encode("utf-8", "surrogatepass"))


@WIDE
@given(
    st.fixed_dictionaries(
        {"jtype": st.sampled_from(["Flow", "Deployment", "x"])},
        optional={"executors": DEPLOYMENTS | VALUES, "with": VALUES, "gateway": VALUES, "version": SCALARS},
    )
)
def test_files_of_jinas(tmp_path: Path, tree: object) -> None:
    ends_well(tmp_path, flow(tree).encode("utf-8", "surrogatepass"))


def flow(value: object) -> str:
    """The value as YAML in flow style."""
    match value:
        case dict():
            return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(flow, value)) + "]"
        case None:
            return "~"
        case bool():
            return str(value).lower()
        case "no":
            return value
        case str():
            safe = (char if char.isalnum() or char in " -_./:" else f"\\U{ord(char):08x}" for char in value)
            return '"' + "".join(safe) + '"'
        case _:
            return str(value)


@pytest.mark.parametrize("value", [{"a": [1, None, True, "x\n"]}, [], "no"])
def test_flow_is_read_back(tmp_path: Path, value: object) -> None:
    path = tmp_path / "topology.yml"
    path.write_text(f"deployments: [{{name: a, uses_with: {{x: {flow(value)}}}}}]")
    assert load(path, {}).deployments[0].uses_with == {"x": value}
