"""What engine and keeper say to each other: one JSON object a packet on a SOCK_SEQPACKET socket.

| engine says | with | means |
| --- | --- | --- |
| `start` | id, fresh, limits; descriptors: job, log, ready [, held] | start a pod |
| `signal` | id, signal | send a signal to the pod's main process |
| `end` | id | SIGKILL the pod; what it left behind is ended too |
| `close` | | end everything and go |

The job is `plan.job.Job` in a memory file. `held` is a socket bound to the port that the pod's program is told: it
is open until the program begins.
`limits` has the job's limits by name, or nothing.

| keeper says | with | means |
| --- | --- | --- |
| `hello` | pid | it listens |
| `started` | id, pid | the pod's process is there |
| `refused` | id, error | it could not be started |
| `exited` | id, status, memory_kills | it and all that it left behind have ended; status as of waitpid |
"""

from __future__ import annotations

import json
import socket
from typing import Any

PACKET = 65_536
"""Largest packet, bytes; jobs travel in memory files, so a packet is small."""


def send(link: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
    """One packet, with descriptors passed along. Raises OSError when the other side has gone."""
    socket.send_fds(link, [json.dumps(message).encode()], list(descriptors))


def receive(link: socket.socket) -> tuple[dict[str, Any] | None, tuple[int, ...]]:
    """One packet and its descriptors; None when the other side has closed."""
    data, descriptors, _flags, _address = socket.recv_fds(link, PACKET, 4)
    if not data:
        return None, ()
    return json.loads(data), tuple(descriptors)
