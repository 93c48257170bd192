"""A client that calls the host `gpu-box` and the home folder `~`; all else is as the engine says it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from quarterdeck.engine.api.client import Client
from quarterdeck.engine.model import EngineInfo, Event, Fleet, PodDetails, PodKey

HOST = "gpu-box"


class NeutralClient(Client):
    """The real client, for pictures that anybody may see."""

    def __init__(self, socket: str, folder: str) -> None:
        super().__init__(socket)
        self._folder = folder

    def _shown(self, text: str) -> str:
        return text.replace(self._folder, "~")

    async def info(self) -> EngineInfo:
        return replace(await super().info(), host=HOST)

    async def watch(self) -> AsyncIterator[Fleet]:
        async for fleet in super().watch():
            topologies = tuple(replace(each, source=self._shown(each.source)) for each in fleet.topologies)
            pods = tuple(replace(pod, uses=self._shown(pod.uses)) for pod in fleet.pods)
            yield replace(fleet, topologies=topologies, pods=pods)

    async def events(self, after: int = 0, follow: bool = True) -> AsyncIterator[Event]:
        async for event in super().events(after, follow):
            yield replace(event, text=self._shown(event.text))

    async def details(self, pod: PodKey) -> PodDetails:
        found = await super().details(pod)
        return replace(
            found,
            command=self._shown(found.command),
            workspace=self._shown(found.workspace),
            log_path=self._shown(found.log_path),
            last_error=self._shown(found.last_error),
            env=tuple((name, self._shown(value)) for name, value in found.env),
            log_end=tuple(map(self._shown, found.log_end)),
            history=tuple(replace(event, text=self._shown(event.text)) for event in found.history),
        )
