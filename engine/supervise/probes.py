"""What the answers of its probes make of a pod: ready, unready, or to be ended. Pure; asking is `probing`'s."""

from __future__ import annotations

from dataclasses import replace

from ..model import Level, Phase, Runtime
from . import restart
from .state import CheckLife, ClearTimers, Effect, Pod, Probe, SetTimer, Tell, Timer

AGAIN = 0.005
STARTING = 0.25
"""Longest time between questions until the first right answer, seconds."""
UNWELL = 1.0
"""Longest time between questions while the answers are wrong, seconds."""

Step = tuple[Pod, tuple[Effect, ...]]


def first(pod: Pod, now: float) -> Probe:
    """The first question whether it is ready, once it listens."""
    return Probe(pod.run, _rest(pod, pod.policy.probe.delay, now))


def _rest(pod: Pod, delay: float, now: float) -> float:
    """What is left of a delay that began with the run."""
    return max(0.0, delay - (now - (pod.started_at or now))) if delay else 0.0


def probed(pod: Pod, ok: bool, answer: str, now: float) -> Step:
    """What an answer about its readiness makes of the pod."""
    run, probe = pod.run, pod.policy.probe
    pod = replace(pod, wrong=0 if ok else pod.wrong + 1)
    well, unwell = Probe(run, probe.every), Probe(run, min(probe.every, UNWELL))
    match pod.phase, ok:
        case Phase.STARTING, True if pod.pid is None and pod.plan.runtime is not Runtime.EXTERNAL:
            # It answers before its runtime has said which process it is: that word is on its way.
            return pod, (Probe(run, AGAIN),)
        case Phase.STARTING, True:
            return _ready(pod, now)
        case Phase.STARTING, False:
            return replace(pod, reason=answer), (Probe(run, min(probe.every, STARTING)),)
        case Phase.READY, True:
            return pod, (well,)
        case Phase.READY, False if pod.wrong < probe.failures:
            return pod, (unwell,)
        case Phase.READY, False:
            return pod.enter(Phase.UNREADY, now, answer), (Tell(Level.WARN, f"unready: {answer}"), unwell)
        case Phase.UNREADY, True:
            again = Tell(Level.INFO, f"ready again after {restart.age(now - pod.since)}")
            return pod.enter(Phase.READY, now), (again, well)
        case Phase.UNREADY, False:
            return replace(pod, reason=answer), (unwell,)
        case _:
            return pod, ()


def _ready(pod: Pod, now: float) -> Step:
    """The first right answer of a run; from now on its life is watched too, where a probe for that is set."""
    ready = replace(pod.enter(Phase.READY, now), ready_at=now)
    took = restart.age(now - (pod.started_at or now))
    ready, watch = watched(ready, now)
    return ready, (
        ClearTimers(),
        SetTimer(pod.run, Timer.STABLE, now + restart.STABLE_AFTER),
        Tell(Level.INFO, f"ready after {took}"),
        Probe(pod.run, pod.policy.probe.every),
        *watch,
    )


def watched(pod: Pod, now: float) -> Step:
    """Begin to ask about its life, where a probe for that is set and nobody asks yet."""
    liveness = pod.policy.liveness
    if liveness is None or pod.watched or pod.phase not in (Phase.READY, Phase.UNREADY):
        return pod, ()
    return replace(pod, watched=True), (CheckLife(pod.run, _rest(pod, liveness.delay, now)),)


def life_checked(pod: Pod, ok: bool) -> tuple[Pod, tuple[Effect, ...], bool]:
    """What an answer about its life makes of the pod, and whether it is to be ended for it."""
    liveness = pod.policy.liveness
    if liveness is None or pod.phase not in (Phase.READY, Phase.UNREADY):
        return replace(pod, watched=False), (), False
    pod = replace(pod, lifeless=0 if ok else pod.lifeless + 1)
    if pod.lifeless >= liveness.failures:
        return pod, (), True
    every = liveness.every if ok else min(liveness.every, UNWELL)
    return pod, (CheckLife(pod.run, every),), False
