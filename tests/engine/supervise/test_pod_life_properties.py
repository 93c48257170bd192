"""What holds for a pod's life whatever happens to it, tried on random histories."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from tests.engine.supervise.story import UP, pod

from quarterdeck.engine.model import Phase
from quarterdeck.engine.spec.topology import Probe, Restart
from quarterdeck.engine.supervise import restart
from quarterdeck.engine.supervise.lifecycle import KILL_AFTER, RESTING, WITHDRAW_WAIT, step
from quarterdeck.engine.supervise.state import (
    Await,
    Begin,
    ClearTimers,
    Effect,
    End,
    Halt,
    HasBound,
    HasExited,
    HasStarted,
    Hold,
    IsBroken,
    Launched,
    LifeWasChecked,
    Pod,
    Policy,
    Renew,
    SendSignal,
    SetTimer,
    Signal,
    Spawn,
    Stimulus,
    Timer,
    TimerFired,
    WasProbed,
    WasWithdrawn,
)

CODES = st.sampled_from([0, 1, 3, -9, -15, -11, -6, None])
RUNS = st.integers(0, 6)
PEOPLE: st.SearchStrategy[Stimulus] = st.one_of(
    st.just(Begin()),
    st.just(Renew()),
    st.just(Launched()),
    st.just(Await("waits for index")),
    st.builds(Halt, st.sampled_from([Hold.STOP, Hold.LAUNCH]), st.just("why"), st.none() | st.floats(0, 9)),
    st.just(SendSignal(signal.SIGUSR1)),
)
REPORTS: st.SearchStrategy[Stimulus] = st.one_of(
    st.builds(HasStarted, RUNS, st.integers(2, 99)),
    st.builds(HasBound, RUNS, st.integers(1024, 1030)),
    st.builds(IsBroken, RUNS, st.just("broken"), st.booleans()),
    st.builds(WasProbed, RUNS, st.booleans(), st.just("answer")),
    st.builds(LifeWasChecked, RUNS, st.booleans(), st.just("answer")),
    st.builds(WasWithdrawn, RUNS),
    st.builds(TimerFired, RUNS, st.sampled_from(Timer)),
)


@dataclass(frozen=True)
class Exit:
    """The process that lives, if one does, ends."""

    code: int | None


@dataclass(frozen=True)
class Due:
    """The timer that is due next fires, if one is set."""


MOVES = st.lists(
    st.tuples(st.floats(0, 70), PEOPLE | REPORTS | st.builds(Exit, CODES) | st.just(Due())), max_size=40
)
PROBES = st.builds(Probe, every=st.floats(0.01, 60), failures=st.integers(1, 3), delay=st.floats(0, 9))
POLICIES = st.builds(
    Policy,
    st.sampled_from(Restart),
    st.none() | st.floats(0.1, 600),
    st.floats(0.1, 30),
    PROBES,
    st.none() | PROBES,
)


@dataclass
class World:
    """What a pod's effects do outside: one process at most, and timers."""

    pod: Pod
    now: float = 1000.0
    living: list[int] = field(default_factory=list)
    spawned: list[int] = field(default_factory=list)
    terms: Counter[int] = field(default_factory=Counter)
    ended: set[int] = field(default_factory=set)
    timers: dict[Timer, SetTimer] = field(default_factory=dict)

    def happen(self, stimulus: Stimulus) -> tuple[Effect, ...]:
        self.pod, effects = step(self.pod, stimulus, self.now)
        for effect in effects:
            match effect:
                case Spawn(run):
                    assert not self.living, f"run {run} begins while run {self.living} lives"
                    self.living.append(run)
                    self.spawned.append(run)
                case Signal(run, signal.SIGTERM):
                    self.terms[run] += 1
                case End(run):
                    self.ended.add(run)
                case SetTimer(_, timer):
                    self.timers[timer] = effect
                case ClearTimers():
                    self.timers.clear()
        return effects

    def exit(self, code: int | None) -> tuple[Effect, ...]:
        return self.happen(HasExited(self.living.pop(), code)) if self.living else ()

    def due(self) -> None:
        """Time passes up to the next timer."""
        if self.timers:
            timer = min(self.timers.values(), key=lambda timer: timer.at)
            del self.timers[timer.timer]
            self.now = max(self.now, timer.at)
            self.happen(TimerFired(timer.run, timer.timer))

    def move(self, passed: float, move: Stimulus | Exit | Due) -> None:
        self.now += passed
        match move:
            case Exit(code):
                self.exit(code)
            case Due():
                self.due()
            case stimulus:
                self.happen(stimulus)


def lived(policy: Policy, moves: list[tuple[float, Stimulus | Exit | Due]]) -> World:
    world = World(pod(policy))
    for passed, move in moves:
        world.move(passed, move)
    return world


