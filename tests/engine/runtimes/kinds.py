"""What the one suite needs of a runtime: how to make pods of its kind that do what a test is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tests.engine.runtimes.bench import Bench

from quarterdeck.engine.plan.job import Job
from quarterdeck.engine.runtimes.runtime import Runtime


class Life(Protocol):
    """A runtime under test, and the lives that its pods can lead. Each gives the job of a pod that was started."""

    runtime: Runtime

    def serve(self, port: int = 0) -> Job:
        """Listen and print a line with `hello` or `serving` in it."""
        ...

    def exit(self, code: int) -> Job:
        """Print `last words` and end with `code`."""
        ...

    def abort(self) -> Job:
        """Print `about to abort` and crash."""
        ...

    def parent(self) -> Job:
        """Listen, with a child and a daemon that has left the session."""
        ...

    def stuck(self) -> Job:
        """Listen, or say so, and ignore SIGTERM."""
        ...

    def unstartable(self) -> tuple[Job, str]:
        """Something that can't be started, and what the error must name."""
        ...


class ProcessLife:
    """Executors in processes that the keeper forks."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.runtime: Runtime = bench.runtime

    def serve(self, port: int = 0) -> Job:
        return self._bench.start(port=port)

    def exit(self, code: int) -> Job:
        return self._bench.start("Exits", uses_with={"code": code})

    def abort(self) -> Job:
        return self._bench.start("Aborts")

    def parent(self) -> Job:
        return self._bench.start("Parent")

    def stuck(self) -> Job:
        return self._bench.start("Stubborn")

    def unstartable(self) -> tuple[Job, str]:
        return self._bench.start(python="/nowhere/python"), "/nowhere/python"


class CommandLife:
    """Programs that are told their port."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.runtime: Runtime = bench.commands

    def serve(self, port: int = 0) -> Job:
        return self._bench.run(self._bench.program("serve", port=port))

    def exit(self, code: int) -> Job:
        return self._bench.run(self._bench.program("exit", str(code)))

    def abort(self) -> Job:
        return self._bench.run(self._bench.program("abort"))

    def parent(self) -> Job:
        return self._bench.run(self._bench.program("parent"))

    def stuck(self) -> Job:
        return self._bench.run(self._bench.program("stuck"))

    def unstartable(self) -> tuple[Job, str]:
        return self._bench.run(self._bench.command("/nowhere/program")), "/nowhere/program"


class ThreadLife:
    """Executors in threads of one process; each of the suite's pods is alone in its own."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.runtime: Runtime = bench.threads

    def serve(self, port: int = 0) -> Job:
        return self._bench.thread(port=port)

    def exit(self, code: int) -> Job:
        return self._bench.thread("Exits", uses_with={"code": code})

    def abort(self) -> Job:
        return self._bench.thread("Aborts")

    def parent(self) -> Job:
        return self._bench.thread("Parent")

    def stuck(self) -> Job:
        return self._bench.thread("Clings")

    def unstartable(self) -> tuple[Job, str]:
        return self._bench.thread(python="/nowhere/python"), "/nowhere/python"


KINDS: dict[str, Callable[[Bench], Life]] = {
    "process": ProcessLife,
    "command": CommandLife,
    "thread": ThreadLife,
}
"""Every runtime that the suite runs over; a new one adds its own here."""
