"""The life of one pod, as a pure function of what happened to it.

pending → starting → ready ⇄ unready → stopping → stopped; failed and backoff where it ends unasked.
"""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import assert_never

from ..model import TOO_SLOW, Level, Phase
from . import probes, restart
from .state import (
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
    Renew,
    Replan,
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

WITHDRAW_WAIT = 1.0
"""Seconds that routers get to take a pod out of their tables."""
KILL_AFTER = 0.5
"""Seconds beyond its grace in which a pod that has drained may close what it holds."""

Step = tuple[Pod, tuple[Effect, ...]]
CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE})
"""A fork that dies of one of these before it listens is tried again in an interpreter of its own."""
RUNNING = (Phase.STARTING, Phase.READY, Phase.UNREADY)
UNASKED = (Phase.PENDING, Phase.STOPPED, Phase.FAILED)
"""From these a start is a start, not a restart."""
RESTING = (Phase.PENDING, Phase.STOPPED, Phase.FAILED, Phase.BACKOFF)


def step(pod: Pod, stimulus: Stimulus, now: float) -> Step:
    """What `stimulus` makes of `pod`, and what is to be done about it. What can't happen changes nothing."""
    match stimulus:
        case Begin():
            return _begin(pod, now)
        case Halt(hold, why, grace):
            return _halt(pod, hold, why, grace, now)
        case Renew():
            return _renew(pod, now)
        case Replan():
            return probes.watched(_replan(pod, stimulus), now)
        case SendSignal(number):
            sent = (Tell(Level.INFO, f"sent {signal.Signals(number).name}"), Signal(pod.run, number))
            return (pod, sent) if pod.phase.alive else (pod, ())
        case Await(why):
            return (replace(pod, reason=why), ()) if pod.phase is Phase.PENDING else (pod, ())
        case Launched():
            return replace(pod, launched=True), ()
        case _ if stimulus.run != pod.run:
            return pod, ()
        case TimerFired(_, timer):
            return _fired(pod, timer, now)
        case _ if not pod.phase.alive:
            return pod, ()  # the run is over
        case HasStarted(_, pid):
            return replace(pod, pid=pid), ()
        case HasBound(_, port):
            return _bound(pod, port, now)
        case IsBroken(_, error, port_taken):
            return _broken(pod, error, port_taken)
        case WasProbed(_, ok, answer):
            return probes.probed(pod, ok, answer, now)
        case LifeWasChecked(_, ok, answer):
            return _life_checked(pod, ok, answer, now)
        case WasWithdrawn():
            return _withdrawn(pod, now)
        case HasExited(_, code, tail, cause):
            return _exited(pod, code, cause or pod.fault or tail, now)
        case _:
            assert_never(stimulus)


def _spawn(pod: Pod, now: float) -> Step:
    """Begin the next run."""
    if pod.replan is not None:
        pod = replace(pod, plan=pod.replan.plan, policy=pod.replan.policy, replan=None)
    run = pod.run + 1
    port = pod.plan.port or (0 if pod.free_port else pod.port) or 0
    started = replace(
        pod.enter(Phase.STARTING, now),
        run=run,
        restarts=pod.restarts + (pod.run > pod.first_run and pod.phase not in UNASKED),
        pid=None,
        started_at=now,
        ready_at=None,
        next_try_at=None,
        terminated=False,
        again=False,
        hold=None,
        fault="",
        free_port=False,
        grace=None,
        wrong=0,
        lifeless=0,
        watched=False,
        doomed=False,
    )
    effects: list[Effect] = [ClearTimers(), Spawn(run, port, pod.fresh)]
    if pod.policy.timeout_ready is not None:
        effects.append(SetTimer(run, Timer.READY, now + pod.policy.timeout_ready))
    return started, tuple(effects)


def _begin(pod: Pod, now: float) -> Step:
    if pod.hold is Hold.REMOVE:
        return pod, ()
    if pod.phase in RESTING:
        return _spawn(replace(pod, attempts=0), now)
    if pod.phase is Phase.STOPPING:
        return replace(pod, again=True, hold=None), ()
    return pod, ()


def _halt(pod: Pod, hold: Hold, why: str, grace: float | None, now: float) -> Step:
    if pod.hold is Hold.REMOVE:
        hold = Hold.REMOVE
    if grace is not None:
        pod = replace(pod, grace=grace)
    if pod.phase in RUNNING:
        return _wind_down(replace(pod, hold=hold, again=False), why or "asked to stop", now)
    if pod.phase is Phase.STOPPING:
        sooner = grace is not None and pod.terminated
        timer = (SetTimer(pod.run, Timer.GRACE, now + pod.patience + KILL_AFTER),) if sooner else ()
        return replace(pod, hold=hold, again=False), timer
    if pod.phase in (Phase.PENDING, Phase.BACKOFF):
        stopped = replace(pod.enter(Phase.STOPPED, now, why), next_try_at=None, hold=hold)
        return stopped, (ClearTimers(), Tell(Level.INFO, "stopped"))
    return replace(pod, hold=hold), ()


def _renew(pod: Pod, now: float) -> Step:
    if pod.phase in RUNNING and pod.hold is not Hold.REMOVE:
        return _wind_down(replace(pod, again=True, hold=None, attempts=0), "asked to restart", now)
    return _begin(pod, now)


def _replan(pod: Pod, new: Replan) -> Pod:
    """What runs, runs by the plan that it was started by."""
    if pod.phase in RESTING:
        return replace(pod, plan=new.plan, policy=new.policy, replan=None)
    if new.later:
        return replace(pod, replan=new)
    return replace(pod, policy=new.policy, replan=None if new.plan == pod.plan else new)