@given(POLICIES, MOVES)
def test_never_two_live_copies(policy: Policy, moves: list[tuple[float, Stimulus | Exit | Due]]) -> None:
    world = lived(policy, moves)  # a spawn beside a living run raises
    assert world.spawned == list(range(1, len(world.spawned) + 1))
    assert world.pod.phase.alive == bool(world.living)


ANSWERS = st.builds(WasProbed, st.just(1), st.booleans()) | st.builds(
    LifeWasChecked, st.just(1), st.booleans()
)


@given(POLICIES, st.lists(st.tuples(st.floats(0, 70), ANSWERS | st.just(Due())), max_size=20), CODES)
def test_whatever_a_pod_answers_it_runs_or_is_ended_and_its_policy_decides(
    policy: Policy, moves: list[tuple[float, Stimulus | Exit | Due]], code: int | None
) -> None:
    world = World(pod(policy))
    for stimulus in UP:
        world.move(0.0, stimulus) if not isinstance(stimulus, float) else None
    for passed, move in moves:
        world.move(passed, move)
    assert world.spawned == [1]
    if world.pod.phase is Phase.STOPPING:
        assert world.pod.doomed
        assert policy.liveness is not None
        world.exit(code)
        ends = Phase.FAILED if policy.restart is Restart.NO else Phase.BACKOFF
        assert (world.pod.phase, world.pod.attempts, world.pod.doomed) == (ends, ends is Phase.BACKOFF, True)


@given(POLICIES, MOVES)
def test_a_run_is_told_to_end_at_most_once(
    policy: Policy, moves: list[tuple[float, Stimulus | Exit | Due]]
) -> None:
    assert all(count == 1 for count in lived(policy, moves).terms.values())


@given(POLICIES, MOVES, st.sampled_from(Hold), CODES)
def test_halt_always_ends(
    policy: Policy, moves: list[tuple[float, Stimulus | Exit | Due]], hold: Hold, code: int | None
) -> None:
    world = lived(policy, moves)
    world.happen(Halt(hold))
    if world.living:
        assert world.pod.phase is Phase.STOPPING
        assert world.timers or world.pod.run in world.ended, "nothing would ever end it"
        world.exit(code)
    assert world.pod.phase in (Phase.STOPPED, Phase.FAILED)
    assert not world.timers
    assert not world.living


@given(POLICIES, MOVES)
def test_timers_alone_end_what_was_halted(
    policy: Policy, moves: list[tuple[float, Stimulus | Exit | Due]]
) -> None:
    world = lived(policy, moves)
    world.happen(Halt(grace=2.0))
    start = world.now
    while world.timers:
        world.due()
    assert not world.living or world.pod.run in world.ended
    assert world.now - start <= WITHDRAW_WAIT + 2.0 + KILL_AFTER + 0.001


@given(POLICIES, MOVES, MOVES)
def test_going_down_is_never_undone(
    policy: Policy,
    moves: list[tuple[float, Stimulus | Exit | Due]],
    later: list[tuple[float, Stimulus | Exit | Due]],
) -> None:
    world = lived(policy, moves)
    world.happen(Halt(Hold.REMOVE, "going down"))
    before = len(world.spawned)
    for passed, move in later:
        world.move(passed, move)
        assert world.pod.hold is Hold.REMOVE
    assert len(world.spawned) == before


@given(POLICIES, MOVES, REPORTS)
def test_stale_runs_change_nothing(
    policy: Policy, moves: list[tuple[float, Stimulus | Exit | Due]], report: Stimulus
) -> None:
    world = lived(policy, moves)
    if getattr(report, "run") != world.pod.run:  # noqa: B009 -- every report has one
        assert step(world.pod, report, world.now) == (world.pod, ())


@given(st.integers(1, 3_000))
def test_backoff_grows_within_its_bounds(attempts: int) -> None:
    wait = restart.backoff(attempts)
    assert 0.5 <= wait <= restart.backoff(attempts + 1) <= 30.0


@given(POLICIES, MOVES)
def test_what_waits_says_until_when(policy: Policy, moves: list[tuple[float, Stimulus | Exit | Due]]) -> None:
    world = lived(policy, moves)
    waits = world.pod.phase is Phase.BACKOFF
    assert (world.pod.next_try_at is not None) == waits == (Timer.RETRY in world.timers)


@given(POLICIES, MOVES)
def test_no_pid_where_nothing_lives(policy: Policy, moves: list[tuple[float, Stimulus | Exit | Due]]) -> None:
    world = lived(policy, moves)
    if world.pod.phase in RESTING:
        assert world.pod.pid is None
