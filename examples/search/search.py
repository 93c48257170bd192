"""Full-text search over the documentation topics that come with Python.

A query goes from Clean to the head of `index`, which asks Phrase, then one replica of each shard of Index
side by side, and has Merge make one list of what they found.
"""

from __future__ import annotations

import re
import sqlite3
from itertools import groupby, islice
from operator import itemgetter
from pydoc_data.topics import topics
from typing import Any

from quarterdeck import Executor, requests

COLUMNS = ("query", "title", "score", "snippet", "shard")


class Clean(Executor):
    """Leaves of each query its words."""

    @requests(on="/search")
    def clean(self, tensors: dict[str, Any]) -> dict[str, Any]:
        asked = [text.decode() for text in tensors["query"]]
        cleaned = [" ".join(re.findall(r"\w+", text.lower())) for text in asked]
        self.logger.info("%s -> %s", asked, cleaned)
        return {"query": cleaned}


class Phrase(Executor):
    """Writes each query as SQLite wants it: all words, also as the beginning of longer ones."""

    @requests(on="/search")
    def phrase(self, tensors: dict[str, Any]) -> dict[str, Any]:
        queries = [text.decode() for text in tensors["query"]]
        matches = [" ".join(f'"{word}"*' for word in query.split()) for query in queries]
        self.logger.info("%s", matches)
        return {"query": queries, "match": matches}


class Index(Executor):
    """Holds every n-th topic, where n is the number of shards; its replicas hold the same ones."""

    def __init__(self, limit: int = 5) -> None:
        self.limit = limit
        titles = sorted(topics)[self.shard :: self.shards]
        mine = [(title, " ".join(topics[title].split())) for title in titles]
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.execute("CREATE VIRTUAL TABLE topic USING fts5(title, text, tokenize = 'porter unicode61')")
        self.db.executemany("INSERT INTO topic VALUES (?, ?)", mine)
        self.logger.info("shard %d of %d holds %d topics", self.shard, self.shards, len(mine))

    @requests(on="/search")
    def search(self, tensors: dict[str, Any]) -> dict[str, Any]:
        asked = zip(tensors["query"], tensors["match"], strict=True)
        rows = [(query, *found, self.shard) for query, match in asked for found in self.find(match.decode())]
        self.logger.info("found %s", ", ".join(row[1] for row in rows) or "nothing")
        return {name: [row[i] for row in rows] for i, name in enumerate(COLUMNS)}

    def find(self, match: str) -> list[tuple[str, float, str]]:
        """Title, score (higher is better) and a snippet of the best topics."""
        if not match:
            return []
        return self.db.execute(
            "SELECT title, round(-bm25(topic, 4, 1), 3), snippet(topic, 1, '[', ']', ' ... ', 12)"
            " FROM topic WHERE topic MATCH ? ORDER BY bm25(topic, 4, 1) LIMIT ?",
            (match, self.limit),
        ).fetchall()

    def close(self) -> None:
        self.db.close()


class Merge(Executor):
    """Makes one list of what all shards found: for each query the best first."""

    @requests(on="/search")
    def merge(self, shards: list[dict[str, Any]], parameters: dict[str, Any]) -> dict[str, Any]:
        rows = [row for shard in shards for row in zip(*(shard[name] for name in COLUMNS), strict=True)]
        rows.sort(key=lambda row: (row[0], -row[2]))
        limit = int(parameters.get("limit", 10))
        best = [row for _, group in groupby(rows, itemgetter(0)) for row in islice(group, limit)]
        self.logger.info("%d of the %d found in %d shards", len(best), len(rows), len(shards))
        return {name: [row[i] for row in best] for i, name in enumerate(COLUMNS)}
