"""The life of one pod, as a pure function of what happened to it.

pending → starting → ready ⇄ unready → stopping → stopped; failed and backoff where it ends unasked.
"""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import assert_never

from ..model import TOO_SLOW, Level, Phase
from . import restart
from .state import (
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
    Pod,
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

PROBE_AGAIN = 0.005
PROBE_START = 0.25
"""Seconds between health calls until the first good one."""
PROBE_READY = 15.0
"""Seconds between health calls of a pod that is ready."""
PROBE_UNREADY = 1.0
WITHDRAW_WAIT = 1.0
"""Seconds that routers get to take a pod out of their tables."""

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
        case SendSignal(number):
            sent = (Tell(Level.INFO, f"sent {signal.Signals(number).name}"), Signal(pod.run, number))
            return (pod, sent) if pod.phase.alive else (pod, ())
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
            return _bound(pod, port)
        case IsBroken(_, error, port_taken):
            return _broken(pod, error, port_taken)
        case WasProbed(_, ok, answer):
            return _probed(pod, ok, answer, now)
        case WasWithdrawn():
            return _withdrawn(pod, now)
        case HasExited(_, code, tail, cause):
            return _exited(pod, code, cause or pod.fault or tail, now)
        case _:
            assert_never(stimulus)


def _enter(pod: Pod, phase: Phase, now: float, reason: str = "") -> Pod:
    return replace(pod, phase=phase, since=now, reason=reason)


def _spawn(pod: Pod, now: float) -> Step:
    """Begin the next run."""
    run = pod.run + 1
    port = pod.plan.port or (0 if pod.free_port else pod.port) or 0
    started = replace(
        _enter(pod, Phase.STARTING, now),
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
        timer = (SetTimer(pod.run, Timer.GRACE, now + pod.patience),) if sooner else ()
        return replace(pod, hold=hold, again=False), timer
    if pod.phase in (Phase.PENDING, Phase.BACKOFF):
        stopped = replace(_enter(pod, Phase.STOPPED, now, why), next_try_at=None, hold=hold)
        return stopped, (ClearTimers(), Tell(Level.INFO, "stopped"))
    return replace(pod, hold=hold), ()


def _renew(pod: Pod, now: float) -> Step:
    if pod.phase in RUNNING and pod.hold is not Hold.REMOVE:
        return _wind_down(replace(pod, again=True, hold=None, attempts=0), "asked to restart", now)
    return _begin(pod, now)


def _wind_down(pod: Pod, why: str, now: float) -> Step:
    """Routers first let go of it, then it finishes what runs, then it is ended."""
    stopping = _enter(pod, Phase.STOPPING, now, why)
    if pod.phase is Phase.STARTING:
        return _terminate(stopping, (ClearTimers(), Tell(Level.INFO, why)), now)
    wait = SetTimer(pod.run, Timer.WITHDRAW, now + WITHDRAW_WAIT)
    return stopping, (ClearTimers(), Tell(Level.INFO, why), wait, Withdraw(pod.run))


def _terminate(pod: Pod, before: tuple[Effect, ...], now: float) -> Step:
    pod = replace(pod, terminated=True)
    grace = SetTimer(pod.run, Timer.GRACE, now + pod.patience)
    return pod, (*before, Signal(pod.run, signal.SIGTERM), grace)


def _withdrawn(pod: Pod, now: float) -> Step:
    if pod.phase is not Phase.STOPPING or pod.terminated:
        return pod, ()
    return _terminate(pod, (ClearTimers(),), now)


def _bound(pod: Pod, port: int) -> Step:
    if pod.phase not in RUNNING:
        return pod, ()
    told: tuple[Effect, ...] = ()
    if pod.port is not None and port != pod.port:
        told = (Tell(Level.WARN, f"port {pod.port} was taken meanwhile; it listens on {port} now"),)
    return replace(pod, port=port), (*told, Probe(pod.run, 0.0))


def _broken(pod: Pod, error: str, port_taken: bool) -> Step:
    return replace(pod, fault=error, free_port=port_taken and pod.plan.port is None), ()


def _probed(pod: Pod, ok: bool, answer: str, now: float) -> Step:
    match pod.phase, ok:
        case Phase.STARTING, True if pod.pid is None:
            # It answers before its runtime has said which process it is: that word is on its way.
            return pod, (Probe(pod.run, PROBE_AGAIN),)
        case Phase.STARTING, True:
            ready = replace(_enter(pod, Phase.READY, now), ready_at=now)
            took = restart.age(now - (pod.started_at or now))
            effects = (
                ClearTimers(),
                SetTimer(pod.run, Timer.STABLE, now + restart.STABLE_AFTER),
                Tell(Level.INFO, f"ready after {took}"),
                Probe(pod.run, PROBE_READY),
            )
            return ready, effects
        case Phase.STARTING, False:
            return replace(pod, reason=answer), (Probe(pod.run, PROBE_START),)
        case Phase.READY, True:
            return pod, (Probe(pod.run, PROBE_READY),)
        case Phase.READY, False:
            return _enter(pod, Phase.UNREADY, now, answer), (
                Tell(Level.WARN, f"unready: {answer}"),
                Probe(pod.run, PROBE_UNREADY),
            )
        case Phase.UNREADY, True:
            return _enter(pod, Phase.READY, now), (
                Tell(Level.INFO, f"ready again after {restart.age(now - pod.since)}"),
                Probe(pod.run, PROBE_READY),
            )
        case Phase.UNREADY, False:
            return replace(pod, reason=answer), (Probe(pod.run, PROBE_UNREADY),)
        case _:
            return pod, ()


def _exited(pod: Pod, code: int | None, fault: str, now: float) -> Step:
    lived = None if pod.started_at is None else now - pod.started_at
    how = restart.ending(code, lived)
    ended = replace(pod, pid=None, exit_code=code, fault="")
    if pod.phase is Phase.STOPPING:
        return _stopped(ended, how, now)
    if pod.phase is Phase.STARTING and not pod.fault and not pod.fresh and -(code or 0) in CRASHES:
        tale = Tell(Level.WARN, f"{how} before it listened; trying an interpreter of its own")
        again, effects = _spawn(replace(ended, fresh=True), now)
        return again, (tale, *effects)
    if pod.free_port:
        return _spawn(ended, now)
    # Where nobody saw how it ended, what is known of why says more.
    reason = how if not fault else fault if code is None else f"{how}: {fault}"
    if pod.phase is Phase.STARTING and not pod.launched:
        return _enter(ended, Phase.FAILED, now, reason), (ClearTimers(), Tell(Level.ERROR, reason))
    if not restart.wants_restart(pod.policy.restart, code):
        phase, level = (Phase.STOPPED, Level.INFO) if code == 0 else (Phase.FAILED, Level.ERROR)
        return _enter(ended, phase, now, reason), (ClearTimers(), Tell(level, reason))
    return _back_off(ended, reason, now)


def _stopped(pod: Pod, how: str, now: float) -> Step:
    if pod.again:
        started, effects = _spawn(pod, now)
        return started, (Tell(Level.INFO, f"stopped ({how}), starting again"), *effects)
    why = pod.reason if pod.hold is Hold.LAUNCH else ""
    stopped = _enter(pod, Phase.STOPPED, now, why)
    return stopped, (ClearTimers(), Tell(Level.INFO, f"stopped ({how})"))


def _back_off(pod: Pod, reason: str, now: float) -> Step:
    attempts = pod.attempts + 1
    wait = restart.backoff(attempts)
    waiting = replace(_enter(pod, Phase.BACKOFF, now, reason), attempts=attempts, next_try_at=now + wait)
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
