"""`routes_for`: the table that a head or a gateway must have, given which pods are ready. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import PodKey
from ..spec.topology import DeploymentSpec, Partial
from ..wire.way import Way, way_of
from .pods import DeploymentPlan, Plan, PodPlan
from .routes import Node, Replica, Routes

Ready = Mapping[PodKey, tuple[str, int]]
"""Address (`host:port`) and run of every pod that is ready."""


def routes_for(plan: Plan, router: PodKey, ready: Ready, version: int) -> Routes:
    """The table of one router: a head's own deployment, or all deployments for the gateway.

    A pod that is not in `ready` is not in the table. Raises KeyError when the plan has no such router.
    """
    if plan.gateway is not None and plan.gateway.key == router:
        served = [one for one in plan.deployments if one.spec.protocol == "grpc"]
        return Routes(version, tuple(_behind_gateway(deployment, ready) for deployment in served))
    for deployment in plan.deployments:
        if deployment.head is not None and deployment.head.key == router:
            return Routes(version, (_behind_head(deployment, ready),))
    raise KeyError(router)


def _behind_gateway(deployment: DeploymentPlan, ready: Ready) -> Node:
    """A head is one replica of one shard; without one, the replicas are. Sharding is the head's business."""
    spec = deployment.spec
    pods = deployment.workers if deployment.head is None else (deployment.head,)
    return Node(
        name=spec.name,
        needs=spec.needs,
        polling={"*": "ANY"},
        shards=(_replicas(pods, ready),),
        idempotent=spec.idempotent,
        timeout_send=spec.timeout_send,
        **_speech(spec),
    )


def _behind_head(deployment: DeploymentPlan, ready: Ready) -> Node:
    spec = deployment.spec
    shards: list[list[PodPlan]] = [[] for _ in range(spec.shards)]
    for worker in deployment.workers:
        shards[worker.shard or 0].append(worker)
    return Node(
        name=spec.name,
        needs=(),
        polling={endpoint: str(polling) for endpoint, polling in spec.polling.items()},
        shards=tuple(_replicas(tuple(shard), ready) for shard in shards),
        before=_replica(deployment.before, ready),
        after=_replica(deployment.after, ready),
        has_before=deployment.before is not None,
        has_after=deployment.after is not None,
        idempotent=spec.idempotent,
        timeout_send=spec.timeout_send,
        **_speech(spec),
    )


def way_to(plan: Plan, pod: PodPlan) -> Way:
    """How a pod is spoken to: as its deployment says, or the gateway's settings."""
    if plan.gateway is not None and plan.gateway.key == pod.key:
        door = plan.topology.gateway
        assert door is not None
        cert = door.ssl_certfile if door.tls_enabled else None
        return way_of(door.tls_enabled, cert or "", cert or "", token=door.token)
    spec = next(one.spec for one in plan.deployments if one.spec.name == pod.deployment)
    said = _speech(spec)
    return way_of(said["tls"], said["ca"], said["cert"], said["metadata"], said["options"])


def _speech(spec: DeploymentSpec) -> dict[str, Any]:
    """How a deployment's pods are to be spoken to."""
    token = {} if spec.token is None else {"authorization": f"Bearer {spec.token}"}
    ours = not spec.external
    return {
        "partial": spec.partial is Partial.ALLOW,
        "tls": spec.tls_enabled,
        "ca": spec.ssl_cafile or (spec.ssl_certfile if ours else None) or "",
        "cert": (spec.ssl_certfile if ours else None) or "",
        "metadata": {**spec.grpc_metadata, **token},
        "options": dict(spec.grpc_channel_options),
    }


def _replicas(pods: tuple[PodPlan, ...], ready: Ready) -> tuple[Replica, ...]:
    return tuple(replica for pod in pods if (replica := _replica(pod, ready)) is not None)


def _replica(pod: PodPlan | None, ready: Ready) -> Replica | None:
    if pod is None or pod.key not in ready:
        return None
    address, run = ready[pod.key]
    return Replica(pod.name, address, run)
