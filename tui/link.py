"""`Link`: how the console stands with the engine; frozen, so that a screen can tell what changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from quarterdeck.engine.model import EngineInfo


class LinkState(Enum):
    """Where the line is."""

    SEEKING = "seeking"
    """Nothing is known yet."""
    NONE = "none"
    """No engine has answered so far."""
    UP = "up"
    LOST = "lost"
    """One has answered and no longer does."""


@dataclass(frozen=True, slots=True)
class Link:
    """The line to the engine."""

    state: LinkState = LinkState.SEEKING
    info: EngineInfo | None = None
    """Who answers, or answered last."""
    lost_at: float = 0.0
    attempt: int = 0
    """Dials since it was lost."""
    retry_at: float = 0.0
    reason: str = ""

    @property
    def lost(self) -> bool:
        return self.state is LinkState.LOST

    @property
    def up(self) -> bool:
        return self.state is LinkState.UP
