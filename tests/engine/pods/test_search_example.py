"""The search example answers from both shards, through every kind of pod, with numpy and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.pods.house import DEADLINE, House, LivePod, node

from quarterdeck.engine.spec.file import load
from quarterdeck.engine.wire.tensors import to_json

FOLDER = Path(__file__).parents[3] / "examples" / "search"


WITHOUT_NUMPY = """
import importlib.util, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            raise ModuleNotFoundError("there is no numpy here")

sys.meta_path.insert(0, Blocker())
seen = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "numpy" else seen(name, package)
"""


class Search:
    """The example's pods, wired up as its topology says."""

    def __init__(self, house: House) -> None:
        def start(name: str, kind: str, **job: int) -> LivePod:
            return house.start(name, f"{FOLDER / 'search.py'}:{kind}", **job)

        self.house = house
        self.gateway = house.start("gateway", role="gateway")
        self.head = house.start("index/head", role="head")
        self.clean = start("clean/rep-0", "Clean")
        self.before = start("index/uses_before-0", "Phrase")
        self.after = start("index/uses_after-0", "Merge")
        self.workers = [
            [start(f"index/shard-{s}/rep-{r}", "Index", shard=s, replica=r, shards=2) for r in range(2)]
            for s in range(2)
        ]

    async def route(self) -> None:
        polling = {"/search": "ALL", "*": "ANY"}
        index = node("index", self.workers, polling=polling, before=self.before, after=self.after)
        await self.house.route(self.head, index)
        behind = node("index", [[self.head]], needs=("clean",))
        await self.house.route(self.gateway, node("clean", [[self.clean]]), behind)


@pytest.fixture(scope="module")
def search(shared_house: House) -> Search:
    return Search(shared_house)


async def test_a_query_is_answered_from_both_shards_best_first(search: Search) -> None:
    await search.route()
    async with search.gateway.client() as client:
        answer = await client.infer("/search", {"query": ["  Context MANAGER?!"]}, timeout=DEADLINE)
    found = to_json(answer)
    assert set(found["shard"]) == {0, 1}
    assert "context-managers" in found["title"][:2]
    assert found["score"] == sorted(found["score"], reverse=True)
    assert set(found["query"]) == {"context manager"}
    assert any("[" in snippet for snippet in found["snippet"])
    for pod in (search.clean, search.before, search.after, search.workers[0][0]):
        assert "INFO" in pod.log.read_text()


async def test_several_queries_keep_apart_and_a_limit_is_heeded(search: Search) -> None:
    await search.route()
    async with search.gateway.client() as client:
        answer = await client.infer("/search", {"query": ["yield", "lambda", "?"]}, {"limit": 2}, DEADLINE)
        nothing = await client.infer("/search", {"query": ["?"]}, timeout=DEADLINE)
    assert to_json(answer)["query"] == ["lambda"] * 2 + ["yield"] * 2
    assert to_json(nothing)["title"] == []


async def test_it_works_without_numpy(tmp_path: Path, house: House) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_NUMPY)
    house.environ["PYTHONPATH"] = str(tmp_path)
    search = Search(house)
    await search.route()
    async with search.gateway.client() as client:
        answer = await client.infer("/search", {"query": ["context manager"]}, timeout=DEADLINE)
    assert set(to_json(answer)["shard"]) == {0, 1}


def test_the_file_is_a_topology() -> None:
    topology = load(FOLDER / "topology.yml", {})
    assert [(spec.name, spec.needs) for spec in topology.deployments] == [
        ("clean", ()),
        ("index", ("clean",)),
    ]
