"""Who holds a port: looked at before planned ports are bound, so that the error can name the holder."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable

from ..errors import PortTaken
from ..plan.pods import PodPlan


def is_free(host: str, port: int) -> bool:
    """Whether a server could bind the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
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


def check_planned(pods: Iterable[PodPlan]) -> None:
    """Raise PortTaken for the first pod whose planned port can't be bound."""
    for pod in pods:
        if pod.port is not None and not is_free(pod.host, pod.port):
            if pod.port < 1024 and os.getuid():
                raise PortTaken(f"{pod.key}: port {pod.port} needs root", "name a port from 1024 up, or none")
            raise PortTaken(
                f"{pod.key}: port {pod.port} is taken by {holder(pod.port)}",
                "stop that, or name another port, or none",
            )
