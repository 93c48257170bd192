"""Executors that the tests' pods serve."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from quarterdeck import Executor, requests


class Echo(Executor):
    """Gives its input back and says who it is; can be slow."""

    @requests
    async def echo(self, tensors: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(float(parameters.get("seconds", 0)))
        return {**tensors, "pod": [self.name], "shard": [self.shard]}


class Hidden(Executor):
    """Holds one document, which no other shard has."""

    @requests(on=["/search", "/index"])
    def search(self, tensors: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
        return {"documents": [f"document of shard {self.shard}"], "query": tensors["query"]}

    @requests(on="/ragged")
    def ragged(self, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"vectors": [[0.0] * (2 + self.shard)]}


class Before(Executor):
    @requests
    def shout(self, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"query": [text.decode().upper() for text in tensors["query"]]}


class After(Executor):
    @requests
    def count(self, shards: list[dict[str, Any]], parameters: dict[str, Any]) -> dict[str, Any]:
        found = [text for shard in shards for text in shard["documents"]]
        return {
            "documents": found[::-1],
            "query": shards[0]["query"],
            "shards": [len(shards)],
            "told": [str(parameters.get("told", ""))],
        }


class Faulty(Executor):
    @requests(on="/fail")
    def fail(self, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"x": [1 / 0]}

    @requests(on="/list")
    def give_list(self, tensors: dict[str, Any]) -> Any:
        return [1, 2]

    @requests(on="/complex")
    def give_complex(self, tensors: dict[str, Any]) -> Any:
        return {"x": [1j]}

    @requests(on="/two")
    def two(self) -> dict[str, Any]:
        return {"a": [1], "b": [2.5]}


class Gated(Executor):
    """Notes what happens in one named pipe, and waits for the test in another."""

    def __init__(self, gate: str, notes: str) -> None:
        self._gate, self._notes = gate, Path(notes)

    def note(self, text: str) -> None:
        with self._notes.open("w") as pipe:
            pipe.write(f"{text}\n")

    @requests(on="/sync")
    def wait_in_thread(self) -> dict[str, Any]:
        self.note("in")
        with open(self._gate, "rb", buffering=0) as gate:
            gate.read(1)
        return {"thread": [threading.current_thread().name]}

    @requests(on="/async")
    async def wait(self) -> dict[str, Any]:
        self.note("in")
        try:
            await asyncio.Event().wait()
        finally:
            self.note("cancelled")
        return {}

    @requests
    async def at_once(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"parameters": [f"{name}={value}" for name, value in sorted(parameters.items())]}

    async def close(self) -> None:
        self.note("closed")


class Steps(Executor):
    """Adds its name to the way that a request took."""

    def __init__(self, step: str) -> None:
        self._step = step

    @requests
    def add(self, tensors: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
        way = [text.decode() for text in tensors["way"]]
        return {"way": [f"{step}>{self._step}" for step in way], self._step: [parameters.get("told", "")]}


class Streams(Executor):
    """Yields answers; ends badly where told to."""

    @requests(on="/count")
    async def count(self, tensors: dict[str, Any], parameters: dict[str, Any]) -> AsyncIterator[Any]:
        for number in range(int(tensors["to"][0])):
            yield {"number": [number], "pod": [self.name]}
        if parameters.get("bad"):
            raise ValueError("no more")

    @requests(on="/once")
    def once(self, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"number": [-1]}