def _wind_down(pod: Pod, why: str, now: float) -> Step:
    """Routers first let go of it, then it finishes what runs, then it is ended."""
    stopping = pod.enter(Phase.STOPPING, now, why)
    if pod.phase is Phase.STARTING:
        return _terminate(stopping, (ClearTimers(), Tell(Level.INFO, why)), now)
    wait = SetTimer(pod.run, Timer.WITHDRAW, now + WITHDRAW_WAIT)
    return stopping, (ClearTimers(), Tell(Level.INFO, why), wait, Withdraw(pod.run))


def _terminate(pod: Pod, before: tuple[Effect, ...], now: float) -> Step:
    pod = replace(pod, terminated=True)
    grace = SetTimer(pod.run, Timer.GRACE, now + pod.patience + KILL_AFTER)
    return pod, (*before, Signal(pod.run, signal.SIGTERM), grace)


def _withdrawn(pod: Pod, now: float) -> Step:
    if pod.phase is not Phase.STOPPING or pod.terminated:
        return pod, ()
    return _terminate(pod, (ClearTimers(),), now)


def _bound(pod: Pod, port: int, now: float) -> Step:
    if pod.phase not in RUNNING:
        return pod, ()
    told: tuple[Effect, ...] = ()
    if pod.port is not None and port != pod.port:
        told = (Tell(Level.WARN, f"port {pod.port} was taken meanwhile; it listens on {port} now"),)
    return replace(pod, port=port), (*told, probes.first(pod, now))


def _broken(pod: Pod, error: str, port_taken: bool) -> Step:
    return replace(pod, fault=error, free_port=port_taken and pod.plan.port is None), ()


def _life_checked(pod: Pod, ok: bool, answer: str, now: float) -> Step:
    pod, effects, dead = probes.life_checked(pod, ok)
    if not dead:
        return pod, effects
    why = f"liveness: {answer}"
    return _wind_down(replace(pod, doomed=True), why, now)


def _exited(pod: Pod, code: int | None, fault: str, now: float) -> Step:
    lived = None if pod.started_at is None else now - pod.started_at
    how = restart.ending(code, lived)
    ended = replace(pod, pid=None, exit_code=code, fault="")
    if pod.phase is Phase.STOPPING and (pod.again or pod.hold is not None or not pod.doomed):
        return _stopped(ended, how, now)
    if pod.doomed:
        return _after_failure(ended, None, pod.reason, now)
    if pod.phase is Phase.STARTING and not pod.fault and not pod.fresh and -(code or 0) in CRASHES:
        tale = Tell(Level.WARN, f"{how} before it listened; trying an interpreter of its own")
        again, effects = _spawn(replace(ended, fresh=True), now)
        return again, (tale, *effects)
    if pod.free_port:
        return _spawn(ended, now)
    # Where nobody saw how it ended, what is known of why says more.
    reason = how if not fault else fault if code is None else f"{how}: {fault}"
    if pod.phase is Phase.STARTING and not pod.launched:
        return ended.enter(Phase.FAILED, now, reason), (ClearTimers(), Tell(Level.ERROR, reason))
    return _after_failure(ended, code, reason, now)


def _after_failure(pod: Pod, code: int | None, reason: str, now: float) -> Step:
    """A run ended that nobody asked to; an unknown code is a failure."""
    if not restart.wants_restart(pod.policy.restart, code):
        phase, level = (Phase.STOPPED, Level.INFO) if code == 0 else (Phase.FAILED, Level.ERROR)
        return pod.enter(phase, now, reason), (ClearTimers(), Tell(level, reason))
    return _back_off(pod, reason, now)


def _stopped(pod: Pod, how: str, now: float) -> Step:
    if pod.again:
        started, effects = _spawn(pod, now)
        return started, (Tell(Level.INFO, f"stopped ({how}), starting again"), *effects)
    why = pod.reason if pod.hold is Hold.LAUNCH else ""
    stopped = pod.enter(Phase.STOPPED, now, why)
    return stopped, (ClearTimers(), Tell(Level.INFO, f"stopped ({how})"))


def _back_off(pod: Pod, reason: str, now: float) -> Step:
    attempts = pod.attempts + 1
    wait = restart.backoff(attempts)
    waiting = replace(pod.enter(Phase.BACKOFF, now, reason), attempts=attempts, next_try_at=now + wait)
    tale = Tell(Level.ERROR, f"{reason}; attempt {attempts}, next in {restart.age(wait)}")
    return waiting, (ClearTimers(), tale, SetTimer(pod.run, Timer.RETRY, now + wait))


def _fired(pod: Pod, timer: Timer, now: float) -> Step:
    match timer:
        case Timer.READY if pod.phase is Phase.STARTING:
            blocked = f" ({pod.reason})" if pod.reason else ""
            limit = restart.age(pod.policy.timeout_ready or 0)
            return replace(pod, fault=f"{TOO_SLOW} {limit}{blocked}"), (End(pod.run),)
        case Timer.RETRY if pod.phase is Phase.BACKOFF:
            return _spawn(pod, now)
        case Timer.STABLE if pod.phase in RUNNING:
            return replace(pod, attempts=0), ()
        case Timer.WITHDRAW if pod.phase is Phase.STOPPING:
            return _withdrawn(pod, now)
        case Timer.GRACE if pod.phase is Phase.STOPPING:
            tale = Tell(Level.WARN, f"still there after {restart.age(pod.patience)}; killed")
            return pod, (tale, End(pod.run))
        case _:
            return pod, ()
