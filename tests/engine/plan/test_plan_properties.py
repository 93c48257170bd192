"""What holds for the plan of every topology."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.topologies import topologies

from quarterdeck.engine.errors import Mistake, SpecError
from quarterdeck.engine.model import Role, Runtime
from quarterdeck.engine.plan.gpus import GpuView
from quarterdeck.engine.plan.mermaid import picture
from quarterdeck.engine.plan.planner import plan
from quarterdeck.engine.plan.pods import Plan
from quarterdeck.engine.plan.routes import Routes
from quarterdeck.engine.plan.routing import routes_for
from quarterdeck.engine.plan.status import planned
from quarterdeck.engine.spec.document import dump, load
from quarterdeck.engine.spec.topology import Limits, Probe, ProbeKind, Topology

GPUS = st.integers(0, 4).map(lambda count: GpuView(tuple(map(str, range(count)))))
EIGHT = GpuView(tuple("01234567"))


def outcome(topology: Topology, gpus: GpuView) -> Plan | tuple[Mistake, ...]:
    """The plan, or why there is none."""
    try:
        return plan(topology, gpus)
    except SpecError as error:
        return error.mistakes


@settings(deadline=None)
@given(topologies())
def test_names_are_unique_and_pods_are_as_many_as_asked_for(topology: Topology) -> None:
    made = plan(topology, EIGHT)
    assert len({pod.key for pod in made.pods}) == len(made.pods)
    for deployment in made.deployments:
        spec = deployment.spec
        somebody_elses = [pod for pod in deployment.pods if pod.runtime is Runtime.EXTERNAL]
        assert [(pod.host, pod.port) for pod in somebody_elses] == list(
            zip(spec.hosts, spec.ports, strict=True)
        )
        assert len(deployment.pods) - len(somebody_elses) == spec.num_pods
        assert {worker.runtime for worker in deployment.workers} == {spec.kind}
        places = [(worker.shard, worker.replica) for worker in deployment.workers]
        assert places == [
            (shard, replica) for shard in range(spec.shards) for replica in range(spec.replicas)
        ]
        assert (deployment.head is not None) == (spec.shards > 1)
        for beside, uses in ((deployment.before, spec.uses_before), (deployment.after, spec.uses_after)):
            assert (beside is not None) == (spec.shards > 1 and uses is not None)
            assert beside is None or beside.runtime is Runtime.PROCESS
        assert all(
            pod.deployment == spec.name and pod.name.startswith(f"{spec.name}/") for pod in deployment.pods
        )
    called = any(spec.protocol == "grpc" for spec in topology.deployments)
    assert sum(pod.role is Role.GATEWAY for pod in made.pods) == (topology.gateway is not None and called)
    assert ("no deployment speaks grpc, so there is no gateway" in made.notes) == (
        topology.gateway is not None and not called
    )
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
    asked = [spec.port for spec in topology.deployments if not spec.external]
    if topology.gateway is not None and made.gateway is not None:
        asked.append(topology.gateway.port)
    given_out = [pod.port for pod in made.pods if pod.runtime is not Runtime.EXTERNAL]
    assert sorted(filter(None, given_out)) == sorted(filter(None, asked))


@settings(deadline=None)
@given(topologies(), GPUS)
def test_the_same_topology_has_the_same_plan_or_the_same_mistakes(topology: Topology, gpus: GpuView) -> None:
    first = outcome(topology, gpus)
    assert first == outcome(load(dump(topology)), gpus)
    if isinstance(first, tuple):  # what is right but for the devices that there are
        assert first
        assert all("devices found: " in str(mistake) for mistake in first)


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
            if str(deployment.spec.gpus).isdigit():
                assert len({*str(worker.gpu).split(",")}) == int(deployment.spec.gpus or 0)
            assert worker.env.get("CUDA_VISIBLE_DEVICES", "") == (worker.gpu or rule)
            assert not worker.env.get("CUDA_VISIBLE_DEVICES", "").startswith("RR")


@settings(deadline=None)
@given(topologies(), GPUS)
def test_spread_and_auto_use_no_device_twice_while_another_is_free(topology: Topology, gpus: GpuView) -> None:
    try:
        made = plan(topology, gpus)
    except SpecError:
        return
    workers = [worker for deployment in made.deployments for worker in deployment.workers]
    values = [worker.env.get("CUDA_VISIBLE_DEVICES", "") for worker in workers]
    used = Counter(name for value in values for name in value.split(",") if name in gpus.devices)
    by_need = {spec.name for spec in topology.deployments if spec.gpus in ("spread", "auto")}
    for worker in workers:
        if worker.deployment in by_need and gpus.devices:
            assert worker.gpu in gpus.devices
            assert used[worker.gpu] == 1 or len(used) == len(gpus.devices)
    assert all((worker.gpu is None) or worker.env["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID" for worker in workers)


WORDS = st.sampled_from(
    ["", "a", "RR9", "RR[", "0.0.0.0", "spread", "0", "a b", "/x.py:", "x.Y", "gateway", "no"]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(["shards", "replicas"], st.integers(-1, 5000)),
    **dict.fromkeys(["port"], st.none() | st.integers(-1, 70_000)),
    **dict.fromkeys(["needs", "depends_on", "command", "hosts"], st.lists(WORDS, max_size=3).map(tuple)),
    **dict.fromkeys(["name", "uses", "uses_before", "host", "runtime", "protocol", "gpus", "token"], WORDS),
    **dict.fromkeys(["ssl_certfile", "ssl_cafile", "python", "workspace"], WORDS),
    **dict.fromkeys(["external", "tls", "reload", "idempotent"], st.booleans()),
    **dict.fromkeys(["timeout_ready", "timeout_send", "grace"], st.floats()),
    "ports": st.lists(st.integers(-1, 70_000), max_size=3).map(tuple),
    "env": st.dictionaries(st.just("CUDA_VISIBLE_DEVICES"), WORDS),
    "grpc_metadata": st.dictionaries(WORDS, WORDS),
    "probe": st.builds(Probe, st.sampled_from(ProbeKind), WORDS, st.none() | st.integers(-1, 9)),
    "liveness": st.builds(Probe, st.sampled_from(ProbeKind), command=st.lists(WORDS).map(tuple)),
    "limits": st.builds(Limits, memory=st.integers(-1, 1), cpus=st.floats()),
}


@settings(deadline=None)
@given(topologies(), GPUS, st.data())
def test_any_topology_has_a_plan_or_a_list_of_mistakes(
    topology: Topology, gpus: GpuView, data: st.DataObject
) -> None:
    """One deployment of a right topology gets values that may be wrong, alone or beside the others."""
    place = data.draw(st.integers(0, len(topology.deployments) - 1))
    keys = data.draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3, unique=True))
    spec = replace(topology.deployments[place], **{key: data.draw(VALUES[key], key) for key in keys})
    changed = replace(
        topology, deployments=(*topology.deployments[:place], spec, *topology.deployments[place + 1 :])
    )
    found = outcome(changed, gpus)
    if isinstance(found, tuple):
        assert found
        assert all(mistake.message for mistake in found)
    else:
        assert len({pod.key for pod in found.pods}) == len(found.pods)
    assert outcome(changed, gpus) == found


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
            and deployment.spec.protocol == "grpc"
        }
        assert set(routed) == behind & {key.name for key in ready}


@settings(deadline=None)
@given(topologies())
def test_a_picture_opens_and_closes_its_boxes(topology: Topology) -> None:
    lines = picture(plan(topology, EIGHT)).splitlines()
    assert sum(line.startswith("subgraph ") for line in lines) == lines.count("end")
    assert sum(line.endswith(":::pod") for line in lines) == sum(
        spec.shards * spec.replicas for spec in topology.deployments if not spec.external
    )
    arrows = [line for line in lines if " --> " in line and "subgraph" not in line]
    assert len(arrows) >= sum(len(spec.needs) for spec in topology.deployments)
    ids = [
        line.removeprefix("subgraph ").partition("[")[0]
        for line in lines
        if "[" in line and line not in arrows
    ]
    assert len(set(ids)) == len(ids)
