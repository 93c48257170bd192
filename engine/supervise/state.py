"""What the supervisor knows of one pod, what can happen to it, and what is to be done: frozen data only.

`lifecycle.step(pod, stimulus, now) -> (pod, effects)` is the only thing that joins them. Stimuli that speak
of a run carry its number; those of a run that is over are ignored. Times are `time.time()` seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from ..model import Level, Phase
from ..plan.pods import PodPlan
from ..spec import topology
from ..spec.topology import Restart


class Timer(StrEnum):
    """What a pod may wait for; at most one of each."""

    READY = "ready"
    """The start has taken too long."""
    RETRY = "retry"
    """Backoff is over."""
    STABLE = "stable"
    """The run has lived long enough for the backoff to begin anew."""
    WITHDRAW = "withdraw"
    """Routers have had their time to take the pod out of their tables."""
    GRACE = "grace"
    """Requests in flight have had theirs."""


class Hold(StrEnum):
    """Why a pod is not to run."""

    STOP = "stop"
    """Somebody asked."""
    LAUNCH = "launch"
    """Another pod of the deployment did not start."""
    REMOVE = "remove"
    """The topology is going down."""


EXTERNAL_EVERY = 2.0
"""Seconds between looks at a pod that somebody else runs, unless its probe says otherwise."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the deployment says of its pods' lives."""

    restart: Restart = Restart.ON_FAILURE
    timeout_ready: float | None = 600.0
    grace: float = 10.0
    probe: topology.Probe = topology.Probe()  # noqa: RUF009 -- frozen
    """What tells whether it is ready."""
    liveness: topology.Probe | None = None
    """What tells whether it is to be ended and started again."""

    @classmethod
    def of(cls, spec: topology.DeploymentSpec, worker: bool) -> Policy:
        """The policy of a deployment's worker, or of the head and what stands beside it.

        Those are servers of ours; the deployment's probes are for what the user serves. Nobody ends what
        somebody else runs.
        """
        life = cls(spec.restart, spec.timeout_ready, spec.grace)
        if not worker:
            return life
        kind = topology.ProbeKind.TCP if spec.protocol == "http" else topology.ProbeKind.GRPC
        if spec.external:
            # Nothing else tells that somebody else's pod has gone, so it is asked more often than ours.
            probe = spec.probe or topology.Probe(kind, every=EXTERNAL_EVERY)
            return replace(life, restart=Restart.NO, timeout_ready=None, probe=probe)
        return replace(life, probe=spec.probe or topology.Probe(kind), liveness=spec.liveness)


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod: its plan, and where its life stands."""

    plan: PodPlan
    policy: Policy
    phase: Phase = Phase.PENDING
    reason: str = ""
    since: float = 0.0
    run: int = 0
    """Number of the present or last run."""
    first_run: int = 0
    """Where the numbers began: runs of earlier engines have logs too."""
    pid: int | None = None
    port: int | None = None
    """Once bound it is kept over restarts."""
    launched: bool = False
    """Whether its whole deployment has been ready once; before, nothing is retried."""
    attempts: int = 0
    """Starts in a row that a failure made necessary; grows the backoff."""
    restarts: int = 0
    exit_code: int | None = None
    started_at: float | None = None
    ready_at: float | None = None
    next_try_at: float | None = None
    terminated: bool = False
    """Whether this run was told to end; it is told once."""
    again: bool = False
    """Start again as soon as it has stopped."""
    hold: Hold | None = None
    fault: str = ""
    """What this run said, or what we know, of why it can't go on; its exit follows."""
    fresh: bool = False
    """Start in an interpreter of its own: a fork of it crashed."""
    free_port: bool = False
    """A stranger has its port: the next run binds another."""
    grace: float | None = None
    """Seconds for requests in flight that whoever ended this run asked for."""
    replan: Replan | None = None
    """What its next run goes by, where that differs."""
    wrong: int = 0
    """Wrong answers in a row to the probe for readiness."""
    lifeless: int = 0
    """Wrong answers in a row to the probe for liveness."""
    watched: bool = False
    """Whether a question about its life is under way, or about to be asked."""
    doomed: bool = False
    """Its liveness ended this run: the restart policy says what comes next."""

    def enter(self, phase: Phase, now: float, reason: str = "") -> Pod:
        """The pod in another phase."""
        return replace(self, phase=phase, since=now, reason=reason)

    @property
    def patience(self) -> float:
        """Seconds that requests in flight get after SIGTERM."""
        return self.policy.grace if self.grace is None else self.grace


