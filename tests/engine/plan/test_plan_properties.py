"""What holds for the plan of every topology."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.topologies import topologies

from quarterdeck.engine.errors import SpecError
from quarterdeck.engine.model import Role
from quarterdeck.engine.plan.gpus import GpuView
from quarterdeck.engine.plan.mermaid import picture
from quarterdeck.engine.plan.planner import plan
from quarterdeck.engine.plan.routes import Routes
from quarterdeck.engine.plan.routing import routes_for
from quarterdeck.engine.plan.status import planned
from quarterdeck.engine.spec.document import dump, load
from quarterdeck.engine.spec.topology import Topology

GPUS = st.integers(0, 4).map(lambda count: GpuView(tuple(map(str, range(count)))))
EIGHT = GpuView(tuple("01234567"))


@settings(deadline=None)
@given(topologies())
def test_names_are_unique_and_pods_are_as_many_as_asked_for(topology: Topology) -> None:
    made = plan(topology, EIGHT)
    assert len({pod.key for pod in made.pods}) == len(made.pods)
    for deployment in made.deployments:
        spec = deployment.spec
        assert len(deployment.pods) == spec.num_pods
        places = [(worker.shard, worker.replica) for worker in deployment.workers]
        assert places == [
            (shard, replica) for shard in range(spec.shards) for replica in range(spec.replicas)
        ]
        assert (deployment.head is not None) == (spec.shards > 1)
        assert (deployment.before is not None) == (spec.shards > 1 and spec.uses_before is not None)
        assert (deployment.after is not None) == (spec.shards > 1 and spec.uses_after is not None)
        assert all(
            pod.deployment == spec.name and pod.name.startswith(f"{spec.name}/") for pod in deployment.pods
        )
    assert sum(pod.role is Role.GATEWAY for pod in made.pods) == (topology.gateway is not None)
    assert [status.key for status in planned(made)] == [pod.key for pod in made.pods]


@settings(deadline=None)
@given(topologies())
def test_each_deployment_comes_after_those_it_needs(topology: Topology) -> None:
    seen: set[str] = set()
    for deployment in plan(topology, EIGHT).deployments:
        assert seen.issuperset(deployment.spec.needs)
        seen.add(deployment.spec.name)
    assert seen == {spec.name for spec in topology.deployments}


@settings(deadline=None)
@given(topologies())
def test_given_ports_are_given_out_once(topology: Topology) -> None:
    made = plan(topology, EIGHT)
    asked = [spec.port for spec in topology.deployments]
    if topology.gateway is not None:
        asked.append(topology.gateway.port)
    assert sorted(filter(None, (pod.port for pod in made.pods))) == sorted(filter(None, asked))


@settings(deadline=None)
@given(topologies(), GPUS)
def test_the_same_topology_has_the_same_plan_or_the_same_mistakes(topology: Topology, gpus: GpuView) -> None:
    def outcome(given: Topology) -> object:
        try:
            return plan(given, gpus)
        except SpecError as error:
            return error.mistakes

    assert outcome(topology) == outcome(load(dump(topology)))


@settings(deadline=None)
@given(topologies())
def test_devices_depend_on_the_replica_alone(topology: Topology) -> None:
    for deployment in plan(topology, EIGHT).deployments:
        rule = deployment.spec.env.get("CUDA_VISIBLE_DEVICES", "")
        by_replica: dict[int | None, str | None] = {}
        for worker in deployment.workers:
            if deployment.spec.gpus not in ("spread", "auto"):
                assert by_replica.setdefault(worker.replica, worker.gpu) == worker.gpu
            dealt = rule.startswith("RR") or deployment.spec.gpus is not None
            assert (worker.gpu is not None) == dealt
            assert worker.env.get("CUDA_VISIBLE_DEVICES", "") == (worker.gpu or rule)
            assert not worker.env.get("CUDA_VISIBLE_DEVICES", "").startswith("RR")


@settings(deadline=None)
@given(topologies(), st.data())
def test_a_router_sees_just_what_is_ready(topology: Topology, data: st.DataObject) -> None:
    made = plan(topology, EIGHT)
    up = data.draw(st.sets(st.sampled_from([pod.key for pod in made.pods])), "ready")
    ready = {key: (f"127.0.0.1:{index + 1}", 1) for index, key in enumerate(sorted(up, key=str))}
    for router in made.pods:
        if router.role is Role.WORKER:
            continue
        routes = routes_for(made, router.key, ready, 7)
        assert Routes.load(routes.dump()) == routes
        routed = [replica.name for node in routes.nodes for shard in node.shards for replica in shard]
        routed += [end.name for node in routes.nodes for end in (node.before, node.after) if end is not None]
        assert len(set(routed)) == len(routed)
        behind = {
            pod.name
            for deployment in made.deployments
            for pod in deployment.pods
            if (pod.role is Role.HEAD or deployment.head is None) == (router.role is Role.GATEWAY)
            and (router.role is Role.GATEWAY or deployment.head is router)
        }
        assert set(routed) == behind & {key.name for key in ready}


@settings(deadline=None)
@given(topologies())
def test_a_picture_opens_and_closes_its_boxes(topology: Topology) -> None:
    lines = picture(plan(topology, EIGHT)).splitlines()
    assert sum(line.startswith("subgraph ") for line in lines) == lines.count("end")
    assert sum(line.endswith(":::pod") for line in lines) == sum(
        spec.shards * spec.replicas for spec in topology.deployments
    )
    ids = [line.removeprefix("subgraph ").partition("[")[0] for line in lines if "[" in line]
    assert len(set(ids)) == len(ids)
