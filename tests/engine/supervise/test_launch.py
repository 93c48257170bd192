"""The first start of a deployment: all of its pods get ready, or all are closed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quarterdeck.engine.model import Phase, Role
from quarterdeck.engine.plan.pods import PodPlan
from quarterdeck.engine.supervise.launch import Launch, relaunch, settle
from quarterdeck.engine.supervise.state import Begin, Halt, Hold, Launched, Pod, Policy

PENDING, STARTING, READY, FAILED, STOPPED = (
    Phase.PENDING, Phase.STARTING, Phase.READY, Phase.FAILED, Phase.STOPPED,
)  # fmt: skip


def pods(*states: Phase | tuple[Phase, Hold]) -> list[Pod]:
    made = []
    for number, state in enumerate(states):
        phase, hold = state if isinstance(state, tuple) else (state, None)
        plan = PodPlan("top", f"index/rep-{number}", "index", Role.WORKER, replica=number)
        made.append(replace(Pod(plan, Policy()), phase=phase, hold=hold))
    return made


@pytest.mark.parametrize(
    ("states", "launch"),
    [
        ([PENDING, PENDING], Launch.UNDER_WAY),
        ([READY, STARTING], Launch.UNDER_WAY),
        ([READY, Phase.UNREADY], Launch.UNDER_WAY),
        ([READY, READY], Launch.DONE),
        ([READY, (STOPPED, Hold.STOP)], Launch.DONE),
        ([READY, (STOPPED, Hold.LAUNCH)], Launch.UNDER_WAY),
        ([READY, STOPPED], Launch.UNDER_WAY),
        ([READY, FAILED], Launch.FAILED),
        ([FAILED, FAILED], Launch.FAILED),
    ],
)
def test_where_a_start_stands(states: list[Phase | tuple[Phase, Hold]], launch: Launch) -> None:
    assert settle(Launch.UNDER_WAY, pods(*states))[0] is launch


def test_all_are_told_once_all_are_ready() -> None:
    ready = pods(READY, READY)
    assert settle(Launch.UNDER_WAY, ready)[1] == {pod.plan.key: Launched() for pod in ready}


def test_one_that_fails_closes_the_others_and_is_named() -> None:
    three = pods(READY, FAILED, STARTING)
    close = Halt(Hold.LAUNCH, "closed: index/rep-1 did not start")
    assert settle(Launch.UNDER_WAY, three)[1] == {three[0].plan.key: close, three[2].plan.key: close}


@pytest.mark.parametrize("launch", [Launch.DONE, Launch.FAILED])
@pytest.mark.parametrize("phase", list(Phase))
def test_after_that_nothing_is_decided_here(launch: Launch, phase: Phase) -> None:
    assert settle(launch, pods(phase, FAILED)) == (launch, {})


def test_trying_again_begins_what_failed_and_what_was_closed_for_it_and_nothing_else() -> None:
    four = pods(FAILED, (STOPPED, Hold.LAUNCH), (STOPPED, Hold.STOP), (Phase.STOPPING, Hold.LAUNCH))
    assert relaunch(four) == {four[n].plan.key: Begin() for n in (0, 1, 3)}
