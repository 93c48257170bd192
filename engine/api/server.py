"""The engine's server: Control on its socket until a signal, Shutdown or idleness. Owns the socket and the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable

import grpc.aio

from ..errors import QuarterdeckError
from ..home import Home
from ..supervise.supervisor import Supervisor
from .client import LARGEST_MESSAGE
from .control_pb2_grpc import add_ControlServicer_to_server
from .servicer import Servicer

OPTIONS = (
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
)
log = logging.getLogger("quarterdeck.engine")


async def serve(
    home: Home, listening: Callable[[], None], stays: bool, keeper: subprocess.Popen[bytes], idle: float
) -> None:
    """Run until a signal, Shutdown, or `idle` seconds without topology and console; all is closed on return."""
    from quarterdeck import __version__

    supervisor = Supervisor(home, __version__, stays, log_fd=2, keeper=keeper)
    await supervisor.open()
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    servicer = Servicer(supervisor, ending.set)
    servers = [await _listen(home, servicer)]
    log.info("engine %s, pid %d, listens at %s", __version__, os.getpid(), home.socket)
    listening()
    try:
        watch = asyncio.create_task(_guard(supervisor, servicer, servers, home, stays, idle, ending))
        await ending.wait()
        watch.cancel()
    finally:
        log.info("ending")
        await supervisor.close()
        await asyncio.gather(*(server.stop(1.0) for server in servers))
        with contextlib.suppress(FileNotFoundError):
            home.socket.unlink()


async def _listen(home: Home, servicer: Servicer) -> grpc.aio.Server:
    """A server at the home's socket, which is for nobody else."""
    server = grpc.aio.server(options=OPTIONS)
    add_ControlServicer_to_server(servicer, server)  # type: ignore[no-untyped-call,unused-ignore]
    with contextlib.suppress(FileNotFoundError):
        home.socket.unlink()
    server.add_insecure_port(f"unix:{home.socket}")
    await server.start()
    os.chmod(home.socket, 0o600)
    return server


async def _guard(
    supervisor: Supervisor,
    servicer: Servicer,
    servers: list[grpc.aio.Server],
    home: Home,
    stays: bool,
    idle: float,
    ending: asyncio.Event,
) -> None:
    """End when idle; put the socket back when somebody (logind, a cleaner of /tmp) removed it."""
    busy_at = time.monotonic()
    while True:
        await asyncio.sleep(min(5.0, idle / 4))
        if supervisor.broadcast.fleet.topologies or servicer.streams or stays:
            busy_at = time.monotonic()
        if time.monotonic() - busy_at >= idle:
            log.info("nothing runs and nobody watches")
            ending.set()
            return
        if not home.socket.exists():
            log.warning("%s was removed; listening there again", home.socket)
            # A port added to a server that runs takes connections and answers none, so it is another server;
            # the first goes on for those that it has.
            try:
                home.prepare()
                servers.append(await _listen(home, servicer))
            except (OSError, RuntimeError, QuarterdeckError) as error:
                log.error("%s: %s", home.socket, error)
