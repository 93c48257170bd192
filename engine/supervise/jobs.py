"""From a pod's plan to the job of one run; pure."""

from __future__ import annotations

from typing import Any

from ..control import Caller
from ..home import ENGINE_MARK, Home
from ..keeper.processes import MARK
from ..model import Role, Runtime
from ..plan.job import Job
from ..plan.pods import PodPlan
from ..spec.places import fill
from ..spec.topology import DeploymentSpec, GatewaySpec, Limits

DROPPED = ("QUARTERDECK_HOME",)
"""Variables of the caller that pods don't get: a `qd` inside a pod must not find its own engine by accident."""


def workspace_of(pod: PodPlan, home: Home) -> str:
    """The pod's own folder: what it was given, else one in the engine's home."""
    return pod.workspace or str(home.workspaces / pod.topology / pod.name)


def job_for(
    pod: PodPlan,
    spec: DeploymentSpec | None,
    caller: Caller,
    home: Home,
    mark: str,
    port: int,
    door: GatewaySpec | None = None,
) -> Job:
    """The job of a run; `spec` is None for the gateway, which has `door`; `port` 0 binds a free one."""
    worker = pod.role is Role.WORKER
    workspace = workspace_of(pod, home) if worker else ""
    places = places_of(pod, port, workspace)
    own, command = pod.env, spec.command if spec is not None and pod.runtime is Runtime.COMMAND else ()
    if command:
        own = {name: fill(value, places) for name, value in own.items()}
    env = {name: value for name, value in caller.env.items() if name not in DROPPED} | own
    env[MARK] = mark
    env[ENGINE_MARK] = home.mark
    limits = spec.limits if spec is not None and worker else Limits()
    return Job(
        mark=mark,
        topology=pod.topology,
        name=pod.name,
        deployment=pod.deployment,
        role=pod.role.value,
        host=pod.host,
        port=port,
        shard=pod.shard or 0,
        replica=pod.replica or 0,
        shards=spec.shards if spec is not None else 1,
        uses=pod.uses,
        uses_with=pod.uses_with,
        workspace=workspace,
        py_modules=spec.py_modules if spec is not None and worker else (),
        env=env,
        cwd=caller.cwd,
        umask=caller.umask,
        python=((spec and spec.python) or caller.python) if worker else "",
        grace=spec.grace if spec is not None else 10.0,
        command=tuple(fill(word, places) for word in command),
        memory=limits.memory,
        cpus=limits.cpus,
        files=limits.files,
        processes=limits.processes,
        **_served(spec or door),
    )


def _served(spec: DeploymentSpec | GatewaySpec | None) -> dict[str, Any]:
    """How a pod of ours serves."""
    if spec is None:
        return {}
    return {
        "ssl_certfile": spec.ssl_certfile or "",
        "ssl_keyfile": spec.ssl_keyfile or "",
        "token": spec.token or "",
        "server_options": dict(spec.grpc_server_options),
    }


def places_of(pod: PodPlan, port: int, workspace: str) -> dict[str, str]:
    """What stands for a pod's places in a command."""
    return {
        "port": str(port),
        "host": pod.host,
        "gpu": pod.gpu or "",
        "shard": str(pod.shard or 0),
        "replica": str(pod.replica or 0),
        "workspace": workspace,
    }
