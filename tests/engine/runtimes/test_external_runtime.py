"""Pods that somebody else runs: where they are is told, nothing is started, and an end is at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.runtimes.bench import Bench
from tests.fakes.homes import ours

from quarterdeck.engine.plan.job import Job
from quarterdeck.engine.runtimes.external import ExternalRuntime
from quarterdeck.engine.runtimes.runtime import Bound, Exited, Refused, Started


@pytest.fixture
def external(bench: Bench) -> ExternalRuntime:
    return ExternalRuntime(bench._report)


def elsewhere(bench: Bench, external: ExternalRuntime) -> Job:
    job = bench.job(None, host="192.0.2.7", port=9000)
    external.start(job, str(bench.log(job)))
    return job


async def test_it_is_where_its_plan_says_and_no_process_is_started(
    bench: Bench, external: ExternalRuntime
) -> None:
    job = elsewhere(bench, external)
    assert await bench.fact(job, Bound) == Bound(job.mark, 9000)
    assert not any(isinstance(fact, Started) for fact in bench.facts[job.mark])
    assert [process.pid for process in ours(bench.home)] == [bench.runtime.keeper_pid]


async def test_its_log_has_one_line_that_says_where_it_is(bench: Bench, external: ExternalRuntime) -> None:
    job = elsewhere(bench, external)
    (line,) = bench.log(job).read_text().splitlines()
    assert line.startswith("external: ")
    assert "192.0.2.7:9000" in line
    assert bench.log(job).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("how", ["signal", "end"])
async def test_it_is_forgotten_at_once_and_once(bench: Bench, external: ExternalRuntime, how: str) -> None:
    job = elsewhere(bench, external)
    for _ in range(2):
        if how == "signal":
            external.signal(job.mark, 15)
        else:
            external.end(job.mark)
    assert await bench.fact(job, Exited) == Exited(job.mark, 0)
    other = elsewhere(bench, external)
    await bench.fact(other, Bound)
    assert len([fact for fact in bench.facts[job.mark] if isinstance(fact, Exited)]) == 1


async def test_a_log_that_can_not_be_written_is_named(
    bench: Bench, external: ExternalRuntime, tmp_path: Path
) -> None:
    job = replace(bench.job(None), host="192.0.2.7", port=9000)
    external.start(job, str(tmp_path / "no" / "log"))
    assert "no/log: No such file or directory" in (await bench.fact(job, Refused)).error


async def test_what_can_not_be_done_says_why(external: ExternalRuntime) -> None:
    for verb in ("start", "stop", "restart", "kill"):
        assert external.caps.cannot[verb] == "somebody else runs it"
    assert not external.caps.kept
