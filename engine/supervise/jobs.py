"""From a pod's plan to the job of one run; pure."""

from __future__ import annotations

from typing import Any

from ..control import Caller
from ..home import ENGINE_MARK, Home
from ..keeper.processes import MARK
from ..model import Role
from ..plan.job import Job
from ..plan.pods import PodPlan
from ..spec.topology import DeploymentSpec, GatewaySpec

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
    env = {name: value for name, value in caller.env.items() if name not in DROPPED}
    env.update(pod.env)
    env[MARK] = mark
    env[ENGINE_MARK] = home.mark
    worker = pod.role is Role.WORKER
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
        workspace=workspace_of(pod, home) if worker else "",
        py_modules=spec.py_modules if spec is not None and worker else (),
        env=env,
        cwd=caller.cwd,
        umask=caller.umask,
        python=caller.python if worker else "",
        grace=spec.grace if spec is not None else 10.0,
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
