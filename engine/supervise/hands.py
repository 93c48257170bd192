"""Hands: carries out the effects of pods' lives, and turns what runtimes report into stimuli. Decides nothing."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping

from ..control import World
from ..errors import PortTaken, TargetError, UsageError
from ..home import Home
from ..model import Level, PodKey, Role
from ..model import Runtime as Kind
from ..observe.logs import LogBook
from ..plan.job import Job
from ..plan.pods import PodPlan
from ..runtimes.runtime import (
    Bound,
    Broken,
    Exited,
    Fact,
    Lost,
    Refused,
    Runtime,
    Started,
    TellsPort,
)
from ..wire.way import Way
from .jobs import job_for, workspace_of
from .ports import with_holder
from .probing.prober import Prober
from .restart import ending
from .state import (
    CheckLife,
    Effect,
    End,
    HasBound,
    HasExited,
    HasStarted,
    IsBroken,
    Pod,
    Probe,
    Signal,
    Spawn,
    Stimulus,
    Tell,
    Withdraw,
)
from .world import Running

TAIL_LINES = 40
LIMITS = ("memory", "cpus", "files", "processes")
FATAL = "Fatal Python error: "
"""How faulthandler begins; what it says after that are places, not reasons."""


def last_words(lines: tuple[str, ...], code: int | None) -> str:
    """The line of a log's end that says why the pod ended, if one does.

    faulthandler's first line after a crash; the last line of a program that gave up by itself. What a pod was
    saying when a signal ended it is no cause.
    """
    fatal = next((line for line in reversed(lines) if line.startswith(FATAL)), "")
    gave_up = code is not None and code > 0 and bool(lines)
    return fatal or (lines[-1] if gave_up else "")


class Hands:
    """Joins the machine with the runtimes, the logs and the health calls."""

    def __init__(
        self,
        home: Home,
        logs: LogBook,
        runtimes: Mapping[Kind, Runtime],
        post: Callable[[PodKey, Stimulus], None],
        running: Callable[[str], Running],
        tell: Callable[[Pod, Level, str], None],
        withdraw: Callable[[Pod], None],
        lost: Callable[[str], None],
    ) -> None:
        self._home = home
        self._logs = logs
        self._runtimes = runtimes
        self._post = post
        self._running = running
        self._tell = tell
        self._withdraw = withdraw
        self._lost = lost
        self._runs: dict[str, tuple[PodKey, int]] = {}
        """By mark: which run of which pod it is."""
        self._kept: set[str] = set()
        """Runs that end with the keeper."""
        self._marks: dict[PodKey, str] = {}
        self._jobs: dict[str, Job] = {}
        """By mark, what runs was started with: what the plan says now may be for the next run."""
        self._prober = Prober(logs, runtimes[Kind.PROCESS], post, self._job_of, self._way_to)

    # -- effects

    def perform(self, pod: Pod, effect: Effect, now: float) -> None:
        """Carry out one effect."""
        match effect:
            case Spawn(run, port, fresh):
                self._spawn(pod, run, port, fresh, now)
            case Probe() | CheckLife():
                self._probe(pod, effect)
            case Withdraw():
                self._withdraw(pod)
            case Signal(_, number):
                self._runtimes[pod.plan.runtime].signal(self._marks.get(pod.plan.key, ""), number)
            case End():
                self._runtimes[pod.plan.runtime].end(self._marks.get(pod.plan.key, ""))
            case Tell(level, text):
                self._tell(pod, level, text)
            case _:
                raise AssertionError(f"{effect} is the machine's")

    def _spawn(self, pod: Pod, run: int, port: int, fresh: bool, now: float) -> None:
        key = pod.plan.key
        mark = secrets.token_hex(8)
        self._runs[mark] = key, run
        self._marks[key] = mark
        runtime = self._runtimes[pod.plan.runtime]
        if runtime.caps.kept:
            self._kept.add(mark)
        try:
            if pod.plan.role is Role.WORKER:
                os.makedirs(workspace_of(pod.plan, self._home), exist_ok=True)
            log = self._logs.open_run(key, run, now)
            if isinstance(runtime, TellsPort):
                port = runtime.hold(mark, pod.plan.host, port, pod.plan.port is None)
        except OSError as error:
            self.report(Refused(mark, f"{error.filename}: {error.strerror}"))
            return
        except PortTaken as error:
            self.report(Refused(mark, str(error)))
            return
        job = self._jobs[mark] = self._job_of(pod, mark, port)
        if run == pod.first_run + 1:
            self._tell_limits(pod, job)
        runtime.start(job, log, fresh)

    def _tell_limits(self, pod: Pod, job: Job) -> None:
        """Say which of the limits that a pod was given can't be held here."""
        cannot = self.cannot(pod.plan)
        for name in LIMITS:
            if getattr(job, name) is not None and name in cannot:
                self._tell(pod, Level.WARN, f"limits.{name} is not held: {cannot[name]}")

    def cannot(self, plan: PodPlan) -> Mapping[str, str]:
        """What can't be done to a pod or for it, with the reason; see `Caps.cannot`."""
        return self._runtimes[plan.runtime].caps.cannot

    def require(self, plan: PodPlan, verb: str) -> None:
        """Raise UsageError, with the reason, where the pod's runtime can't do that to it."""
        reason = self.cannot(plan).get(verb)
        if reason is not None:
            raise UsageError(f"can't {verb} {plan.key}: {reason}")

    def _probe(self, pod: Pod, effect: Probe | CheckLife) -> None:
        mark = self._marks.get(pod.plan.key, "")
        if self._runs.get(mark) == (pod.plan.key, effect.run):
            self._prober.ask(pod, effect, mark)

    def _job_of(self, pod: Pod, mark: str, port: int) -> Job:
        """The job of a run; in the same world a program can run beside it."""
        running = self._running(pod.plan.key.topology)
        spec, door = running.specs.get(pod.plan.deployment), running.plan.topology.gateway
        return job_for(pod.plan, spec, running.caller_of(pod.plan.key), self._home, mark, port, door)

    def pod_of(self, mark: str) -> PodKey | None:
        """The pod whose run has this mark, while it lasts; may be asked from any thread."""
        known = self._runs.get(mark)
        return None if known is None else known[0]

    def world_of(self, pod: Pod) -> World:
        """What a program needs to run beside a pod. Raises TargetError where it runs elsewhere."""
        key = pod.plan.key
        reason = self.cannot(pod.plan).get("exec")
        if reason is not None:
            raise TargetError(f"{key}: {reason}", "it has no environment here")
        mark = self._marks.get(key, "")
        job = self._jobs.get(mark) or self._job_of(pod, mark, pod.port or 0)
        return World(job.env, job.cwd, job.umask, job.workspace)

    def _way_to(self, pod: Pod) -> Way:
        return self._running(pod.plan.key.topology).way_to(pod.plan)

    # -- facts

    def report(self, fact: Fact) -> None:
        """Take a fact from the runtime."""
        if isinstance(fact, Lost):
            self._all_lost(fact.error)
            return
        if self._prober.programs.take(fact):
            return
        known = self._runs.get(fact.id)
        if known is None:
            return
        key, run = known
        match fact:
            case Started(_, pid):
                self._post(key, HasStarted(run, pid))
            case Bound(_, port):
                self._post(key, HasBound(run, port))
            case Broken(_, error, port_taken):
                said = with_holder(error) if port_taken else error
                self._post(key, IsBroken(run, said, port_taken))
            case Refused(mark, error):
                self._post(key, IsBroken(run, error))
                self._over(mark, key, run, None)
            case Exited(mark, code, cause):
                self._over(mark, key, run, code, cause)

    def _over(self, mark: str, key: PodKey, run: int, code: int | None, cause: str = "") -> None:
        del self._runs[mark]
        self._jobs.pop(mark, None)
        self._kept.discard(mark)
        self._prober.forget(mark)
        now = time.time()
        started = self._logs.started_at(key, run)
        how = ending(code, None if started is None else now - started)
        self._logs.close_run(key, run, now, f"{how}: {cause}" if cause else how)
        tail = last_words(self._logs.tail(key, run, TAIL_LINES), code)
        self._post(key, HasExited(run, code, tail, cause))

    def _all_lost(self, error: str) -> None:
        self._prober.programs.lost(error)
        for mark in list(self._kept):
            key, run = self._runs[mark]
            self._post(key, IsBroken(run, error))
            self._over(mark, key, run, None)
        self._lost(error)

    async def close(self) -> None:
        await self._prober.close()
