"""A pod's life from the job to the exit code: load, serve, tell the port, drain.

Whoever calls has already given the process its environment, folder, session and log.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys

from ..plan.job import THREADS, Job
from .failure import to_log
from .process import exit_now, prepare
from .serve import CantServe, Servant, make, serve


def main(job_fd: int, ready_fd: int) -> int:
    """A pod in an interpreter of its own: reads the job from `job_fd`, then as `run`."""
    with open(job_fd, "rb") as file:
        job = Job.load(file.read())
    return run(job, ready_fd)


def run(job: Job, ready_fd: int) -> int:
    """Serve until SIGTERM; gives the exit code.

    One JSON line goes to `ready_fd` before it is closed: `{"port": N}` once the server listens, else
    `{"error": TEXT}`, with `"port_taken": true` where another holds the port. For a process of threads it is a
    socket, over which that is told its pods.
    """
    if job.role == THREADS:
        from .threads import host

        return host(job, ready_fd)
    prepare()
    try:
        servant = make(job)
        return asyncio.run(_serve(job, servant, ready_fd))
    except CantServe as error:
        if error.cause is not None:
            to_log(error.cause)
        _tell(ready_fd, error.said)
        return 1


def _tell(ready_fd: int, message: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # nobody waits any more
        os.write(ready_fd, json.dumps(message).encode() + b"\n")
    os.close(ready_fd)


async def _serve(job: Job, servant: Servant, ready_fd: int) -> int:
    stop = asyncio.Event()

    def bound(port: int) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _terminate, stop)
        _tell(ready_fd, {"port": port})

    if not await serve(job, servant, bound, stop):
        exit_now(0)
    return 0


def _terminate(stop: asyncio.Event) -> None:
    """The first SIGTERM drains, the second ends."""
    if stop.is_set():
        exit_now(128 + signal.SIGTERM)
    stop.set()


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
