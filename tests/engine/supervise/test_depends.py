"""`depends_on`: whose pods wait for whom, and until when."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fakes.worlds import World, fine, uses

from quarterdeck.engine.control import Verb
from quarterdeck.engine.model import Phase, PodKey, Role
from quarterdeck.engine.plan.pods import PodPlan
from quarterdeck.engine.spec.topology import DeploymentSpec, GatewaySpec
from quarterdeck.engine.supervise.depends import release
from quarterdeck.engine.supervise.launch import Launch
from quarterdeck.engine.supervise.state import Await, Begin, Hold, Pod, Policy, Stimulus

UNDER_WAY, DONE, FAILED = Launch.UNDER_WAY, Launch.DONE, Launch.FAILED
POD = Pod(PodPlan("top", "web/rep-0", "web", Role.WORKER, replica=0), Policy())
SPECS = {"web": DeploymentSpec("web", depends_on=("index", "cache"))}


@pytest.mark.parametrize(
    ("index", "cache", "told"),
    [
        (UNDER_WAY, UNDER_WAY, Await("waits for index, cache")),
        (DONE, UNDER_WAY, Await("waits for cache")),
        (UNDER_WAY, FAILED, Await("waits for index, cache; cache did not start")),
        (FAILED, DONE, Await("waits for index; index did not start")),
        (DONE, DONE, Begin()),
    ],
)
def test_it_waits_until_each_has_been_ready(index: Launch, cache: Launch, told: Stimulus) -> None:
    assert release([POD], SPECS, {"index": index, "cache": cache, "web": UNDER_WAY}) == {POD.plan.key: told}


def test_what_it_knows_already_is_not_told_again() -> None:
    knows = replace(POD, reason="waits for index, cache")
    assert release([knows], SPECS, {"index": UNDER_WAY, "cache": UNDER_WAY}) == {}


def test_the_gateway_and_whatever_depends_on_nobody_begin_at_once() -> None:
    gateway = replace(POD, plan=PodPlan("top", "gateway", "gateway", Role.GATEWAY))
    assert release([gateway], {}, {"gateway": UNDER_WAY}) == {gateway.plan.key: Begin()}


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.PENDING])
def test_what_has_begun_once_is_left_alone(phase: Phase) -> None:
    done = {"index": DONE, "cache": DONE}
    assert release([replace(POD, phase=phase)], SPECS, done) == {}
    assert release([replace(POD, hold=Hold.STOP)], SPECS, done) == {}


async def test_a_chain_comes_up_one_after_the_other_and_restarts_alone(world: World) -> None:
    chain = [fine("a", replicas=2), fine("b", depends_on=("a",)), fine("c", depends_on=("b", "a"))]
    await world.up(*reversed(chain), gateway=GatewaySpec())
    first = await world.until(lambda fleet: bool(fleet.pods))
    waiting = {pod.name: (pod.phase, pod.reason) for pod in first.pods}
    assert waiting["b/rep-0"] == (Phase.PENDING, "waits for a")
    assert waiting["c/rep-0"] == (Phase.PENDING, "waits for b, a")
    fleet = await world.ready()
    pods = {pod.name: pod for pod in fleet.pods}
    a, b, c = ([pod for pod in fleet.pods if pod.deployment == name] for name in "abc")
    assert max(pod.ready_at or 0 for pod in a) <= (b[0].started_at or 0)
    assert (b[0].ready_at or 0) <= (c[0].started_at or 0)
    await world.control.act(Verb.RESTART, [PodKey("top", "a/rep-0")])
    after = await world.ready("a/rep-0", run=2)
    assert [pod.pid for pod in after.pods if pod.name != "a/rep-0"] == [
        pod.pid for name, pod in pods.items() if name != "a/rep-0"
    ]


async def test_one_whose_dependency_fails_waits_on_says_so_and_goes_when_it_is_mended(world: World) -> None:
    await world.up(fine("bad", uses=uses("Absent")), fine("b", depends_on=("bad",)), fine("c"))
    await world.phase(Phase.FAILED, "bad/rep-0")
    waiting = await world.until(
        lambda fleet: "did not start" in fleet.by_key[PodKey("top", "b/rep-0")].reason
    )
    pod = waiting.by_key[PodKey("top", "b/rep-0")]
    assert (pod.phase, pod.reason) == (Phase.PENDING, "waits for bad; bad did not start")
    assert (await world.control.details(pod.key)).blocked_by == pod.reason
    await world.ready("c/rep-0")
    await world.control.act(Verb.START, [PodKey("top", "b/rep-0")])  # a person need not wait
    await world.ready("b/rep-0")


async def test_down_ends_those_that_wait_too(world: World) -> None:
    await world.up(fine("a", uses=uses("NeverReady")), fine("b", depends_on=("a",)))
    await world.phase(Phase.STARTING, "a/rep-0")
    await world.control.down(["top"])
    assert (await world.now()).pods == ()
