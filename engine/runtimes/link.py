"""The engine's end of the socket to its keeper. Sending never waits, so that neither can hold up the other.

A keeper that is forking or sweeping reads nothing for a while, and then waits to be read itself: what its
socket can't take yet is kept here, in order, with the descriptors that go along.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from ..keeper import protocol

Message = dict[str, Any]
CROWDED = 0.01
"""Seconds to wait when the kernel has too many descriptors of ours under way."""


class Link:
    """One connected packet socket. `heard` gets each message, and None once when the keeper has gone."""

    def __init__(self, connection: socket.socket, heard: Callable[[Message | None], None]) -> None:
        self._socket = connection
        self._heard = heard
        self._outbox: deque[tuple[Message, tuple[int, ...]]] = deque()
        self._loop = asyncio.get_running_loop()
        connection.setblocking(False)
        self._loop.add_reader(connection, self._hear)

    def send(self, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        """Send soon; the descriptors are closed here once they have gone."""
        self._outbox.append((message, descriptors))
        if len(self._outbox) == 1:
            self._flush()

    def _flush(self) -> None:
        """Send what the socket takes, and go on when it takes more."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_writer(self._socket)
        while self._outbox:
            message, descriptors = self._outbox[0]
            try:
                protocol.send(self._socket, message, descriptors)
            except BlockingIOError:
                self._loop.add_writer(self._socket, self._flush)
                return
            except OSError as error:
                if error.errno == errno.ETOOMANYREFS:
                    self._loop.call_later(CROWDED, self._flush)
                    return
                # The keeper has gone, which `_hear` is about to find out.
            self._outbox.popleft()
            _close(descriptors)

    def _hear(self) -> bool:
        """Take one message; False where there is none."""
        try:
            message, _ = protocol.receive(self._socket)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return self._hear()  # it went without reading all of ours: told once, before what it had said
        except OSError:
            message = None
        self._heard(message)
        return message is not None

    def drain(self) -> None:
        """Hear what has been said by now."""
        while self._socket.fileno() >= 0 and self._hear():
            pass

    def close(self) -> None:
        """Hang up; what was not sent yet is dropped. Safe to call twice."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        for _, descriptors in self._outbox:
            _close(descriptors)
        self._outbox.clear()


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
