"""The engine as a daemon: `python -m quarterdeck.engine.api.server SOCKET READY_FD STAYS`.

Owns the socket, the lock that makes it the only one, and the engine's own end. The lock is taken before the
socket is bound and held for life, since a second gRPC server could bind the same path without an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
import time

import grpc.aio

from ..errors import QuarterdeckError
from ..home import Home, find_home
from ..supervise.supervisor import Supervisor
from .client import LARGEST_MESSAGE
from .control_pb2_grpc import add_ControlServicer_to_server
from .servicer import Servicer

IDLE = 60.0
"""Seconds without topology and console after which an engine that `qd up` started ends by itself."""
OPTIONS = (
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
)
log = logging.getLogger("quarterdeck.engine")


def take_lock(home: Home) -> None:
    """Take the lock; the kernel gives it back when this process has ended, which whoever waits for that relies on.

    Raises QuarterdeckError when another engine has it.
    """
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise QuarterdeckError(f"an engine runs at {home.socket} already") from None


async def serve(home: Home, ready_fd: int, stays: bool, idle: float = IDLE) -> None:
    """Run until a signal, Shutdown, or idleness; everything is closed on return."""
    from quarterdeck import __version__

    supervisor = Supervisor(home, __version__, stays, log_fd=2)
    await supervisor.open()
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    servicer = Servicer(supervisor, ending.set)
    servers = [await _listen(home, servicer)]
    log.info("engine %s, pid %d, listens at %s", __version__, os.getpid(), home.socket)
    _tell(ready_fd, "ready")
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


def _tell(ready_fd: int, text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(ready_fd, text.encode())
        os.close(ready_fd)


def main(socket: str, ready_fd: int, stays: bool) -> int:
    os.umask(0o077)
    home = find_home({}, socket)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    idle = float(os.environ.get("QUARTERDECK_IDLE", IDLE))
    try:
        home.prepare()
        take_lock(home)
    except QuarterdeckError as error:
        _tell(ready_fd, str(error))
        return error.exit_code
    try:
        asyncio.run(serve(home, ready_fd, stays, idle))
    except QuarterdeckError as error:
        log.error("%s", error)
        _tell(ready_fd, str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "stays"))
