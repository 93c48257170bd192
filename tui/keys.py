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
    FILTERED = "filtered"


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
    Key("tree.open", _T, ("enter",), "enter", "open", "open in the pane", Need.ROW),
    Key("tree.logs", _T, ("l",), "l", "logs", "log, full screen", Need.ROW),
    Key("tree.details", _T, ("d",), "d", "details", "details", Need.ROW),
    Key("tree.restart", _T, ("r",), "r", "restart", "end and start again", Need.ROW, changes=True),
    Key("tree.stop", _T, ("x",), "x", "stop", "stop", Need.STOPPABLE, changes=True),
    Key("tree.start", _T, ("S",), "S", "start", "start", Need.STARTABLE, changes=True),
    Key("tree.signal", _T, ("K", "f9"), "K F9", "signal", "send a signal", Need.ALIVE, changes=True, footer=False),
    Key("tree.previous", _T, ("p",), "p", "previous", "log of the run before", Need.POD, footer=False),
    Key("tree.env", _T, ("e",), "e", "env", "environment", Need.POD, footer=False),
    Key("tree.filter", _T, ("slash", "f4"), "/ F4", "filter", "filter: regex, !not, -f fuzzy"),
    Key("tree.sort", _T, ("f6", "greater_than_sign"), "F6 >", "sort", "sort by the next column"),
    Key("tree.sort_back", _T, ("less_than_sign",), "<", "sort", "sort by the one before", footer=False),
    Key("tree.mark", _T, ("space",), "space", "mark", "mark", Need.ROW),
    Key("tree.mark_range", _T, ("ctrl+@",), "^spc", "range", "mark from the last mark", Need.ROW, footer=False),
    Key("tree.unmark", _T, ("U",), "U", "unmark", "clear marks", Need.MARKS, footer=False),
    Key("tree.fold", _T, ("left",), "←", "fold", "fold, or up", Need.ROW, footer=False),
    Key("tree.unfold", _T, ("right",), "→", "unfold", "unfold, or down", Need.BRANCH, footer=False),
    Key("tree.fold_one", _T, ("minus",), "-", "fold", "fold", Need.ROW, footer=False),
    Key("tree.unfold_one", _T, ("plus",), "+", "unfold", "unfold", Need.BRANCH, footer=False),
    Key("tree.unfold_all", _T, ("asterisk",), "*", "unfold all", "unfold all", footer=False),
    Key("log.search", _L, ("slash", "f3"), "/ F3", "search", "search"),
    Key("log.next", _L, ("n",), "n", "next", "next match, downwards", Need.SEARCH),
    Key("log.before", _L, ("N",), "N", "before", "match before, upwards", Need.SEARCH),
    Key("log.filter", _L, ("ampersand",), "&", "filter", "filter lines: regex, !not"),
    Key("log.follow", _L, ("f",), "f", "follow", "follow, or stop"),
    Key("log.wrap", _L, ("w",), "w", "wrap", "wrap long lines"),
    Key("log.times", _L, ("t",), "t", "times", "times"),
    Key("log.full", _L, ("z",), "z", "full", "full screen", Need.WIDE),
    Key("log.previous", _L, ("p",), "p", "previous", "run before", Need.SINGLE),
    Key("log.copy", _L, ("c",), "c", "copy", "copy what is on screen"),
    Key("log.save", _L, ("ctrl+s",), "^s", "save", "save to a file", looks=False),
    Key("log.mark", _L, ("m",), "m", "mark", "draw a line below the last", footer=False),
    Key("log.clear", _L, ("C",), "C", "clear", "hide what is there", footer=False),
    Key("log.left", _L, ("left",), "←", "left", "left", footer=False),
    Key("log.right", _L, ("right",), "→", "right", "right", footer=False),
    Key("page.full", _P, ("z",), "z", "full", "full screen", Need.WIDE),
    Key("page.copy", _P, ("c",), "c", "copy", "copy as text"),
    Key("any.tab_left", _A, ("left_square_bracket",), "[", "tab", "tab to the left", footer=False),
    Key("any.tab_right", _A, ("right_square_bracket",), "]", "tab", "tab to the right", footer=False),
    Key("any.tab_1", _A, ("alt+1",), "alt 1", "tab 1", "first tab", footer=False),
    Key("any.tab_2", _A, ("alt+2",), "alt 2", "tab 2", "second tab", footer=False),
    Key("any.tab_3", _A, ("alt+3",), "alt 3", "tab 3", "third tab", footer=False),
    Key("any.region", _A, ("tab",), "tab", "pane", "next region"),
    Key("any.region_back", _A, ("shift+tab",), "shift tab", "region", "region before", footer=False),
    Key("any.down", _A, ("j", "down"), "j ↓", "down", "down", footer=False),
    Key("any.up", _A, ("k", "up"), "k ↑", "up", "up", footer=False),
    Key("any.top", _A, ("g", "home"), "g home", "top", "top", footer=False),
    Key("any.bottom", _A, ("G", "end"), "G end", "bottom", "bottom", footer=False),
    Key("any.page_down", _A, ("pagedown",), "pgdn", "page", "a page down", footer=False),
    Key("any.page_up", _A, ("pageup",), "pgup", "page", "a page up", footer=False),
    Key("any.half_down", _A, ("ctrl+d",), "^d", "half", "half a page down", footer=False),
    Key("any.half_up", _A, ("ctrl+u",), "^u", "half", "half a page up", footer=False),
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
        Binding(",".join(key.keys), f"press('{key.id}')", key.word, show=False, id=key.id, priority=False)
        for key in sorted(keys, key=lambda key: key.context is Context.ANY)
    ]
