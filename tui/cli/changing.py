"""What `up`, `scale` and `diff` share: a difference in words, and waiting until it has been made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from quarterdeck.engine.control import Difference
from quarterdeck.engine.errors import QuarterdeckError, ReadyTimeout
from quarterdeck.engine.model import Fleet, Phase
from quarterdeck.engine.verdict import start_error, waiting_for

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client

SIGNS = (("added", "+"), ("removed", "-"), ("replaced", "~"))


def in_words(difference: Difference) -> Iterator[str]:
    """Keys that differ, then pods that come, go and are replaced, a line each; then how many stay as they are."""
    if difference.empty:
        yield f"{difference.topology}: nothing differs"
        return
    yield from difference.why
    for name, sign in SIGNS:
        yield from (f"  {sign} {pod}" for pod in getattr(difference, name))
    kept = len(difference.kept)
    yield f"  {kept} pod{'' if kept == 1 else 's'} untouched"


async def until_made(client: Client, difference: Difference, before: Fleet, timeout: float | None) -> Fleet:
    """The fleet once what was to go has gone, and the rest is ready.

    Raises StartError at the first pod of it that fails, and ReadyTimeout after `timeout` seconds.
    """
    runs = {pod.name: pod.run for pod in before.of(difference.topology)}
    fleet = before
    try:
        async with asyncio.timeout(timeout):
            async for fleet in client.watch():
                if await _made(client, difference, runs, fleet):
                    return fleet
    except TimeoutError:
        touched = {*difference.added, *difference.replaced}
        pods = [pod for pod in fleet.of(difference.topology) if pod.name in touched]
        raise ReadyTimeout(
            f"the change of {difference.topology} is not done after {timeout:g}s: {waiting_for(pods)}",
            "what was not touched yet goes on as it was; see: qd events",
        ) from None
    raise QuarterdeckError("the engine ended meanwhile")


async def _made(client: Client, difference: Difference, runs: dict[str, int], fleet: Fleet) -> bool:
    pods = {pod.name: pod for pod in fleet.of(difference.topology)}
    if any(name in pods for name in difference.removed):
        return False
    for name in (*difference.replaced, *difference.added):
        pod = pods.get(name)
        if pod is None or (pod.run <= runs.get(name, 0) and pod.phase is not Phase.STOPPED):
            return False
        if pod.phase in (Phase.FAILED, Phase.BACKOFF):
            raise await start_error(client, pod)
        if not pod.ready and pod.phase is not Phase.STOPPED:
            return False
    return True
