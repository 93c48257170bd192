"""Errors that a person can act on: what is wrong, and a hint at what would do.

Whatever reaches the command line or a toast is one of these; anything else is a fault of ours.
"""

from __future__ import annotations

from dataclasses import dataclass


class QuarterdeckError(Exception):
    """The root: `message` says what is wrong and where, `hint` what would do (may be empty)."""

    title = "error"
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in what the user wrote: where it stands, what it is, what would do."""

    message: str
    hint: str = ""
    file: str = ""
    line: int | None = None
    """From 1."""
    key: str = ""
    """Path of the key: `deployments[1].shards`."""
    value: str = ""

    def __str__(self) -> str:
        where = self.file + (f":{self.line}" if self.line else "")
        head = ": ".join(part for part in (where, self.key, self.message) if part)
        return f"{head}; {self.hint}" if self.hint else head


class SpecError(QuarterdeckError):
    """What the user wrote can't be right. Carries every mistake that was found, in the file's order."""

    title = "input"
    exit_code = 2

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


class UsageError(QuarterdeckError):
    """The command was given wrongly (target, option, value)."""

    title = "input"
    exit_code = 2


class TargetError(UsageError):
    """A target names nothing, or more than one thing."""

    title = "target"


class EngineUnreachable(QuarterdeckError):
    """No engine answers at the socket."""

    title = "no engine"
    exit_code = 3


class VersionMismatch(QuarterdeckError):
    """Client and engine are of different versions."""

    title = "version"
    exit_code = 3


class StartError(QuarterdeckError):
    """A pod did not start; the message names it, its reason and the end of its log."""

    title = "start"


class PortTaken(StartError):
    """A planned port is in use; the message names its holder."""

    title = "port"


class ReadyTimeout(StartError):
    """Not ready within `timeout_ready`."""

    title = "timeout"


class Conflict(QuarterdeckError):
    """The engine refuses: it would clash with what runs."""

    title = "conflict"


class RequestError(QuarterdeckError):
    """A request to a pod failed."""

    title = "request"
