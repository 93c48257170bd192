"""What each key does: one handler for each id of the table of keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from quarterdeck.engine.control import Verb
from quarterdeck.widgets.rows import Sort
from quarterdeck.widgets.tree import PodTree

from .details import DetailsTab
from .logs import LogsTab
from .pane import Pane
from .prompt import Asking, Prompt
from .tab import Scrolls

SIDE = 16
"""Cells that an arrow scrolls a log sideways."""


class Desk(Protocol):
    """What the keys work on: the main screen, as far as they care."""

    @property
    def pods(self) -> PodTree: ...
    @property
    def pane(self) -> Pane: ...
    @property
    def prompt(self) -> Prompt: ...
    @property
    def scrolls(self) -> Scrolls: ...
    def enter(self, pane: bool) -> None: ...
    def toggle_region(self) -> None: ...
    def full(self, on: bool | None = None) -> None: ...
    def do(self, verb: Verb) -> object: ...
    def choose_signal(self) -> object: ...
    def go_back(self) -> object: ...
    def interrupt(self) -> object: ...
    def leave(self) -> object: ...
    def help(self) -> object: ...
    def retry(self) -> object: ...
    def copy(self) -> object: ...
    def save(self) -> object: ...
    def suspend(self) -> object: ...


Handlers = Mapping[str, Callable[[], object]]


def handlers(desk: Desk) -> Handlers:
    """A handler for every id of `keys.KEYS`."""
    return {**_tree(desk), **_log(desk), **_any(desk), "lost.retry": desk.retry}


def _tree(desk: Desk) -> Handlers:
    tree = desk.pods

    def see(kind: type[LogsTab] | type[DetailsTab], full: bool = False) -> None:
        desk.pane.open(kind)
        desk.enter(pane=True)
        if full:
            desk.full(True)

    def previous() -> None:
        see(LogsTab)
        log = logs(desk)
        if log is not None:
            log.log_view.previous_run()

    def env() -> None:
        see(DetailsTab)
        if isinstance(desk.pane.tab, DetailsTab):
            desk.pane.tab.show_env()

    def sort(step: int) -> None:
        orders = list(Sort)
        tree.sort = orders[(orders.index(tree.sort) + step) % len(orders)]

    return {
        "tree.open": lambda: desk.enter(pane=True),
        "tree.logs": lambda: see(LogsTab, full=True),
        "tree.details": lambda: see(DetailsTab),
        "tree.restart": lambda: desk.do(Verb.RESTART),
        "tree.stop": lambda: desk.do(Verb.STOP),
        "tree.start": lambda: desk.do(Verb.START),
        "tree.signal": desk.choose_signal,
        "tree.previous": previous,
        "tree.env": env,
        "tree.filter": lambda: desk.prompt.ask(Asking.FILTER, tree.wanted.typed),
        "tree.sort": lambda: sort(1),
        "tree.sort_back": lambda: sort(-1),
        "tree.mark": tree.mark,
        "tree.mark_range": tree.mark_range,
        "tree.unmark": tree.unmark,
        "tree.fold": tree.fold,
        "tree.unfold": tree.unfold,
        "tree.fold_one": tree.fold,
        "tree.unfold_one": tree.unfold,
        "tree.unfold_all": tree.unfold_all,
    }


def logs(desk: Desk) -> LogsTab | None:
    """The logs tab, when it is the one that is seen."""
    tab = desk.pane.tab
    return tab if isinstance(tab, LogsTab) else None


def _log(desk: Desk) -> Handlers:
    def view(act: Callable[[LogsTab], object]) -> Callable[[], object]:
        def run() -> None:
            tab = logs(desk)
            if tab is not None:
                act(tab)

        return run

    def lines(tab: LogsTab) -> None:
        desk.prompt.ask(Asking.LINES, tab.log_view.wanted.typed)

    return {
        "log.search": lambda: desk.prompt.ask(Asking.SEARCH),
        "log.next": view(lambda tab: tab.log_view.find(1)),
        "log.before": view(lambda tab: tab.log_view.find(-1)),
        "log.filter": view(lines),
        "log.follow": view(lambda tab: tab.log_view.toggle_follow()),
        "log.wrap": view(lambda tab: tab.log_view.toggle_wrap()),
        "log.times": view(lambda tab: tab.log_view.toggle_times()),
        "log.full": desk.full,
        "log.previous": view(lambda tab: tab.log_view.previous_run()),
        "log.copy": desk.copy,
        "log.save": desk.save,
        "log.mark": view(lambda tab: tab.log_view.mark()),
        "log.clear": view(lambda tab: tab.log_view.clear()),
        "log.left": view(lambda tab: tab.log_view.sideways(-SIDE)),
        "log.right": view(lambda tab: tab.log_view.sideways(SIDE)),
        "page.full": desk.full,
        "page.copy": desk.copy,
    }


def _any(desk: Desk) -> Handlers:
    pane = desk.pane
    return {
        "any.tab_left": lambda: pane.turn(-1),
        "any.tab_right": lambda: pane.turn(1),
        "any.tab_1": lambda: pane.go(0),
        "any.tab_2": lambda: pane.go(1),
        "any.tab_3": lambda: pane.go(2),
        "any.region": desk.toggle_region,
        "any.region_back": desk.toggle_region,
        "any.down": lambda: desk.scrolls.move(1),
        "any.up": lambda: desk.scrolls.move(-1),
        "any.top": lambda: desk.scrolls.home(),
        "any.bottom": lambda: desk.scrolls.end(),
        "any.page_down": lambda: desk.scrolls.page(1),
        "any.page_up": lambda: desk.scrolls.page(-1),
        "any.half_down": lambda: desk.scrolls.page(0.5),
        "any.half_up": lambda: desk.scrolls.page(-0.5),
        "any.back": desk.go_back,
        "any.command": lambda: desk.prompt.ask(Asking.COMMAND),
        "any.help": desk.help,
        "any.interrupt": desk.interrupt,
        "any.suspend": desk.suspend,
        "any.quit": desk.leave,
    }
