"""An engine behind a socket, as whoever runs a topology on it sees it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..errors import EngineUnreachable, TargetError
from ..home import find_home

if TYPE_CHECKING:
    from ..api.client import Client


class RemoteEngine:
    """The engine at a socket, or the user's own; started where none answers."""

    def __init__(self, socket: str | None) -> None:
        self._socket = socket
        self._client: Client | None = None

    async def open(self) -> Client:
        """Connect. Raises QuarterdeckError when none comes up, VersionMismatch for an engine of another version."""
        from quarterdeck import __version__

        from ..api.client import connect
        from ..api.launch import ensure

        home = find_home(os.environ, self._socket)
        ensure(home)  # it blocks, and nothing else runs on this loop yet
        self._client = await connect(str(home.socket), __version__)
        return self._client

    async def close(self, topology: str | None = None) -> None:
        """Take the caller's topology down, if it was put up; the engine goes on."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if topology is not None:
                # Somebody may have taken it down, or ended the engine and its pods with it.
                with contextlib.suppress(TargetError, EngineUnreachable):
                    await client.down([topology])
        finally:
            await client.close()
