"""What the documentation says of keys, verbs and options is what the code has."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from tests.e2e.pages import rows, section

from quarterdeck.tui.cli.main import VERBS, verb_module
from quarterdeck.tui.commands import COMMANDS
from quarterdeck.tui.keys import KEYS, Context

ROOT = Path(__file__).resolve().parents[1]
CONSOLE = (ROOT / "docs" / "console.md").read_text()
COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text()
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "examples").rglob("*.md"),
]


def said(text: str) -> set[str]:
    """All that stands between backticks."""
    return set(re.findall(r"`([^`]+)`", text))


def shown(context: Context) -> set[str]:
    """The keys of a context as a person reads them."""
    words = {key.shown for key in KEYS if key.context is context and key.shown}
    return {part for word in words for part in ([word] if word.startswith("alt ") else word.split())}


@pytest.mark.parametrize("context", list(Context))
def test_the_page_has_every_key_and_no_other(context: Context) -> None:
    table = rows(section(CONSOLE, "Keys"))
    assert set().union(*(said(cells[1]) for cells in table if cells[0] == context.value)) == shown(context)


def test_the_readme_names_only_keys_that_there_are() -> None:
    table = rows(section((ROOT / "README.md").read_text(), "Keys"))
    everything = set().union(*map(shown, Context))
    assert table
    assert set().union(*(said(cells[0]) for cells in table)) <= everything


def test_the_page_has_every_command_of_the_command_line() -> None:
    table = rows(section(CONSOLE, "Command line"))
    assert set().union(*(said(cells[0]) for cells in table)) == {command.name for command in COMMANDS}


@pytest.mark.parametrize("verb", VERBS)
def test_the_page_has_every_verb_and_option(verb: str) -> None:
    told = section(COMMANDS_PAGE, f"qd {verb}")
    parser = argparse.ArgumentParser()
    verb_module(verb).configure(parser)
    options = {
        option for action in parser._actions for option in action.option_strings if option.startswith("--")
    }
    everywhere = {"--help", "--socket"}
    assert {option for option in options - everywhere if option not in told} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith("https://"):
            assert (page.parent / target.partition("#")[0]).exists(), target
