"""Probes in words, as Details shows them; what may be secret in a path or a command is left out."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

from ...spec.secrets import redact
from ...spec.topology import Probe, ProbeKind
from ..restart import age
from ..state import Policy


def described(policy: Policy, env: Mapping[str, str]) -> str:
    """`GET /health, every 15s; liveness tcp, every 5s, 3 wrong in a row`; `env` holds what is to be masked."""
    ready = _one(policy.probe, env)
    return ready if policy.liveness is None else f"{ready}; liveness {_one(policy.liveness, env)}"


def _one(probe: Probe, env: Mapping[str, str]) -> str:
    several = f", {probe.failures} wrong in a row" if probe.failures > 1 else ""
    port = f" on port {probe.port}" if probe.port is not None else ""
    return f"{_question(probe, env)}{port}, every {age(probe.every)}{several}"


def _question(probe: Probe, env: Mapping[str, str]) -> str:
    match probe.kind:
        case ProbeKind.GRPC:
            return f"grpc health {probe.path}".strip()
        case ProbeKind.HTTP:
            return f"GET {probe.path.partition('?')[0] or '/'}"
        case ProbeKind.TCP:
            return "tcp"
        case ProbeKind.EXEC:
            program, *rest = probe.command or ("",)
            return redact(shlex.join((os.path.basename(program), *rest)), env)
        case ProbeKind.LOG:
            return f"a log line like {probe.pattern!r}"
