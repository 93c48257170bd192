"""The tree's rows as a pure function of the fleet."""

from __future__ import annotations

import pytest
from tests.fakes.fleets import search_fleet

from quarterdeck.engine.model import Fleet, Phase, PodKey, PodStatus, Role, Runtime, Sample
from quarterdeck.widgets.cells import Moment, row_line
from quarterdeck.widgets.columns import grid
from quarterdeck.widgets.dress import UNICODE
from quarterdeck.widgets.filter import parse_filter
from quarterdeck.widgets.rows import Kind, Row, Sort, rows_of


def names(rows: tuple[Row, ...]) -> list[str]:
    """The names as they are drawn, with their lines."""
    layout = grid(120)
    drawn = ("".join(span.text for span in row_line(row, layout, UNICODE, Moment(0.0))) for row in rows)
    return [text[: layout.name].rstrip() for text in drawn]


def test_the_tree_of_the_pictures() -> None:
    assert names(rows_of(search_fleet())) == [
        "search",
        "├ gateway",
        "├ clean",
        "│ ├ rep-0",
        "│ └ rep-1",
        "└ index",
        "  ├ head",
        "  ├ uses_before-0",
        "  ├ uses_after-0",
        "  ├ shard-0",
        "  │ ├ rep-0",
        "  │ └ rep-1",
        "  └ shard-1",
        "    ├ rep-0",
        "    └ rep-1",
        "",
        "llm",
        "├ gateway",
        "└ chat",
        "  ├ rep-0",
        "  ├ rep-1",
        "  └ rep-2",
    ]


def test_ids_and_kinds() -> None:
    rows = {row.id: row for row in rows_of(search_fleet())}
    assert rows["search"].kind is Kind.TOPOLOGY
    assert rows["search/index"].kind is Kind.DEPLOYMENT
    assert rows["search/index/shard-1"].kind is Kind.SHARD
    assert rows["search/index/shard-1/rep-1"].kind is Kind.POD
    assert len(rows["search/index"].pods) == 7
    assert rows["search/index"].phase is Phase.BACKOFF
    assert rows["search/index/shard-0"].phase is Phase.STARTING
    assert rows["llm"].phase is Phase.READY
    assert rows["search/index/shard-0"].short == "index/shard-0"


def test_a_folded_branch_hides_its_rows_and_keeps_its_pods() -> None:
    rows = rows_of(search_fleet(), folded=frozenset({"search/clean"}))
    assert "search/clean/rep-0" not in {row.id for row in rows}
    assert names(rows)[2] == "├+clean"
    assert len(next(row for row in rows if row.id == "search/clean").pods) == 2


@pytest.mark.parametrize(
    ("typed", "pods"),
    [
        ("shard-0", {"index/shard-0/rep-0", "index/shard-0/rep-1"}),
        ("backoff", {"index/shard-1/rep-1"}),
        ("cuda out", {"index/shard-1/rep-1"}),
        ("CUDA OUT", set()),
        ("clean|head", {"clean/rep-0", "clean/rep-1", "index/head"}),
        ("-f ixhea", {"index/head"}),
        ("uses_(", set()),
    ],
)
def test_filters(typed: str, pods: set[str]) -> None:
    rows = rows_of(search_fleet(), frozenset({"search"}), parse_filter(typed))
    assert {row.pods[0].name for row in rows if row.kind is Kind.POD} == pods


def test_an_inverse_filter() -> None:
    rows = rows_of(search_fleet(), wanted=parse_filter("!ready|llm"))
    assert {row.pods[0].name for row in rows if row.kind is Kind.POD} == {
        "index/shard-0/rep-1",
        "index/shard-1/rep-1",
    }


def test_a_broken_expression_is_read_as_text_and_says_so() -> None:
    found = parse_filter("uses_(")
    assert found.passes("x uses_(y")
    assert "plain text" in found.problem


def test_sorting_orders_siblings_and_leaves_the_tree() -> None:
    by_state = [row.id for row in rows_of(search_fleet(), sort=Sort.STATE) if row.depth == 1]
    assert by_state[0] == "search/index"
    shards = [row.id for row in rows_of(search_fleet(), sort=Sort.STATE) if row.kind is Kind.SHARD]
    assert shards == ["search/index/shard-1", "search/index/shard-0"]
    used = {
        PodKey("search", "clean/rep-1"): Sample(50.0, 9),
        PodKey("search", "clean/rep-0"): Sample(5.0, 99),
    }
    clean = [
        row.label
        for row in rows_of(search_fleet(), sort=Sort.CPU, samples=used)
        if row.id.startswith("search/clean/")
    ]
    assert clean == ["rep-1", "rep-0"]
    clean = [
        row.label
        for row in rows_of(search_fleet(), sort=Sort.MEM, samples=used)
        if row.id.startswith("search/clean/")
    ]
    assert clean == ["rep-0", "rep-1"]


def test_a_topology_without_pods_is_there_all_the_same() -> None:
    fleet = search_fleet()
    empty = Fleet(topologies=fleet.topologies)
    assert [row.id for row in rows_of(empty) if row.kind is Kind.TOPOLOGY] == ["search", "llm"]


def test_a_deployment_without_a_name() -> None:
    pods = tuple(
        PodStatus("adhoc", name, "", Role.WORKER, shard, 0, Runtime.PROCESS, Phase.READY)
        for name, shard in (("shard-0/rep-0", 0), ("shard-1/rep-0", 1))
    )
    rows = rows_of(Fleet(pods=pods))
    assert [row.id for row in rows] == [
        "adhoc", "adhoc/shard-0", "adhoc/shard-0/rep-0", "adhoc/shard-1", "adhoc/shard-1/rep-0",
    ]  # fmt: skip
