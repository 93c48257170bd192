"""Code that changes: watches the files of deployments that ask for it, and says which of them changed.

By times of change and sizes, a look every half second in a thread: no file system fails to tell those, and what an
editor does (another file renamed into place, say) looks the same as a write.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from ..spec.executor import FileClass, parse
from ..spec.topology import DeploymentSpec, Topology

LOOK_EVERY = 0.5
QUIET = 0.2
"""Seconds without another change after which files are taken to be whole."""
ENDINGS = (".py", ".yml", ".yaml")
MOST_FILES = 2_000
"""Of one deployment; folders of data are not code."""
PASSED_OVER = frozenset({"__pycache__", "node_modules", "site-packages"})

Seen = dict[str, tuple[int, int]]
"""Time of change in nanoseconds and size, by path."""


def folders_of(spec: DeploymentSpec, folder: str) -> tuple[str, ...]:
    """Files and folders that hold a deployment's code: its executors' folders, and its `py_modules`."""
    found: dict[str, None] = {}
    for uses in (spec.uses, spec.uses_before, spec.uses_after):
        where = parse(uses or "")
        if isinstance(where, FileClass):
            found[os.path.dirname(where.path)] = None
        elif where is not None:
            found[folder] = None
    if spec.command:
        found[folder] = None
    found.update(dict.fromkeys(spec.py_modules))
    return tuple(found)


def look(places: Iterable[str], apart: str = "") -> Seen:
    """All code below the places, as it is now, one file apart."""
    seen: Seen = {}
    for path in _files(places):
        if path == apart:
            continue
        try:
            state = os.stat(path)
        except OSError:
            continue  # it went between the two looks
        seen[path] = (state.st_mtime_ns, state.st_size)
        if len(seen) >= MOST_FILES:
            break
    return seen


def _files(places: Iterable[str]) -> Iterator[str]:
    for place in places:
        if os.path.isfile(place):
            yield place
            continue
        for where, folders, names in os.walk(place):
            folders[:] = [name for name in folders if name not in PASSED_OVER and not name.startswith(".")]
            yield from (os.path.join(where, name) for name in names if name.endswith(ENDINGS))


def changed(before: Seen, after: Seen) -> str:
    """A file that differs, came or went; empty: none."""
    differing = (path for path in {**before, **after} if before.get(path) != after.get(path))
    return min(differing, default="")


class Reloader:
    """One task for each deployment that asks for it."""

    def __init__(self, reload: Callable[[str, str, str], Awaitable[None]]) -> None:
        """`reload(topology, deployment, file)` is called after each change, one at a time for a deployment."""
        self._reload = reload
        self._tasks: dict[tuple[str, str], tuple[tuple[str, ...], asyncio.Task[None]]] = {}

    def keep(self, topology: Topology, specs: Iterable[DeploymentSpec]) -> None:
        """Watch exactly these deployments of a topology, as far as they ask for it. Its own file is no code."""
        wanted = {
            (topology.name, spec.name): folders_of(spec, topology.folder) for spec in specs if spec.reload
        }
        for key, (places, task) in list(self._tasks.items()):
            if key[0] == topology.name and wanted.get(key) != places:
                del self._tasks[key]
                task.cancel()
        for key, places in wanted.items():
            if key not in self._tasks:
                self._tasks[key] = (
                    places,
                    asyncio.create_task(self._watch(*key, places, topology.source), name=f"code of {key[1]}"),
                )

    async def _watch(self, topology: str, deployment: str, places: tuple[str, ...], apart: str) -> None:
        known = await asyncio.to_thread(look, places, apart)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            now = await asyncio.to_thread(look, places, apart)
            file = changed(known, now)
            if not file:
                continue
            while True:
                await asyncio.sleep(QUIET)
                later = await asyncio.to_thread(look, places, apart)
                if later == now:
                    break
                now = later
            known = now
            await self._reload(topology, deployment, _short(file, places))

    async def close(self) -> None:
        tasks = [task for _, task in self._tasks.values()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _short(file: str, places: tuple[str, ...]) -> str:
    for place in places:
        if file.startswith(place + os.sep):
            return os.path.relpath(file, place)
    return Path(file).name
