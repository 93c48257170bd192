"""A plan in the words of the model: its pods and deployments before anything has started."""

from __future__ import annotations

import os
import shlex

from ..model import DeploymentStatus, Phase, PodStatus, TopologyStatus
from ..spec.document import digest
from ..spec.executor import FileClass, parse
from ..spec.secrets import redact
from ..spec.topology import DeploymentSpec
from .pods import DeploymentPlan, Plan, PodPlan


def planned(plan: Plan) -> tuple[PodStatus, ...]:
    """Every pod as pending, in the order of the tree."""
    specs = {deployment.spec.name: deployment.spec for deployment in plan.deployments}
    return tuple(_pod(pod, specs.get(pod.deployment), plan.topology.folder) for pod in plan.pods)


def deployment_status(plan: Plan) -> tuple[DeploymentStatus, ...]:
    """Every deployment, in the order of the plan."""
    return tuple(_deployment(plan, deployment) for deployment in plan.deployments)


def topology_status(plan: Plan, created_at: float, owner: str = "") -> TopologyStatus:
    """The topology itself; `created_at` in seconds since the epoch."""
    topology = plan.topology
    return TopologyStatus(
        name=topology.name,
        source=topology.source,
        digest=digest(topology),
        created_at=created_at,
        gateway=plan.gateway is not None,
        owner=owner,
    )


def shown_uses(uses: str | None, spec: DeploymentSpec, folder: str) -> str:
    """An executor or a program for the screen: its file as seen from the topology's folder, no secret in it."""
    if spec.external:
        return "external"
    if spec.command and uses == spec.uses:
        return redact(shlex.join(spec.command), spec.env)
    found = parse(uses or "")
    if isinstance(found, FileClass) and found.path.startswith(f"{folder.rstrip('/')}/"):
        found = FileClass(os.path.relpath(found.path, folder), found.name)
    return redact("" if found is None else str(found), spec.env)


def shown_polling(spec: DeploymentSpec) -> str:
    """`ALL`, or by endpoint: `* ANY, /search ALL`. Without shards it is always `ANY`."""
    if not spec.has_head:
        return "ANY"
    if set(spec.polling) == {"*"}:
        return str(spec.polling["*"])
    return ", ".join(f"{endpoint} {word}" for endpoint, word in spec.polling.items())


def _pod(pod: PodPlan, spec: DeploymentSpec | None, folder: str) -> PodStatus:
    return PodStatus(
        topology=pod.topology,
        name=pod.name,
        deployment=pod.deployment,
        role=pod.role,
        shard=pod.shard,
        replica=pod.replica,
        runtime=pod.runtime,
        phase=Phase.PENDING,
        host=pod.host,
        port=pod.port,
        gpu=pod.gpu,
        uses="" if spec is None else shown_uses(pod.uses, spec, folder),
    )


def _deployment(plan: Plan, deployment: DeploymentPlan) -> DeploymentStatus:
    spec = deployment.spec
    return DeploymentStatus(
        topology=plan.topology.name,
        name=spec.name,
        uses=shown_uses(spec.uses, spec, plan.topology.folder),
        shards=spec.shards,
        replicas=spec.replicas,
        needs=spec.needs,
        polling=shown_polling(spec),
        port=deployment.port,
        restart=str(spec.restart),
    )
