"""Restart policy as functions: whether an ended pod starts again, and after how long."""

from __future__ import annotations

import signal

from ..spec.topology import Restart

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
STABLE_AFTER = 60.0
"""Seconds that a run must live for the backoff to begin anew."""


def wants_restart(policy: Restart, code: int | None) -> bool:
    """Whether a pod that ended unasked with `code` is started again; an unknown code is a failure."""
    match policy:
        case Restart.NO:
            return False
        case Restart.ON_FAILURE:
            return code != 0
        case Restart.ALWAYS:
            return True


def backoff(attempts: int) -> float:
    """Seconds to wait before the next start, after `attempts` failures in a row (from 1)."""
    doublings = min(max(1, attempts) - 1, 16)  # far past the longest, and no float overflows
    return min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0**doublings)


def ending(code: int | None, lived: float | None) -> str:
    """How a run ended, in words: `exit 1 after 3s`, `killed by SIGKILL after 2m`."""
    if code is None:
        how = "ended, nobody saw how"
    elif code >= 0:
        how = f"exit {code}"
    else:
        try:
            how = f"killed by {signal.Signals(-code).name}"
        except ValueError:
            how = f"killed by signal {-code}"
    return how if lived is None else f"{how} after {age(lived)}"


def age(seconds: float) -> str:
    """One unit: `3s`, `2m`, `5h`, `3d`; under a second in milliseconds."""
    if seconds < 0.9995:
        return f"{max(0, round(seconds * 1000))}ms"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(1, int(seconds))}s"
