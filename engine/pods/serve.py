"""Serving one pod: a server from the job to the last request. Knows no process, signal or pipe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..plan.job import Job
from ..wire.way import WayError, server_credentials
from .load import LoadError, load, reason
from .router import Router
from .server import PortError, Server
from .worker import Worker

if TYPE_CHECKING:
    import grpc

Servant = Worker | Router


class CantServe(Exception):
    """The pod can't serve; the text is for a person, and begins with the pod's name."""

    def __init__(self, message: str, port_taken: bool = False, cause: BaseException | None = None) -> None:
        """`cause` is what the user's code raised: its traceback belongs in the log."""
        super().__init__(message)
        self.port_taken = port_taken
        self.cause = cause

    @property
    def said(self) -> dict[str, object]:
        """What the engine is told."""
        return {"error": str(self)} | ({"port_taken": True} if self.port_taken else {})


def at_fault(job: Job, error: BaseException) -> CantServe:
    """What loading the user's code raised, in words."""
    cause = None if isinstance(error, LoadError) else error
    return CantServe(f"{job.name}: {reason(error)}", cause=cause)


def make(job: Job) -> Servant:
    """What answers the job's requests; raises `CantServe`."""
    try:
        return Worker(load(job), job.name) if job.role == "worker" else Router(job.name, bool(job.token))
    except BaseException as error:
        raise at_fault(job, error) from None


async def serve(job: Job, servant: Servant, bound: Callable[[int], None], stop: asyncio.Event) -> bool:
    """Listen, tell the port to `bound`, serve until `stop` is set, drain and close; raises `CantServe`.

    False where something of the servant can't be ended.
    """
    from quarterdeck import __version__

    more = servant.methods() if isinstance(servant, Router) else None
    server = Server(servant, __version__, more, job.token, job.server_options.items())
    try:
        port = await server.start(job.host, job.port, _credentials(job))
    except WayError as error:
        raise CantServe(f"{job.name}: TLS: {error}") from None
    except PortError as error:
        raise CantServe(f"{job.name}: {error}", error.taken) from None
    bound(port)
    await stop.wait()
    await server.drain(job.grace)
    return await servant.close()


def _credentials(job: Job) -> grpc.ServerCredentials | None:
    """What it shows of itself under TLS; None where there is none. Raises `WayError`."""
    if not (job.ssl_certfile and job.ssl_keyfile):
        return None
    return server_credentials(job.ssl_certfile, job.ssl_keyfile)
