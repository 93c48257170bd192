"""The one table of keys: bindings, footer and help page all come from it, and each can be remapped by its id."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from textual.binding import Binding, BindingType

from .situation import Situation, Where


class Context(StrEnum):
    """Where a key is heard."""

    ANY = "any"
    TREE = "tree"
    LOG = "log"
    PAGE = "page"
    """Details and events."""
    LOST = "lost"


class Need(StrEnum):
    """What must be so for a key to do something."""

    NOTHING = ""
    ROW = "row"
    BRANCH = "branch"
    POD = "pod"
    ALIVE = "alive"
    """A pod with a process, under the cursor or marked."""
    STOPPABLE = "stoppable"
    """A pod that is not stopped."""
    STARTABLE = "startable"
    """A pod that is stopped or failed."""
    MARKS = "marks"
    WIDE = "wide"
    SINGLE = "single"
    """The log is of one pod."""
    SEARCH = "search"
    """Something is searched for."""
    ROWS = "rows"
    """There is a tree, though perhaps a filter hides all of it."""


@dataclass(frozen=True, slots=True)
class Key:
    """One action: `keys` as Textual names them, `shown` as a person reads them."""

    id: str
    context: Context
    keys: tuple[str, ...]
    shown: str
    word: str
    """One word for the footer."""
    help: str
    """For the help page; empty: told with the key above."""
    need: Need = Need.NOTHING
    changes: bool = False
    """Changes what runs: hidden and refused with `--read-only`, and while the engine is lost."""
    footer: bool = True
    looks: bool = True
    """Works on the picture alone, so also while the engine is lost."""


_A, _T, _L, _P, _X = Context.ANY, Context.TREE, Context.LOG, Context.PAGE, Context.LOST

# In order of use: the footer shows them so, and gives way from its right.
KEYS: tuple[Key, ...] = (
    Key("lost.retry", _X, ("r",), "r", "try now", "dial the engine now"),
    Key("tree.open", _T, ("enter",), "enter", "open", "open", Need.ROW),
    Key("tree.logs", _T, ("l",), "l", "logs", "log, run before", Need.ROW),
    Key("tree.previous", _T, ("p",), "p", "previous", "", Need.POD, footer=False),
    Key("tree.details", _T, ("d",), "d", "details", "details, env", Need.ROW),
    Key("tree.env", _T, ("e",), "e", "env", "", Need.POD, footer=False),
    Key("tree.restart", _T, ("r",), "r", "restart", "restart", Need.ROW, changes=True),
    Key("tree.stop", _T, ("x",), "x", "stop", "stop, start", Need.STOPPABLE, changes=True),
    Key("tree.start", _T, ("S",), "S", "start", "", Need.STARTABLE, changes=True),
    Key("tree.signal", _T, ("K", "f9"), "K F9", "signal", "signal", Need.ALIVE, changes=True, footer=False),
    Key("tree.filter", _T, ("slash", "f4"), "/ F4", "filter", "filter", Need.ROWS),
    Key("tree.sort", _T, ("f6", "greater_than_sign"), "F6 >", "sort", "sort", Need.ROW),
    Key("tree.sort_back", _T, ("less_than_sign",), "<", "sort", "", Need.ROW, footer=False),
    Key("tree.mark", _T, ("space",), "space", "mark", "mark", Need.ROW),
    Key("tree.mark_range", _T, ("ctrl+@",), "^spc", "range", "range, clear", Need.ROW, footer=False),
    Key("tree.unmark", _T, ("U",), "U", "unmark", "", Need.MARKS, footer=False),
    Key("tree.fold", _T, ("left",), "←", "fold", "fold, unfold", Need.ROW, footer=False),
    Key("tree.unfold", _T, ("right",), "→", "unfold", "", Need.BRANCH, footer=False),
    Key("tree.fold_one", _T, ("minus",), "-", "fold", "one, one, all", Need.ROW, footer=False),
    Key("tree.unfold_one", _T, ("plus",), "+", "unfold", "", Need.BRANCH, footer=False),
    Key("tree.unfold_all", _T, ("asterisk",), "*", "unfold all", "", Need.ROW, footer=False),
    Key("log.search", _L, ("slash", "f3"), "/ F3", "search", "search"),
    Key("log.next", _L, ("n",), "n", "next", "next, before", Need.SEARCH),
    Key("log.before", _L, ("N",), "N", "before", "", Need.SEARCH),
    Key("log.filter", _L, ("ampersand",), "&", "filter", "filter lines"),
    Key("log.follow", _L, ("f",), "f", "follow", "follow"),
    Key("log.wrap", _L, ("w",), "w", "wrap", "wrap, times"),
    Key("log.times", _L, ("t",), "t", "times", ""),
    Key("log.full", _L, ("z",), "z", "full", "full screen", Need.WIDE),
    Key("log.previous", _L, ("p",), "p", "previous", "run before", Need.SINGLE),
    Key("log.copy", _L, ("c",), "c", "copy", "copy, save"),
    Key("log.save", _L, ("ctrl+s",), "^s", "save", "", looks=False),
    Key("log.mark", _L, ("m",), "m", "mark", "mark, clear", footer=False),
    Key("log.clear", _L, ("C",), "C", "clear", "", footer=False),
    Key("log.left", _L, ("left",), "←", "left", "left, right", footer=False),
    Key("log.right", _L, ("right",), "→", "right", "", footer=False),
    Key("page.full", _P, ("z",), "z", "full", "full screen", Need.WIDE),
    Key("page.copy", _P, ("c",), "c", "copy", "copy as text"),
    Key("any.tab_left", _A, ("left_square_bracket",), "[", "tab", "tab left, right", Need.ROW, footer=False),
    Key("any.tab_right", _A, ("right_square_bracket",), "]", "tab", "", Need.ROW, footer=False),
    Key("any.tab_1", _A, ("alt+1",), "alt 1", "first tab", "tab by number", Need.ROW, footer=False),
    Key("any.tab_2", _A, ("alt+2",), "2", "second tab", "", Need.ROW, footer=False),
    Key("any.tab_3", _A, ("alt+3",), "3", "third tab", "", Need.ROW, footer=False),
    Key("any.region", _A, ("tab",), "tab", "pane", "next region", Need.ROW),
    Key("any.region_back", _A, ("shift+tab",), "", "region", "", Need.ROW, footer=False),
    Key("any.down", _A, ("j", "down"), "j ↓", "down", "down, up", footer=False),
    Key("any.up", _A, ("k", "up"), "k ↑", "up", "", footer=False),
    Key("any.top", _A, ("g", "home"), "g", "top", "top, bottom", footer=False),
    Key("any.bottom", _A, ("G", "end"), "G", "bottom", "", footer=False),
    Key("any.page_down", _A, ("pagedown",), "pgdn", "page", "page down, up", footer=False),
    Key("any.page_up", _A, ("pageup",), "pgup", "page", "", footer=False),
    Key("any.half_down", _A, ("ctrl+d",), "^d", "half", "half a page", footer=False),
    Key("any.half_up", _A, ("ctrl+u",), "^u", "half", "", footer=False),
    Key("any.back", _A, ("escape",), "esc", "back", "back, never quits", footer=False),
    Key("any.command", _A, ("colon",), ":", "command", "command line"),
    Key("any.help", _A, ("question_mark", "f1"), "? F1", "help", "help"),
    Key("any.interrupt", _A, ("ctrl+c",), "^c", "copy", "copy, clear, quit", footer=False),
    Key("any.suspend", _A, ("ctrl+z",), "^z", "suspend", "suspend", footer=False),
    Key("any.quit", _A, ("q", "f10"), "q F10", "quit", "quit the console"),
)
BY_ID: Mapping[str, Key] = {key.id: key for key in KEYS}


def contexts(where: Where, lost: bool) -> tuple[Context, ...]:
    """Contexts that are heard, the nearest first."""
    near = {Where.TREE: Context.TREE, Where.LOG: Context.LOG, Where.PAGE: Context.PAGE}[where]
    return (Context.LOST, near, Context.ANY) if lost else (near, Context.ANY)


def works(key: Key, now: Situation) -> bool:
    """Whether a key does something right now."""
    if key.context not in contexts(now.where, now.lost):
        return False
    if key.changes and (now.read_only or now.lost or not now.connected):
        return False
    if not key.looks and now.lost:
        return False
    return key.need is Need.NOTHING or key.need.value in now.has


def footer_keys(now: Situation) -> tuple[Key, ...]:
    """Keys for the footer, in order of use: the first key of each that works."""
    order = contexts(now.where, now.lost)
    shown: list[Key] = []
    for context in order:
        shown += [k for k in KEYS if k.context is context and k.footer and works(k, now)]
    named = (("any.region", "tree"),) if now.where is not Where.TREE else ()
    return tuple(replace(key, word=dict(named).get(key.id, key.word)) for key in shown)


def bindings(keys: Collection[Key] = KEYS) -> list[BindingType]:
    """Textual's bindings of the table; each calls `press` with its id, which does nothing where it doesn't work."""
    return [
        Binding(",".join(key.keys), f"press('{key.id}')", key.word, show=False, id=key.id, priority=True)
        for key in sorted(keys, key=lambda key: key.context is Context.ANY)
    ]