# -- what can happen


@dataclass(frozen=True, slots=True)
class Begin:
    """Somebody wants it to run."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Somebody wants it to stop."""

    hold: Hold = Hold.STOP
    why: str = ""
    grace: float | None = None
    """Seconds for requests in flight, where they differ from the policy's."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Somebody wants it restarted."""


@dataclass(frozen=True, slots=True)
class Replan:
    """Its deployment is another from now on: the policy at once, the plan from its next run on."""

    plan: PodPlan
    policy: Policy
    later: bool = False
    """The policy from its next run on too: it is that run's."""


@dataclass(frozen=True, slots=True)
class SendSignal:
    """Somebody wants its process to get a signal."""

    number: int


@dataclass(frozen=True, slots=True)
class Launched:
    """All of its deployment has been ready."""


@dataclass(frozen=True, slots=True)
class HasStarted:
    run: int
    pid: int


@dataclass(frozen=True, slots=True)
class HasBound:
    run: int
    port: int


@dataclass(frozen=True, slots=True)
class IsBroken:
    """It, or its runtime, says why it can't serve."""

    run: int
    error: str
    port_taken: bool = False


@dataclass(frozen=True, slots=True)
class Await:
    """It is not to start yet; `why` says for what it waits."""

    why: str


@dataclass(frozen=True, slots=True)
class WasProbed:
    run: int
    ok: bool
    answer: str = ""


@dataclass(frozen=True, slots=True)
class LifeWasChecked:
    """What its probe for liveness says."""

    run: int
    ok: bool
    answer: str = ""


@dataclass(frozen=True, slots=True)
class WasWithdrawn:
    """No router sends to it any more."""

    run: int


@dataclass(frozen=True, slots=True)
class HasExited:
    """The run is over, with all it had started. `code` is None when that could not be known."""

    run: int
    code: int | None
    tail: str = ""
    """Last line of its log that says something."""
    cause: str = ""
    """What ended it, where somebody else knows: the kernel's out-of-memory kill, say."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    run: int
    timer: Timer


Stimulus = (
    Begin
    | Halt
    | Renew
    | Replan
    | SendSignal
    | Launched
    | Await
    | HasStarted
    | HasBound
    | IsBroken
    | WasProbed
    | LifeWasChecked
    | WasWithdrawn
    | HasExited
    | TimerFired
)

# -- what is to be done


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start run `run`; port 0 binds a free one."""

    run: int
    port: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask whether it is ready after `delay` seconds, and tell."""

    run: int
    delay: float


@dataclass(frozen=True, slots=True)
class CheckLife:
    """Ask whether it lives after `delay` seconds, and tell."""

    run: int
    delay: float


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take it out of all routers' tables, and tell."""

    run: int


@dataclass(frozen=True, slots=True)
class Signal:
    run: int
    number: int


@dataclass(frozen=True, slots=True)
class End:
    """End it and all that it started, now."""

    run: int


@dataclass(frozen=True, slots=True)
class SetTimer:
    run: int
    timer: Timer
    at: float


@dataclass(frozen=True, slots=True)
class ClearTimers:
    """Forget every timer of the pod."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Something to be read in Events."""

    level: Level
    text: str


Effect = Spawn | Probe | CheckLife | Withdraw | Signal | End | SetTimer | ClearTimers | Tell
