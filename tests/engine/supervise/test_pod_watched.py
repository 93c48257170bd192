"""Whether a pod's life is watched while its policy changes under it: always once, where a probe for it is set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.engine.supervise.story import UP, after, pod

from quarterdeck.engine.spec.topology import Probe, ProbeKind
from quarterdeck.engine.supervise.lifecycle import step
from quarterdeck.engine.supervise.state import CheckLife, LifeWasChecked, Policy, Replan

LIVE = Probe(ProbeKind.HTTP, "/live", every=5.0, failures=100)
SLOWER = Probe(ProbeKind.HTTP, "/live", every=9.0, failures=100)


def test_a_probe_for_its_life_that_comes_later_is_asked_at_once_and_one_that_goes_no_more() -> None:
    start = pod()
    watched = after(start, *UP, Replan(start.plan, Policy(liveness=LIVE)))
    assert watched.deeds == [CheckLife(1, 0.0)]
    gone = (Replan(start.plan, Policy(liveness=LIVE)), Replan(start.plan, Policy()), LifeWasChecked(1, True))
    assert after(start, *UP, *gone).deeds == []


def test_what_is_not_ready_yet_is_not_watched_for_a_new_policy() -> None:
    start = pod()
    assert after(start, *UP[:2], Replan(start.plan, Policy(liveness=LIVE))).deeds == []


@given(st.lists(st.none() | st.sampled_from([LIVE, SLOWER]) | st.booleans(), max_size=20))
def test_never_two_questions_at_a_time(moves: list[Probe | bool | None]) -> None:
    """None and probes are new policies, True and False answers to a question that is under way."""
    present = after(pod(), *UP).pod
    asked = 0
    for move in moves:
        if isinstance(move, bool):
            if not asked:
                continue
            asked -= 1
            present, effects = step(present, LifeWasChecked(1, move), 1001.0)
        else:
            present, effects = step(present, Replan(present.plan, Policy(liveness=move)), 1001.0)
        asked += sum(isinstance(effect, CheckLife) for effect in effects)
        assert asked <= 1
        assert present.watched == bool(asked)
        if present.policy.liveness is not None:
            assert asked == 1, "a probe that is set is asked"
