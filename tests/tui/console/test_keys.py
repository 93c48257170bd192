"""The table of keys: bindings, footer and help all come from it."""

from __future__ import annotations

from collections import Counter

import pytest
from textual.binding import Binding

from quarterdeck.tui.footer import footer
from quarterdeck.tui.keys import KEYS, Context, Need, bindings, footer_keys, works
from quarterdeck.tui.screens.help import help_lines
from quarterdeck.tui.screens.main import MainScreen
from quarterdeck.tui.screens.presses import handlers
from quarterdeck.tui.session import Session
from quarterdeck.tui.situation import Situation, Where
from quarterdeck.widgets.dress import UNICODE
from quarterdeck.widgets.ink import width_of

EVERYTHING = frozenset(need.value for need in Need if need is not Need.NOTHING)


def test_no_key_twice_in_a_context() -> None:
    count = Counter((key.context, name) for key in KEYS for name in key.keys)
    assert {pair: n for pair, n in count.items() if n > 1} == {}


def test_a_key_for_everywhere_is_not_taken_by_a_region() -> None:
    anywhere = {name for key in KEYS if key.context is Context.ANY for name in key.keys}
    taken = {
        name for key in KEYS if key.context in (Context.TREE, Context.LOG, Context.PAGE) for name in key.keys
    }
    assert anywhere & taken == set()


def test_ids_are_unique_and_say_their_context() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    assert all(key.id.startswith(f"{key.context}.") for key in KEYS)


def test_every_key_does_something_and_nothing_else_does() -> None:
    screen = MainScreen(Session(clock=lambda: 0.0), "host")
    assert set(handlers(screen)) == {key.id for key in KEYS}


def test_nothing_that_deletes_is_bound() -> None:
    names = {name for key in KEYS for name in key.keys}
    assert names & {"delete", "backspace", "ctrl+h"} == set()


def test_bindings_come_from_the_table() -> None:
    made = [binding for binding in bindings() if isinstance(binding, Binding)]
    assert {binding.id for binding in made} == {key.id for key in KEYS}
    assert all(binding.action == f"press('{binding.id}')" for binding in made)


def test_read_only_hides_every_verb() -> None:
    reading = Situation(has=EVERYTHING, read_only=True)
    assert {key.id for key in KEYS if works(key, reading) and key.changes} == set()
    assert {"tree.restart", "tree.stop", "tree.start", "tree.signal"} == {
        key.id for key in KEYS if key.changes
    }


def test_what_a_lost_engine_leaves() -> None:
    lost = Situation(has=EVERYTHING, lost=True, connected=False)
    ids = {key.id for key in KEYS if works(key, lost)}
    assert "lost.retry" in ids
    assert "tree.restart" not in ids
    assert {"any.quit", "any.help", "any.down", "tree.filter"} <= ids
    assert not works(next(key for key in KEYS if key.id == "lost.retry"), Situation(has=EVERYTHING))


@pytest.mark.parametrize("where", list(Where))
@pytest.mark.parametrize("width", [40, 80, 120, 160])
def test_the_footer_fits_and_keeps_help_and_quit(where: Where, width: int) -> None:
    line = footer(footer_keys(Situation(where=where, has=EVERYTHING)), width)
    assert width_of(line) <= width - 2
    text = "".join(span.text for span in line)
    assert "? help" in text
    assert "q quit" in text


def test_the_footer_says_the_other_region() -> None:
    words = {key.id: key.word for key in footer_keys(Situation(where=Where.LOG, has=EVERYTHING))}
    assert words["any.region"] == "tree"


@pytest.mark.parametrize("width", [77, 117, 157])
def test_help_shows_every_key(width: int) -> None:
    lines = help_lines(Situation(has=EVERYTHING), UNICODE, width)
    text = "\n".join("".join(span.text for span in line) for line in lines)
    for key in KEYS:
        if key.context in (Context.ANY, Context.TREE, Context.LOG):
            assert key.shown in text
            assert key.help in text
    assert all(width_of(line) <= width + 3 for line in lines)


def test_help_greys_what_does_nothing_here() -> None:
    lines = help_lines(Situation(has=frozenset({"row", "rows"})), UNICODE, 117)
    bold = {span.text.strip() for line in lines for span in line if span.bold}
    assert "enter" in bold
    assert "U" not in bold
