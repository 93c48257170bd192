"""The table of the deployment contract names tests that exist, for every fact, or says that it is not built."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "contract.md"

SECTIONS = [
    "Words",
    "Names",
    "Ports and addresses",
    "GPUs",
    "Life",
    "Ends",
    "Kinds of `uses`",
    "As a picture",
]
NOT_BUILT = 17  # lower it when something gets built, and name its test in the table
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(text: str) -> dict[str, dict[str, str]]:
    """Sections, each with its facts and what stands in the second column. Raises ValueError for a fact told twice."""
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if line.startswith("## "):
            found[line[3:]] = {}
        elif line.startswith("| ") and line != "| fact | tests |" and not line.startswith("| ---"):
            fact, _, tests = line.strip("| ").rpartition(" | ")
            facts = next(reversed(found.values()))
            if any(fact in others for others in found.values()):
                raise ValueError(f"told twice: {fact}")
            facts[fact] = tests
    return found


def names_in(path: Path) -> set[str]:
    """Names of the functions and methods of a test file; none where there is no file."""
    if not path.is_file():
        return set()
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def wrong(text: str) -> Iterator[str]:
    """What is wrong with the second column of a table."""
    known: dict[str, set[str]] = {}
    for facts in rows(text).values():
        for fact, cell in facts.items():
            if re.fullmatch(r"not built: \S.*", cell):
                continue
            for part in cell.split("<br>"):
                named = _TEST.fullmatch(part)
                if named is None:
                    yield f"{fact}: {part!r} is neither a test nor `not built: REASON`"
                    continue
                file, name = named.groups()
                if name not in known.setdefault(file, names_in(ROOT / file)):
                    yield f"{fact}: there is no {file}::{name}"


def test_every_fact_names_tests_that_there_are() -> None:
    assert list(wrong(TABLE.read_text())) == []


def test_every_section_is_there_and_has_facts() -> None:
    found = rows(TABLE.read_text())
    assert list(found) == SECTIONS
    assert all(found.values())


def test_what_is_not_built_is_counted() -> None:
    cells = [cell for facts in rows(TABLE.read_text()).values() for cell in facts.values()]
    assert sum(cell.startswith("not built: ") for cell in cells) == NOT_BUILT


HERE = "`tests/test_contract.py::test_every_fact_names_tests_that_there_are`"


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        (HERE, None),
        ("not built: no docker", None),
        (HERE.replace("names", "nmaes"), "there is no tests/test_contract.py::test_every_fact_nmaes"),
        (HERE.replace("test_contract.py", "test_contrcat.py"), "there is no tests/test_contrcat.py"),
        (f"{HERE}<br>`tests/gone.py::test_x`", "there is no tests/gone.py"),
        ("", "is neither a test nor"),
        ("not built:", "is neither a test nor"),
        ("later", "is neither a test nor"),
    ],
)
def test_a_name_that_is_none_is_found(cell: str, word: str | None) -> None:
    told = list(wrong(f"## Words\n| fact | tests |\n| --- | --- |\n| a fact | {cell} |\n"))
    assert len(told) == (word is not None)
    assert word is None or word in told[0]


def test_a_fact_told_twice_is_found() -> None:
    with pytest.raises(ValueError, match="told twice: a fact"):
        rows("## Words\n| a fact | x |\n## Names\n| a fact | y |\n")
