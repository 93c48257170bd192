"""A word count over two shards, started and asked from one script: `python words.py`."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from quarterdeck import Deployment, Executor, Topology, requests

TEXTS = ["the pod and the head", "the gateway", "a head and a pod and a gateway", "the shard"]


class Clean(Executor):
    """Lower case, whatever the caller wrote."""

    @requests
    def clean(self, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"word": [text.decode().lower() for text in tensors["word"]]}


class Count(Executor):
    """Counts words in its share of the texts."""

    def __init__(self, texts: list[str]) -> None:
        self.counts = Counter(word for text in texts[self.shard :: self.shards] for word in text.split())

    @requests(on="/count")
    def count(self, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"count": [self.counts[text.decode()] for text in tensors["word"]]}


class Add(Executor):
    """Adds up what the shards counted."""

    @requests
    def add(self, shards: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "count": [int(sum(counts)) for counts in zip(*(shard["count"] for shard in shards), strict=True)]
        }


def topology() -> Topology:
    """Clean, then every shard of Count, then Add."""
    count = Deployment(
        Count,
        name="count",
        uses_with={"texts": TEXTS},
        uses_after=Add,
        shards=2,
        replicas=2,
        polling={"/count": "ALL"},
        needs="clean",
    )
    return Topology("words", [Deployment(Clean, name="clean"), count])


async def many(words: Topology) -> list[dict[str, Any]]:
    """Requests side by side, for whoever has a loop of their own."""
    return await asyncio.gather(
        *(words.post_async("/count", {"word": [word]}) for word in ("a", "head", "pod"))
    )


def main() -> None:
    with topology() as words:
        print(f"{words.num_pods} pods answer at {words.address}")
        print("THE, gateway:", *words.post("/count", {"word": ["THE", "gateway"]})["count"])
        print("a, head, pod:", *(answer["count"][0] for answer in asyncio.run(many(words))))


if __name__ == "__main__":  # pods import this file, and must not start it anew
    main()
