"""A topology as one canonical JSON text, for the way from the command line to the engine, and its digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from ..errors import Mistake, SpecError
from ..model import Runtime
from .topology import (
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


def dump(topology: Topology) -> str:
    """Canonical: equal topologies give equal texts. TypeError for values that JSON does not have."""
    return _canonical(asdict(topology))


def load(text: str) -> Topology:
    """The topology that `dump` wrote. Raises `SpecError` for any other text."""
    try:
        raw = json.loads(text)
        gateway = raw.pop("gateway")
        return Topology(
            **{
                **raw,
                "gateway": None if gateway is None else GatewaySpec(**gateway),
                "deployments": tuple(map(_deployment, raw.pop("deployments"))),
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SpecError((Mistake(f"not a topology's document: {error or type(error).__name__}"),)) from None


def digest(topology: Topology) -> str:
    """16 hexadecimal digits that change when the meaning does, and with nothing else.

    The file's name is no part of the meaning; its folder is, since executors are looked for there.
    """
    meaning = asdict(topology)
    del meaning["source"]
    return hashlib.sha256(_canonical(meaning).encode()).hexdigest()[:16]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _deployment(raw: dict[str, Any]) -> DeploymentSpec:
    return DeploymentSpec(
        **{
            **raw,
            "polling": {endpoint: Polling(word) for endpoint, word in raw["polling"].items()},
            "needs": tuple(raw["needs"]),
            "restart": Restart(raw["restart"]),
            "partial": Partial(raw["partial"]),
            "runtime": Runtime(raw["runtime"]),
            "probe": _probe(raw["probe"]),
            "liveness": _probe(raw["liveness"]),
            "limits": Limits(**raw["limits"]),
            **{name: tuple(raw[name]) for name in ("py_modules", "command", "depends_on", "hosts", "ports")},
        }
    )


def _probe(raw: dict[str, Any] | None) -> Probe | None:
    if raw is None:
        return None
    return Probe(**{**raw, "kind": ProbeKind(raw["kind"]), "command": tuple(raw["command"])})
