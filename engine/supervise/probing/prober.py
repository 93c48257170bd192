"""The prober: asks pods what their probes ask, when lifecycle says so, and posts what they answer."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import replace

from ...model import PodKey
from ...observe.logs import LogBook
from ...plan.job import Job
from ...runtimes.runtime import Runtime
from ...spec import topology
from ...spec.places import fill
from ...spec.topology import ProbeKind
from ...wire.way import Way
from .. import health
from ..health import Health
from ..jobs import places_of
from ..state import CheckLife, LifeWasChecked, Pod, Probe, Stimulus, WasProbed
from .lines import Scan
from .programs import Ending, Programs
from .sockets import http, tcp

log = logging.getLogger(__name__)


class Prober:
    """Questions that are under way, by the mark of the run that they are about."""

    def __init__(
        self,
        logs: LogBook,
        runtime: Runtime,
        post: Callable[[PodKey, Stimulus], None],
        job_of: Callable[[Pod, str, int], Job],
        way_to: Callable[[Pod], Way],
    ) -> None:
        """`job_of(pod, mark, port)` is the job of a pod's run, whose world programs are run in.

        `way_to(pod)` is how a pod is spoken to.
        """
        self.programs = Programs(runtime)
        self._logs = logs
        self._post = post
        self._job_of = job_of
        self._way_to = way_to
        self._asked: dict[str, set[asyncio.Task[None]]] = {}
        self._scans: dict[tuple[str, str], Scan] = {}

    def ask(self, pod: Pod, effect: Probe | CheckLife, mark: str) -> None:
        """Ask, after the effect's delay, the run that has this mark."""
        task = asyncio.create_task(self._ask(pod, effect, mark), name=f"probe {pod.plan.key}")
        asked = self._asked.setdefault(mark, set())
        asked.add(task)
        task.add_done_callback(asked.discard)

    def forget(self, mark: str) -> None:
        """The run is over: nobody is asked about it any more."""
        for task in self._asked.pop(mark, ()):
            task.cancel()
        for known in [known for known in self._scans if known[0] == mark]:
            del self._scans[known]

    async def close(self) -> None:
        """Ask nobody any more."""
        tasks = [task for asked in self._asked.values() for task in asked]
        for mark in list(self._asked):
            self.forget(mark)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, pod: Pod, effect: Probe | CheckLife, mark: str) -> None:
        if effect.delay:
            await asyncio.sleep(effect.delay)
        if isinstance(effect, Probe):
            found = await self._safely(pod, pod.policy.probe, mark)
            self._post(pod.plan.key, WasProbed(effect.run, found.ok, found.answer))
        elif pod.policy.liveness is not None:
            found = await self._safely(pod, pod.policy.liveness, mark)
            self._post(pod.plan.key, LifeWasChecked(effect.run, found.ok, found.answer))

    async def _safely(self, pod: Pod, probe: topology.Probe, mark: str) -> Health:
        """The answer; a question that can't be put is a wrong one, so that it is put again."""
        try:
            return await self._answer(pod, probe, mark)
        except Exception as error:
            log.exception("a probe of %s", pod.plan.key)
            return Health(False, f"it can't be asked: {error or type(error).__name__}")

    async def _answer(self, pod: Pod, probe: topology.Probe, mark: str) -> Health:
        host, port = pod.plan.host, probe.port or pod.port
        match probe.kind:
            case ProbeKind.LOG:
                return await self._scan(pod, probe.pattern, mark).look()
            case ProbeKind.EXEC:
                return await self._run(pod, probe)
            case _ if port is None:
                return Health(False, "its port is not known yet")
            case ProbeKind.GRPC:
                return await health.check(host, port, probe.timeout, probe.path, self._way_to(pod))
            case ProbeKind.HTTP:
                return await http(host, port, probe.path, probe.timeout, self._way_to(pod).tls)
            case ProbeKind.TCP:
                return await tcp(host, port, probe.timeout)

    def _scan(self, pod: Pod, pattern: str, mark: str) -> Scan:
        known = self._scans.get((mark, pattern))
        if known is None:
            key, run = pod.plan.key, pod.run
            known = self._scans[mark, pattern] = Scan(
                pattern, lambda offset, limit: self._logs.read(key, run, offset, limit)
            )
        return known

    async def _run(self, pod: Pod, probe: topology.Probe) -> Health:
        mark = secrets.token_hex(8)
        job = self._job_of(pod, mark, pod.port or 0)
        places = places_of(pod.plan, pod.port or 0, job.workspace)
        command = tuple(fill(word, places) for word in probe.command)
        # What the pod may use is for the pod alone: a probe must not be ended for the memory that it holds.
        beside = replace(job, command=command, memory=None, cpus=None, files=None, processes=None)
        ending = await self.programs.run(beside, probe.timeout)
        return _judge(os.path.basename(command[0]), pod.plan.name, ending, probe.timeout)


def _judge(name: str, pod: str, ending: Ending, timeout: float) -> Health:
    """By its exit code: `check.sh: exit 2: no weights`."""
    if ending.code == 0:
        return Health(True)
    last = ending.last.removeprefix(f"{pod}: ")
    if ending.late:
        how = f"not done within {timeout:g}s"
    elif ending.code is None:
        how = "could not be run"
    else:
        how = f"exit {ending.code}" if ending.code > 0 else f"killed by signal {-ending.code}"
    return Health(False, f"{name}: {how}" + (f": {last}" if last else ""))
