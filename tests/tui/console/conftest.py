"""A terminal of many colours for every test here, whatever the tests themselves run in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fakes.control import FakeControl
from tests.fakes.fleets import failing_details, search_fleet, search_samples


@pytest.fixture(autouse=True)
def _terminal() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLORTERM", "truecolor")
        patch.setenv("TERM", "xterm-256color")
        patch.delenv("NO_COLOR", raising=False)
        yield


@pytest.fixture
def control() -> FakeControl:
    """An engine that runs the fleet of the design's pictures."""
    fleet = search_fleet()
    made = FakeControl(fleet=fleet, samples_now=search_samples(fleet))
    for pod in fleet.pods:
        made.write(pod.key, f"14:00:00 INFO words of {pod.name}\n")
    failing = failing_details()
    made.found[failing.key] = failing
    return made
