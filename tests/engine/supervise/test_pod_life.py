"""The life of one pod as a specification: what happened, and what came of it."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest
from tests.engine.supervise.story import UP, after, comes_up, live, pod, starts

from quarterdeck.engine.model import Level, Phase, Role, Runtime
from quarterdeck.engine.plan.pods import PodPlan
from quarterdeck.engine.spec.topology import Probe as ProbeSpec
from quarterdeck.engine.spec.topology import ProbeKind, Restart
from quarterdeck.engine.supervise.state import (
    Await,
    Begin,
    CheckLife,
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
    Probe,
    Renew,
    SendSignal,
    SetTimer,
    Signal,
    Spawn,
    Stimulus,
    Tell,
    Timer,
    TimerFired,
    WasProbed,
    WasWithdrawn,
    Withdraw,
)

TERM = int(signal.SIGTERM)
KILL = int(signal.SIGKILL)
ABRT = int(signal.SIGABRT)
History = tuple[Stimulus | float, ...]
STOPPING: History = (*UP, Halt(), WasWithdrawn(1))
BACKOFF: History = (*UP, HasExited(1, 1, "boom"))
FAILED: History = (Begin(), HasStarted(1, 41), IsBroken(1, "no such class"), HasExited(1, 1))
NO = Policy(restart=Restart.NO)
ALWAYS = Policy(restart=Restart.ALWAYS)
TWICE = Policy(probe=ProbeSpec(failures=2))
LIVE = Policy(liveness=ProbeSpec(ProbeKind.HTTP, "/live", every=5.0, failures=2, delay=1.0))
WRONG = LifeWasChecked(1, False, "GET /live answered 500")
DOOMED: History = (*UP, WRONG, WRONG, WasWithdrawn(1))

TRANSITIONS: list[tuple[str, Policy, History, Stimulus, Phase, list[Effect]]] = [
    # -- pending
    ("begin", Policy(), (), Begin(), Phase.STARTING,
     [ClearTimers(), Spawn(1, 0, False), SetTimer(1, Timer.READY, 1600.0)]),
    ("begin without a limit", Policy(timeout_ready=None), (), Begin(), Phase.STARTING,
     [ClearTimers(), Spawn(1, 0, False)]),
    ("halt before it began", Policy(), (), Halt(), Phase.STOPPED, [ClearTimers()]),
    # -- starting
    ("its process is there", Policy(), (Begin(),), HasStarted(1, 41), Phase.STARTING, []),
    ("it listens", Policy(), (Begin(), HasStarted(1, 41)), HasBound(1, 7000), Phase.STARTING, [Probe(1, 0.0)]),
    ("healthy", Policy(), (Begin(), *starts(), 0.5), WasProbed(1, True), Phase.READY,
     [ClearTimers(), SetTimer(1, Timer.STABLE, 1060.5), Probe(1, 15.0)]),
    ("not healthy yet", Policy(), (Begin(), *starts()), WasProbed(1, False, "loading"), Phase.STARTING,
     [Probe(1, 0.25)]),
    ("too slow", Policy(), (Begin(), *starts(), 600.0), TimerFired(1, Timer.READY), Phase.STARTING, [End(1)]),
    ("ends in its first start", Policy(), (Begin(), HasStarted(1, 41)), HasExited(1, 1), Phase.FAILED,
     [ClearTimers()]),
    ("ends well in its first start", Policy(), (Begin(), HasStarted(1, 41)), HasExited(1, 0), Phase.FAILED,
     [ClearTimers()]),
    ("halt while it starts", Policy(grace=3.0), (Begin(), *starts()), Halt(), Phase.STOPPING,
     [ClearTimers(), Signal(1, TERM), SetTimer(1, Timer.GRACE, 1003.5)]),
    # -- ready and unready
    ("still healthy", Policy(), UP, WasProbed(1, True), Phase.READY, [Probe(1, 15.0)]),
    ("not healthy", Policy(), UP, WasProbed(1, False, "not serving"), Phase.UNREADY, [Probe(1, 1.0)]),
    ("still not", Policy(), (*UP, WasProbed(1, False, "x")), WasProbed(1, False, "y"), Phase.UNREADY,
     [Probe(1, 1.0)]),
    ("healthy again", Policy(), (*UP, WasProbed(1, False, "x")), WasProbed(1, True), Phase.READY,
     [Probe(1, 15.0)]),
    ("halt lets routers go first", Policy(), UP, Halt(), Phase.STOPPING,
     [ClearTimers(), SetTimer(1, Timer.WITHDRAW, 1001.5), Withdraw(1)]),
    ("halt of an unready one", Policy(), (*UP, WasProbed(1, False, "x")), Halt(), Phase.STOPPING,
     [ClearTimers(), SetTimer(1, Timer.WITHDRAW, 1001.5), Withdraw(1)]),
    ("restart", Policy(), UP, Renew(), Phase.STOPPING,
     [ClearTimers(), SetTimer(1, Timer.WITHDRAW, 1001.5), Withdraw(1)]),
    ("begin changes nothing", Policy(), UP, Begin(), Phase.READY, []),
    ("killed", Policy(), UP, HasExited(1, -KILL), Phase.BACKOFF,
     [ClearTimers(), SetTimer(1, Timer.RETRY, 1001.0)]),
    ("nobody saw how it ended", Policy(), UP, HasExited(1, None), Phase.BACKOFF,
     [ClearTimers(), SetTimer(1, Timer.RETRY, 1001.0)]),
    ("done, on-failure", Policy(), UP, HasExited(1, 0), Phase.STOPPED, [ClearTimers()]),
    ("done, always", ALWAYS, UP, HasExited(1, 0), Phase.BACKOFF,
     [ClearTimers(), SetTimer(1, Timer.RETRY, 1001.0)]),
    ("done, no", NO, UP, HasExited(1, 0), Phase.STOPPED, [ClearTimers()]),
    ("killed, no", NO, UP, HasExited(1, -KILL), Phase.FAILED, [ClearTimers()]),
    ("an unready one ends", Policy(), (*UP, WasProbed(1, False, "x")), HasExited(1, 1), Phase.BACKOFF,
     [ClearTimers(), SetTimer(1, Timer.RETRY, 1001.0)]),
    # -- stopping
    ("withdrawn", Policy(), (*UP, Halt()), WasWithdrawn(1), Phase.STOPPING,
     [ClearTimers(), Signal(1, TERM), SetTimer(1, Timer.GRACE, 1011.0)]),
    ("withdrawn twice", Policy(), STOPPING, WasWithdrawn(1), Phase.STOPPING, []),
    ("routers don't answer", Policy(), (*UP, Halt(), 1.0), TimerFired(1, Timer.WITHDRAW), Phase.STOPPING,
     [ClearTimers(), Signal(1, TERM), SetTimer(1, Timer.GRACE, 1012.0)]),
    ("ignores SIGTERM", Policy(), (*STOPPING, 10.0), TimerFired(1, Timer.GRACE), Phase.STOPPING, [End(1)]),
    ("stopped", Policy(), STOPPING, HasExited(1, 0), Phase.STOPPED, [ClearTimers()]),
    ("stopped by force", Policy(), STOPPING, HasExited(1, -KILL), Phase.STOPPED, [ClearTimers()]),
    ("restarted", Policy(), (*UP, Renew(), WasWithdrawn(1)), HasExited(1, 0), Phase.STARTING,
     [ClearTimers(), Spawn(2, 7000, False), SetTimer(2, Timer.READY, 1600.5)]),
    ("begin while it stops", Policy(), (*STOPPING, Begin()), HasExited(1, 0), Phase.STARTING,
     [ClearTimers(), Spawn(2, 7000, False), SetTimer(2, Timer.READY, 1600.5)]),
    ("halt takes a restart back", Policy(), (*UP, Renew(), Halt()), HasExited(1, 0), Phase.STOPPED,
     [ClearTimers()]),
    ("health of one that stops", Policy(), STOPPING, WasProbed(1, True), Phase.STOPPING, []),
    # -- probes of its own
    ("asked no sooner than it wants", Policy(probe=ProbeSpec(delay=2.0)),
     (Begin(), HasStarted(1, 41), 0.5), HasBound(1, 7000), Phase.STARTING, [Probe(1, 1.5)]),
    ("asked as often as it wants", Policy(probe=ProbeSpec(every=3.0)), UP, WasProbed(1, True), Phase.READY,
     [Probe(1, 3.0)]),
    ("sooner while it starts", Policy(probe=ProbeSpec(every=0.1)), (Begin(), *starts()), WasProbed(1, False),
     Phase.STARTING, [Probe(1, 0.1)]),
    ("sooner while it is unready", Policy(probe=ProbeSpec(every=0.1)), UP, WasProbed(1, False, "x"),
     Phase.UNREADY, [Probe(1, 0.1)]),
    ("one wrong answer of two", TWICE, UP, WasProbed(1, False, "x"), Phase.READY, [Probe(1, 1.0)]),
    ("two of two", TWICE, (*UP, WasProbed(1, False, "x")), WasProbed(1, False, "x"), Phase.UNREADY,
     [Probe(1, 1.0)]),
    ("two, but not in a row", TWICE, (*UP, WasProbed(1, False, "x"), WasProbed(1, True)),
     WasProbed(1, False, "x"), Phase.READY, [Probe(1, 1.0)]),
    # -- liveness
    ("its life is watched once it is ready", LIVE, (Begin(), *starts(), 0.5), WasProbed(1, True), Phase.READY,
     [ClearTimers(), SetTimer(1, Timer.STABLE, 1060.5), Probe(1, 15.0), CheckLife(1, 0.5)]),
    ("not watched a second time", LIVE, (*UP, WasProbed(1, False, "x")), WasProbed(1, True), Phase.READY,
     [Probe(1, 15.0)]),
    ("it lives", LIVE, UP, LifeWasChecked(1, True), Phase.READY, [CheckLife(1, 5.0)]),
    ("an unready one lives", LIVE, (*UP, WasProbed(1, False, "x")), LifeWasChecked(1, True), Phase.UNREADY,
     [CheckLife(1, 5.0)]),
    ("one wrong answer about its life", LIVE, UP, LifeWasChecked(1, False, "x"), Phase.READY,
     [CheckLife(1, 1.0)]),
    ("two in a row end it", LIVE, (*UP, LifeWasChecked(1, False, "x")), LifeWasChecked(1, False, "x"),
     Phase.STOPPING, [ClearTimers(), SetTimer(1, Timer.WITHDRAW, 1001.5), Withdraw(1)]),
    ("and it starts again after a while", LIVE, DOOMED, HasExited(1, 0), Phase.BACKOFF,
     [ClearTimers(), SetTimer(1, Timer.RETRY, 1001.0)]),
    ("or not at all", replace(LIVE, restart=Restart.NO), DOOMED, HasExited(1, 0), Phase.FAILED,
     [ClearTimers()]),
    ("a stop meanwhile is a stop", LIVE, (*DOOMED, Halt()), HasExited(1, 0), Phase.STOPPED, [ClearTimers()]),
    ("a restart meanwhile does not wait", LIVE, (*DOOMED, Renew()), HasExited(1, 0), Phase.STARTING,
     [ClearTimers(), Spawn(2, 7000, False), SetTimer(2, Timer.READY, 1600.5)]),
    ("life of one that stops", LIVE, STOPPING, LifeWasChecked(1, False, "x"), Phase.STOPPING, []),
    # -- waiting for others
    ("waits", Policy(), (), Await("waits for index"), Phase.PENDING, []),
    ("what runs waits for nobody", Policy(), UP, Await("waits for index"), Phase.READY, []),
    # -- backoff
    ("try again", Policy(), (*BACKOFF, 0.5), TimerFired(1, Timer.RETRY), Phase.STARTING,
     [ClearTimers(), Spawn(2, 7000, False), SetTimer(2, Timer.READY, 1601.0)]),
    ("begin does not wait", Policy(), BACKOFF, Begin(), Phase.STARTING,
     [ClearTimers(), Spawn(2, 7000, False), SetTimer(2, Timer.READY, 1600.5)]),
    ("restart does not wait", Policy(), BACKOFF, Renew(), Phase.STARTING,
     [ClearTimers(), Spawn(2, 7000, False), SetTimer(2, Timer.READY, 1600.5)]),
    ("halt ends the waiting", Policy(), BACKOFF, Halt(), Phase.STOPPED, [ClearTimers()]),
    # -- failed and stopped
    ("begin after a failure", Policy(), FAILED, Begin(), Phase.STARTING,
     [ClearTimers(), Spawn(2, 0, False), SetTimer(2, Timer.READY, 1600.0)]),
    ("halt of a failed one", Policy(), FAILED, Halt(), Phase.FAILED, []),
    ("begin after a stop", Policy(), (*STOPPING, HasExited(1, 0)), Begin(), Phase.STARTING,
     [ClearTimers(), Spawn(2, 7000, False), SetTimer(2, Timer.READY, 1600.5)]),
    ("halt of a stopped one", Policy(), (*STOPPING, HasExited(1, 0)), Halt(), Phase.STOPPED, []),
    # -- a signal that a person sends
    ("signal", Policy(), UP, SendSignal(signal.SIGUSR1), Phase.READY, [Signal(1, signal.SIGUSR1)]),
    ("signal to nobody", Policy(), (), SendSignal(signal.SIGUSR1), Phase.PENDING, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "history", "stimulus", "phase", "deeds"),
    [pytest.param(*row[1:], id=row[0]) for row in TRANSITIONS],
)
def test_transition(
    policy: Policy, history: History, stimulus: Stimulus, phase: Phase, deeds: list[Effect]
) -> None:
    moment = after(pod(policy), *history, stimulus)
    assert (moment.pod.phase, moment.deeds) == (phase, deeds)


@pytest.mark.parametrize(
    ("policy", "history", "stimulus", "phase", "deeds"),
    [pytest.param(*row[1:], id=row[0]) for row in TRANSITIONS],
)
def test_a_phase_that_changes_says_since_when(
    policy: Policy, history: History, stimulus: Stimulus, phase: Phase, deeds: list[Effect]
) -> None:
    before, last = [(pod(policy), None), *[(m.pod, m) for m in live(pod(policy), *history, stimulus)]][-2:]
    moment = last[1]
    assert moment is not None
    if before[0].phase is not moment.pod.phase:
        assert moment.pod.since == moment.now
    else:
        assert moment.pod.since == before[0].since or moment.pod.run > before[0].run


def test_every_phase_is_reached() -> None:
    assert {row[4] for row in TRANSITIONS} == set(Phase)


STALE: list[Stimulus] = [
    HasStarted(1, 99), HasBound(1, 9999), IsBroken(1, "old"), IsBroken(1, "old", True), WasProbed(1, True),
    WasProbed(1, False, "old"), LifeWasChecked(1, False, "old"), WasWithdrawn(1),
    HasExited(1, 1, "old"), *(TimerFired(1, timer) for timer in Timer),
]  # fmt: skip


@pytest.mark.parametrize("stimulus", STALE, ids=str)
@pytest.mark.parametrize(
    "state", [(), comes_up(2), (*comes_up(2), Halt()), (*comes_up(2), HasExited(2, 1))],
    ids=["starting", "ready", "stopping", "backoff"],
)  # fmt: skip
def test_a_run_that_is_over_changes_nothing(state: History, stimulus: Stimulus) -> None:
    second = (*UP, Renew(), WasWithdrawn(1), HasExited(1, 0), *state)
    before = after(pod(), *second).pod
    moment = after(pod(), *second, stimulus)
    assert before.run == 2
    assert (moment.pod, moment.effects) == (before, ())


def test_the_story_of_a_start_is_told() -> None:
    moment = after(pod(), Begin(), *starts(), 0.4, WasProbed(1, True))
    assert moment.texts == ["ready after 400ms"]
    assert (moment.pod.started_at, moment.pod.ready_at, moment.pod.pid) == (1000.0, 1000.4, 41)
    assert moment.pod.restarts == 0


def test_a_failed_start_says_how_it_ended_and_why() -> None:
    moment = after(
        pod(), Begin(), HasStarted(1, 41), IsBroken(1, "no such class"), 3.0, HasExited(1, 1, "tail")
    )
    assert moment.pod.reason == "exit 1 after 3s: no such class"
    assert (moment.pod.exit_code, moment.pod.pid) == (1, None)
    assert moment.told(Tell) == [Tell(Level.ERROR, "exit 1 after 3s: no such class")]


def test_without_a_word_of_its_own_the_end_of_its_log_is_the_reason() -> None:
    moment = after(pod(), *UP, 2.5, HasExited(1, -KILL, "last words"))
    assert moment.pod.reason == "killed by SIGKILL after 3s: last words"
    assert moment.texts == [
        "killed by SIGKILL after 3s: last words; attempt 1, next in 500ms",
    ]


def test_who_knows_the_cause_has_the_last_word() -> None:
    moment = after(pod(), *UP, 2.5, HasExited(1, -KILL, "a line", cause="out of memory: more than 64 MiB"))
    assert moment.pod.reason == "killed by SIGKILL after 3s: out of memory: more than 64 MiB"


def test_too_slow_a_start_says_what_it_waited_for() -> None:
    history = (Begin(), *starts(), WasProbed(1, False, "health says not serving"), 600.0)
    moment = after(pod(), *history, TimerFired(1, Timer.READY), HasExited(1, -KILL))
    assert moment.pod.phase is Phase.FAILED
    assert "not ready within 10m (health says not serving)" in moment.pod.reason


def test_what_its_liveness_answered_is_the_reason_until_it_runs_again() -> None:
    why = "liveness: GET /live answered 500"
    moments = live(pod(LIVE), *DOOMED, HasExited(1, 0), 0.5, TimerFired(1, Timer.RETRY), *comes_up(2))
    reasons = {moment.pod.phase: moment.pod.reason for moment in moments}
    assert (reasons[Phase.STOPPING], reasons[Phase.BACKOFF], reasons[Phase.READY]) == (why, why, "")
    assert any(text.startswith(f"{why}; attempt 1, next in") for moment in moments for text in moment.texts)


def test_wrong_answers_of_an_earlier_run_do_not_count() -> None:
    history = (*UP, WRONG, HasExited(1, 1), 0.5, TimerFired(1, Timer.RETRY), *comes_up(2))
    assert after(pod(LIVE), *history, LifeWasChecked(2, False, "x")).pod.phase is Phase.READY


def test_what_a_pod_waits_for_is_shown_until_it_starts() -> None:
    moments = live(pod(), Await("waits for index"), Begin())
    assert [moment.pod.reason for moment in moments] == ["waits for index", ""]


def test_what_somebody_else_runs_is_ready_without_a_process() -> None:
    plan = PodPlan("top", "far/rep-0", "far", Role.WORKER, runtime=Runtime.EXTERNAL, port=9000)
    assert after(Pod(plan, Policy()), Begin(), HasBound(1, 9000), WasProbed(1, True)).pod.phase is Phase.READY


def test_a_port_is_kept_over_restarts() -> None:
    moments = live(pod(), *UP, HasExited(1, 1), 0.5, TimerFired(1, Timer.RETRY), *comes_up(2), Renew(),
                   WasWithdrawn(2), HasExited(2, 0))  # fmt: skip
    spawns = [spawn for moment in moments for spawn in moment.told(Spawn)]
    assert spawns == [Spawn(1, 0, False), Spawn(2, 7000, False), Spawn(3, 7000, False)]


def test_a_planned_port_is_asked_for_each_time() -> None:
    moments = live(
        pod(port=9100), Begin(), *comes_up(port=9100), Launched(), Renew(), WasWithdrawn(1), HasExited(1, 0)
    )
    assert [spawn.port for moment in moments for spawn in moment.told(Spawn)] == [9100, 9100]


def test_a_kept_port_that_a_stranger_took_is_replaced_at_once_and_told() -> None:
    lost = (*UP, HasExited(1, 1), 0.5, TimerFired(1, Timer.RETRY), HasStarted(2, 42),
            IsBroken(2, "port 7000 is taken", port_taken=True))  # fmt: skip
    moment = after(pod(), *lost, HasExited(2, 1))
    assert (moment.pod.phase, moment.told(Spawn)) == (Phase.STARTING, [Spawn(3, 0, False)])
    bound = after(pod(), *lost, HasExited(2, 1), HasStarted(3, 43), HasBound(3, 7123))
    assert bound.told(Tell) == [Tell(Level.WARN, "port 7000 was taken meanwhile; it listens on 7123 now")]
    assert bound.pod.port == 7123


def test_a_new_port_does_not_make_other_failures_retry_without_waiting() -> None:
    lost = (*UP, HasExited(1, 1), 0.5, TimerFired(1, Timer.RETRY), HasStarted(2, 42),
            IsBroken(2, "port 7000 is taken", port_taken=True), HasExited(2, 1))  # fmt: skip
    moment = after(pod(), *lost, HasStarted(3, 43), IsBroken(3, "no such class"), HasExited(3, 1))
    assert moment.pod.phase is Phase.BACKOFF
    assert moment.told(Spawn) == []


def test_a_planned_port_that_is_taken_is_a_failure() -> None:
    moment = after(pod(port=9100), Begin(), HasStarted(1, 41), IsBroken(1, "port 9100 is taken", True),
                   HasExited(1, 1))  # fmt: skip
    assert moment.pod.phase is Phase.FAILED
    assert "port 9100 is taken" in moment.pod.reason


@pytest.mark.parametrize(
    "number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE]
)
def test_a_fork_that_crashes_before_it_listens_gets_an_interpreter_of_its_own_once(number: int) -> None:
    crash = (Begin(), HasStarted(1, 41), HasExited(1, -number))
    moment = after(pod(), *crash)
    assert (moment.pod.phase, moment.told(Spawn)) == (Phase.STARTING, [Spawn(2, 0, True)])
    assert "trying an interpreter of its own" in moment.texts[0]
    again = after(pod(), *crash, HasStarted(2, 42), HasExited(2, -number))
    assert (again.pod.phase, again.told(Spawn)) == (Phase.FAILED, [])


def test_a_crash_is_no_reason_for_another_interpreter_once_it_serves() -> None:
    moment = after(pod(), *UP, HasExited(1, -ABRT))
    assert (moment.pod.phase, moment.pod.fresh) == (Phase.BACKOFF, False)


def test_an_end_that_was_asked_for_gives_the_grace_that_was_asked_for() -> None:
    moment = after(pod(), *UP, Halt(grace=0.2), WasWithdrawn(1))
    assert [(timer.timer, round(timer.at - moment.now, 3)) for timer in moment.told(SetTimer)] == [
        (Timer.GRACE, 0.7)
    ]


def test_a_shorter_grace_counts_for_a_pod_that_is_ending_already() -> None:
    moment = after(pod(), *STOPPING, Halt(Hold.REMOVE, "going down", grace=0.2))
    assert [(timer.timer, round(timer.at - moment.now, 3)) for timer in moment.told(SetTimer)] == [
        (Timer.GRACE, 0.7)
    ]


def test_asked_to_stop_is_no_reason_to_show_once_it_has() -> None:
    assert after(pod(), *STOPPING).pod.reason == "asked to stop"
    assert after(pod(), *STOPPING, HasExited(1, 0)).pod.reason == ""


def test_closed_for_a_sibling_keeps_the_reason() -> None:
    why = "closed: index/rep-1 did not start"
    moment = after(pod(), Begin(), *comes_up(), Halt(Hold.LAUNCH, why), WasWithdrawn(1), HasExited(1, 0))
    assert (moment.pod.phase, moment.pod.reason) == (Phase.STOPPED, why)


def test_counts_restarts_but_not_the_first_start_nor_runs_of_earlier_engines() -> None:
    assert after(pod(), *UP, Renew(), WasWithdrawn(1), HasExited(1, 0)).pod.restarts == 1
