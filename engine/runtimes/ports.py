"""TCP ports of this host: whether one is free, who holds it, and which to give a program that must be told its own."""

from __future__ import annotations

import errno
import os
import secrets
import socket
from collections.abc import Collection

from ..errors import PortTaken

FIRST = 10_000
EPHEMERAL = "/proc/sys/net/ipv4/ip_local_port_range"
TRIES = 100


def _bound(host: str, port: int, shared: bool = True) -> socket.socket:
    """A socket bound to the port that doesn't listen; `shared` lets what will listen bind it too."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(shared))
        held.bind(address)
    except OSError:
        held.close()
        raise
    return held


def is_free(host: str, port: int) -> bool:
    """Whether a server could bind the port now."""
    try:
        _bound(host, port).close()
    except OSError as error:
        return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True


def holder(port: int) -> str:
    """Who listens on a TCP port: `pid 4812 (python serve.py)`, or as much of that as we may know."""
    import psutil

    try:
        found = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return "another user's process"
    for connection in found:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            if connection.pid is None:
                return "another user's process"
            try:
                command = " ".join(psutil.Process(connection.pid).cmdline()) or "no command line"
            except psutil.Error:
                return f"pid {connection.pid}"
            return f"pid {connection.pid} ({command[:80]})"
    return "a process that can't be seen" if os.getuid() else "no listener that can be seen"


def hold(host: str, port: int) -> socket.socket:
    """Hold one port for a program; whoever sets SO_REUSEADDR can bind it meanwhile. Raises `PortTaken`."""
    try:
        return _bound(host, port)
    except OSError as error:
        raise _why_not(host, port, error) from None


def hold_free(host: str, but: Collection[int]) -> socket.socket:
    """Hold a free port that is none of `but`. Raises `PortTaken` where the host has none.

    It lies below the ports that the kernel gives to connections and to whoever binds port 0: between our letting
    go and the program's binding it may load for a minute, and only somebody who names the port could take it.
    """
    last = _first_ephemeral() - 1
    for _ in range(TRIES if last > FIRST else 0):
        port = FIRST + secrets.randbelow(last - FIRST + 1)
        if port in but:
            continue
        try:
            _bound(host, port, shared=False).close()
            return _bound(host, port)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise _why_not(host, 0, error) from None
    return hold(host, 0)


def _first_ephemeral() -> int:
    try:
        with open(EPHEMERAL) as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _why_not(host: str, port: int, error: OSError) -> PortTaken:
    if error.errno == errno.EADDRINUSE:
        message = f"port {port} is taken by {holder(port)}"
        return PortTaken(message, "stop that, or name another port, or none")
    if error.errno == errno.EACCES:
        return PortTaken(f"port {port} needs root", "name a port from 1024 up, or none")
    where = f"port {port} of {host}" if port else f"host {host}"
    return PortTaken(f"{where} can't be bound: {error.strerror or error}", "name an address of this host")
