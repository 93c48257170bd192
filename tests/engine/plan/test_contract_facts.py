"""Facts of the contract that a plan and the words of the engine show, and that no other test states."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quarterdeck.engine.model import Phase, PodStatus, Role, Runtime
from quarterdeck.engine.plan.gpus import GpuView
from quarterdeck.engine.plan.planner import plan
from quarterdeck.engine.plan.pods import Plan
from quarterdeck.engine.plan.status import planned
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec, Restart, Topology
from quarterdeck.engine.verdict import all_ready


def plan_of(*specs: DeploymentSpec) -> Plan:
    return plan(Topology("demo", specs, GatewaySpec()), GpuView())


WHOLE = DeploymentSpec("a", shards=2, replicas=3, uses_before="m.B", uses_after="m.A")


def test_workers_are_shards_times_replicas() -> None:
    (deployment,) = plan_of(WHOLE).deployments
    assert [(worker.shard, worker.replica) for worker in deployment.workers] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2),
    ]  # fmt: skip


def test_a_full_name_begins_with_the_topology() -> None:
    pods = plan_of(WHOLE, DeploymentSpec("b")).pods
    assert [str(pod.key) for pod in pods] == [f"demo/{pod.name}" for pod in pods]


def test_an_external_deployment_keeps_its_ports() -> None:
    there = DeploymentSpec("c", external=True, hosts=("x", "y"), ports=(1, 2), port=1, replicas=2)
    (deployment,) = plan_of(there).deployments
    assert [(pod.host, pod.port) for pod in deployment.pods] == [("x", 1), ("y", 2)]


def test_what_is_not_said() -> None:
    spec = DeploymentSpec("a")
    assert (spec.restart, spec.timeout_ready, spec.idempotent) == (Restart.ON_FAILURE, 600.0, True)
    assert (spec.kind, spec.external, spec.tls_enabled) == (Runtime.PROCESS, False, False)


@pytest.mark.parametrize(("cert", "key", "on"), [(None, None, False), ("c", None, False), ("c", "k", True)])
def test_tls_needs_both_files(cert: str | None, key: str | None, on: bool) -> None:
    assert DeploymentSpec("a", ssl_certfile=cert, ssl_keyfile=key).tls_enabled is on


def test_phases_are_the_models() -> None:
    words = "pending starting ready unready stopping stopped failed backoff"
    assert {phase.value for phase in Phase} == set(words.split())


def test_ready_means_all_of_them() -> None:
    pods = [
        replace(pod, phase=Phase.READY) for pod in planned(plan_of(WHOLE)) if pod.role is not Role.GATEWAY
    ]
    assert all_ready(pods)
    for number in range(len(pods)):
        one_less: list[PodStatus] = [*pods]
        one_less[number] = replace(pods[number], phase=Phase.UNREADY)
        assert not all_ready(one_less), pods[number].name
    assert not all_ready([])
