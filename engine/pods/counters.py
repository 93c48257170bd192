"""What a pod counts about its own requests; costs a few additions each."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends of the histogram's buckets in seconds; one more bucket takes all that is slower."""


@dataclass(slots=True)
class Counters:
    """Requests since the pod started."""

    requests: int = 0
    errors: int = 0
    in_flight: int = 0
    seconds: float = 0.0
    """Sum of the durations of all that ended."""
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    def begin(self) -> None:
        self.requests += 1
        self.in_flight += 1

    def end(self, seconds: float, failed: bool) -> None:
        self.in_flight -= 1
        self.errors += failed
        self.seconds += seconds
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
