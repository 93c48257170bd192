"""Hands: carries out the effects of pods' lives, and turns what runtimes report into stimuli. Decides nothing."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Mapping

from ..home import Home
from ..model import Level, PodKey
from ..model import Runtime as Kind
from ..observe.logs import LogBook
from ..runtimes.runtime import Bound, Broken, Exited, Fact, Lost, Refused, Runtime, Started
from . import health
from .jobs import job_for
from .restart import ending
from .state import (
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
    WasProbed,
    Withdraw,
)
from .world import Running

TAIL_LINES = 40
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
        self._marks: dict[PodKey, str] = {}
        self._probes: set[asyncio.Task[None]] = set()

    # -- effects

    def perform(self, pod: Pod, effect: Effect, now: float) -> None:
        """Carry out one effect."""
        match effect:
            case Spawn(run, port, fresh):
                self._spawn(pod, run, port, fresh, now)
            case Probe(run, delay):
                task = asyncio.create_task(self._probe(pod, run, delay), name=f"probe {pod.plan.key}")
                self._probes.add(task)
                task.add_done_callback(self._probes.discard)
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
        topology = self._running(key.topology)
        mark = secrets.token_hex(8)
        self._runs[mark] = key, run
        self._marks[key] = mark
        job = job_for(
            pod.plan, topology.specs.get(pod.plan.deployment), topology.caller, self._home, mark, port
        )
        try:
            if job.workspace:
                os.makedirs(job.workspace, exist_ok=True)
            log = self._logs.open_run(key, run, now)
        except OSError as error:
            self.report(Refused(mark, f"{error.filename}: {error.strerror}"))
            return
        self._runtimes[pod.plan.runtime].start(job, log, fresh)

    async def _probe(self, pod: Pod, run: int, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        if pod.port is not None and self._runs.get(self._marks.get(pod.plan.key, "")) == (pod.plan.key, run):
            found = await health.check(pod.plan.host, pod.port)
            self._post(pod.plan.key, WasProbed(run, found.ok, found.answer))

    # -- facts

    def report(self, fact: Fact) -> None:
        """Take a fact from the runtime."""
        if isinstance(fact, Lost):
            self._all_lost(fact.error)
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
                self._post(key, IsBroken(run, error, port_taken))
            case Refused(mark, error):
                self._post(key, IsBroken(run, error))
                self._over(mark, key, run, None)
            case Exited(mark, code):
                self._over(mark, key, run, code)

    def _over(self, mark: str, key: PodKey, run: int, code: int | None) -> None:
        del self._runs[mark]
        now = time.time()
        started = self._logs.started_at(key, run)
        self._logs.close_run(key, run, now, ending(code, None if started is None else now - started))
        tail = last_words(self._logs.tail(key, run, TAIL_LINES), code)
        self._post(key, HasExited(run, code, tail))

    def _all_lost(self, error: str) -> None:
        for mark, (key, run) in list(self._runs.items()):
            self._post(key, IsBroken(run, error))
            self._over(mark, key, run, None)
        self._lost(error)

    async def close(self) -> None:
        for task in list(self._probes):
            task.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)
