"""Starts pods through a runtime and collects the facts that it reports."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.fakes import executors_for_engines, program
from tests.fakes.homes import DEADLINE

from quarterdeck.engine.home import ENGINE_MARK, Home
from quarterdeck.engine.keeper.processes import MARK
from quarterdeck.engine.plan.job import Job
from quarterdeck.engine.runtimes.command import CommandRuntime
from quarterdeck.engine.runtimes.process import ProcessRuntime
from quarterdeck.engine.runtimes.runtime import Exited, Fact, Lost, Started
from quarterdeck.engine.runtimes.thread import ThreadRuntime

FILE = executors_for_engines.__file__
PROGRAM = program.__file__
F = TypeVar("F", bound=Fact)


class Bench:
    """One runtime, its pods, and what was said of each."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home = home
        self.folder = folder
        self.runtime = ProcessRuntime(home, self._report)
        self.commands = CommandRuntime(self.runtime, self._report)
        self.threads = ThreadRuntime(self.runtime, self._report)
        self.facts: defaultdict[str, list[Fact]] = defaultdict(list)
        self._news = asyncio.Event()

    def _report(self, fact: Fact) -> None:
        self.facts["" if isinstance(fact, Lost) else fact.id].append(fact)
        self._news.set()

    def job(self, executor: str | None = "Fine", **more: Any) -> Job:
        """A job for one of the executors; `env` is added to this process's."""
        mark = secrets.token_hex(8)
        env = {**os.environ, **more.pop("env", {}), MARK: mark, ENGINE_MARK: self.home.mark}
        uses = None if executor is None else f"{FILE}:{executor}"
        names = {"topology": "top", "name": "index/rep-0", "deployment": "index", "role": "worker"}
        given = {"host": "127.0.0.1", "port": 0, "uses": uses, "cwd": str(self.folder), "env": env, **more}
        return Job(mark, **{**names, **given})

    def log(self, job: Job) -> Path:
        return self.folder / f"{job.mark}.log"

    def start(self, executor: str | None = "Fine", fresh: bool = False, **more: Any) -> Job:
        job = self.job(executor, **more)
        self.runtime.start(job, str(self.log(job)), fresh)
        return job

    def thread(self, executor: str | None = "Fine", fresh: bool = False, **more: Any) -> Job:
        """Start an executor in a thread of its deployment's process."""
        job = self.job(executor, **more)
        self.threads.start(job, str(self.log(job)), fresh)
        return job

    def command(self, *words: str, port: int = 0, ours: bool = True, **more: Any) -> Job:
        """The job of a program; `{port}` among its words is the one that is held for it."""
        job = self.job(None, **more)
        held = self.commands.hold(job.mark, job.host, port, ours)
        return replace(job, port=held, command=tuple(word.replace("{port}", str(held)) for word in words))

    def program(self, what: str, *words: str, **more: Any) -> Job:
        """The job of `tests/fakes/program.py`."""
        return self.command(sys.executable, "-S", PROGRAM, what, "{port}", *words, **more)

    def run(self, job: Job) -> Job:
        """Start a program's job."""
        self.commands.start(job, str(self.log(job)))
        return job

    async def fact(self, job: Job | None, kind: type[F]) -> F:
        """The first fact of a kind about a job, or about the runtime itself; waits for it."""
        name = "" if job is None else job.mark
        async with asyncio.timeout(DEADLINE):
            while True:
                found = [fact for fact in self.facts[name] if isinstance(fact, kind)]
                if found:
                    return found[0]
                if any(isinstance(fact, Exited) for fact in self.facts[name]):
                    text = self.log(job).read_text() if job is not None else ""
                    pytest.fail(f"no {kind.__name__} but {self.facts[name]}; log: {text}")
                self._news.clear()
                await self._news.wait()

    async def pid(self, job: Job) -> int:
        return (await self.fact(job, Started)).pid
