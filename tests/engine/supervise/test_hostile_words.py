"""What a pod prints can't drive the terminal of whoever reads its reason, its events or its details."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.worlds import World, fine

from quarterdeck.engine.model import Phase, PodKey

HOSTILE = r"""
from quarterdeck import Executor, requests

class Hostile(Executor):
    def __init__(self):
        print("\x1b]0;owned\x07\x1b[2Jgone\x9b5n", flush=True)
        raise RuntimeError("\x1b[2J\x1b]52;c;aGk=\x07 no")

    @requests
    def serve(self, tensors):
        return tensors
"""


async def test_reason_events_and_details_are_printable(world: World, tmp_path: Path) -> None:
    file = tmp_path / "hostile.py"
    file.write_text(HOSTILE)
    await world.up(fine(uses=f"{file}:Hostile"))
    fleet = await world.until(lambda fleet: any(pod.phase is Phase.FAILED for pod in fleet.pods))
    details = await world.control.details(PodKey("top", "a/rep-0"))
    said = [fleet.pods[0].reason, *details.log_end, details.last_error, details.blocked_by]
    said += [event.text async for event in world.control.events(follow=False)]
    assert "RuntimeError" in fleet.pods[0].reason
    assert any("no" in line for line in details.log_end)
    assert [text for text in said if not text.isprintable()] == []
