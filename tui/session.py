"""`Session`: what the console's screens share: how it was opened, and the line to the engine while there is one."""

from __future__ import annotations

from collections.abc import Callable

from quarterdeck.engine.errors import EngineUnreachable

from .feed import Connected


class Session:
    """One console's run. Only the App changes `control`."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        owns: str | None = None,
        read_only: bool = False,
        target: str | None = None,
        socket: str = "",
    ) -> None:
        self.clock = clock
        self.owns = owns
        """Topology that ends with this console unless it is left running."""
        self.read_only = read_only
        self.target = target
        """What the cursor goes to first."""
        self.socket = socket
        self.control: Connected | None = None

    def engine(self) -> Connected:
        """The line. Raises EngineUnreachable while there is none."""
        if self.control is None:
            raise EngineUnreachable("the engine does not answer", "the console dials it by itself")
        return self.control
