"""A pod's life from the job to the exit code: load, serve, tell the port, drain.

Whoever calls has already given the process its environment, folder, session and log.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import json
import logging
import os
import signal
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING

from ..plan.job import Job
from ..wire.way import WayError, server_credentials
from .failure import to_log
from .load import LoadError, load, reason
from .router import Router
from .server import PortError, Server
from .worker import Worker

if TYPE_CHECKING:
    import grpc

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main(job_fd: int, ready_fd: int) -> int:
    """A pod in an interpreter of its own: reads the job from `job_fd`, then as `run`."""
    with open(job_fd, "rb") as file:
        job = Job.load(file.read())
    return run(job, ready_fd)


def run(job: Job, ready_fd: int) -> int:
    """Serve until SIGTERM; gives the exit code.

    One JSON line goes to `ready_fd` before it is closed: `{"port": N}` once the server listens, else
    `{"error": TEXT}`, with `"port_taken": true` where another holds the port.
    """
    _prepare()
    try:
        servant = Worker(load(job), job.name) if job.role == "worker" else Router(job.name, bool(job.token))
    except BaseException as error:
        if not isinstance(error, LoadError):
            to_log(error)
        _tell(ready_fd, {"error": f"{job.name}: {reason(error)}"})
        return 1
    return asyncio.run(_serve(job, servant, ready_fd))


def _prepare() -> None:
    """What every pod wants of its process: whole lines in the log, a trace of a crash, users' log records."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    faulthandler.enable()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a ^C in a terminal is not for pods
    if not logging.getLogger().handlers:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=LOG_FORMAT)


def _tell(ready_fd: int, message: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # nobody waits any more
        os.write(ready_fd, json.dumps(message).encode() + b"\n")
    os.close(ready_fd)


async def _serve(job: Job, servant: Worker | Router, ready_fd: int) -> int:
    from quarterdeck import __version__

    more = servant.methods() if isinstance(servant, Router) else None
    server = Server(servant, __version__, more, job.token, job.server_options.items())
    try:
        port = await server.start(job.host, job.port, _credentials(job))
    except WayError as error:
        _tell(ready_fd, {"error": f"{job.name}: TLS: {error}"})
        return 1
    except PortError as error:
        message: dict[str, object] = {"error": f"{job.name}: {error}"}
        _tell(ready_fd, message | ({"port_taken": True} if error.taken else {}))
        return 1
    loop, term = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, _terminate, term)
    _tell(ready_fd, {"port": port})
    await term.wait()
    await server.drain(job.grace)
    if not await servant.close():
        _exit_now(0)
    return 0


def _credentials(job: Job) -> grpc.ServerCredentials | None:
    """What it shows of itself under TLS; None where there is none. Raises `WayError`."""
    if not (job.ssl_certfile and job.ssl_keyfile):
        return None
    return server_credentials(job.ssl_certfile, job.ssl_keyfile)


def _terminate(term: asyncio.Event) -> None:
    """The first SIGTERM drains, the second ends."""
    if term.is_set():
        _exit_now(128 + signal.SIGTERM)
    term.set()


def _exit_now(code: int) -> None:
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2])))
