"""`CommandLine`: what a typed command can become, shown over the rows above the prompt, and what it then does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import QuarterdeckError, TargetError
from quarterdeck.engine.model import Fleet, PodStatus
from quarterdeck.engine.target import find
from quarterdeck.widgets.dress import Ground, Role
from quarterdeck.widgets.filter import parse_filter
from quarterdeck.widgets.ink import Line, Span
from quarterdeck.widgets.measure import several
from quarterdeck.widgets.page import Page
from quarterdeck.widgets.rows import Kind, Row
from quarterdeck.widgets.tree import PodTree

from ..commands import Command, parse, suggestions
from .details import DetailsTab
from .events import EventsTab
from .logs import LogsTab
from .pane import Pane

SHOWN = 6


class Runner(Protocol):
    """The main screen, as far as commands care."""

    fleet: Fleet

    @property
    def pods(self) -> PodTree: ...
    @property
    def pane(self) -> Pane: ...
    def chosen(self) -> tuple[str, tuple[PodStatus, ...]]: ...
    def act(self, verb: Verb, name: str, pods: tuple[PodStatus, ...]) -> object: ...
    def close_topology(self, topology: str) -> object: ...
    def enter(self, pane: bool) -> None: ...
    def say(self, title: str, text: str, error: bool = False) -> None: ...
    def wear(self, theme: str) -> bool: ...
    def reconnect(self) -> None: ...
    def help(self) -> None: ...
    def leave(self) -> object: ...


class CommandLine(Page):
    """Suggestions for what is typed; `run` does it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(ground=Ground.SURFACE, id=id)
        self.can_focus = False
        self._found: tuple[Command, ...] = ()
        self._at = 0
        self._about: Line = ()

    def suggest(self, typed: str, read_only: bool, chosen: tuple[str, tuple[PodStatus, ...]]) -> None:
        """Show what the text can become, and what it would act on."""
        found = suggestions(typed, read_only)[:SHOWN]
        if found != self._found:
            self._found, self._at = found, 0
        name, pods = chosen
        self._about = (
            Span("acts on ", Role.MUTED), Span(name, Role.TEXT, True),
            Span(f", {several(len(pods), 'pod')}", Role.MUTED),
        ) if pods else ()  # fmt: skip
        self._draw()

    def choose(self, step: int) -> None:
        if self._found:
            self._at = (self._at + step) % len(self._found)
            self._draw()

    def complete(self, typed: str, rows: Sequence[Row]) -> str:
        """The chosen suggestion written out; behind its blank, the only target that begins so."""
        word, blank, argument = typed.lstrip().partition(" ")
        if not blank:
            return f"{self._found[self._at].name} " if self._found else typed
        names = [name for row in rows if row.kind is not Kind.GAP for name in (row.short, row.id)]
        fitting = list(dict.fromkeys(name for name in names if name.startswith(argument)))
        if not fitting or not argument:
            return typed
        prefix = fitting[0]
        for name in fitting:
            while not name.startswith(prefix):
                prefix = prefix[:-1]
        return f"{word} {prefix}"

    def meant(self, typed: str) -> str:
        """What Enter runs: the chosen suggestion while its name is being typed, else the text itself."""
        begun = typed.strip()
        return self._found[self._at].name if begun and " " not in begun and self._found else typed

    def close(self) -> None:
        self._found = ()
        self.display = False

    def _draw(self) -> None:
        lines: list[Line] = []
        for n, command in enumerate(self._found):
            here = n == self._at
            lines.append((
                Span(command.name.ljust(12), Role.TEXT, here),
                Span(command.argument.ljust(28), Role.MUTED),
                Span(command.help, Role.SOFT if here else Role.MUTED),
            ))  # fmt: skip
        if self._about and any(command.changes for command in self._found):
            lines.append(self._about)
        self.display = bool(lines)
        self.styles.height = len(lines)
        self.show(lines, chosen=self._at)

    # Doing it

    def run(self, typed: str, runner: Runner) -> None:
        """Do what was typed; what can't be is told."""
        if not typed.strip():
            return
        try:
            command, argument = parse(typed)
            _run(command, argument, runner)
        except QuarterdeckError as error:
            runner.say(error.message, error.hint, True)


def _run(command: Command, argument: str, runner: Runner) -> None:
    match command.name:
        case "restart" | "stop" | "start":
            name, pods = (argument, find(runner.fleet, argument)) if argument else runner.chosen()
            runner.act(Verb(command.name), name, pods)
        case "down":
            runner.close_topology(_topology(argument, runner))
        case "go":
            _go(argument, runner)
        case "filter":
            runner.pods.wanted = parse_filter(argument)
        case "logs" | "details" | "events":
            kinds = {"logs": LogsTab, "details": DetailsTab, "events": EventsTab}
            runner.pane.open(kinds[command.name])
            runner.enter(pane=True)
        case "theme":
            if not runner.wear(argument):
                raise TargetError(f"there is no theme `{argument}`", f"there are: {command.argument}")
        case "reconnect":
            runner.reconnect()
        case "help":
            runner.help()
        case "quit":
            runner.leave()


def _topology(argument: str, runner: Runner) -> str:
    names = [topology.name for topology in runner.fleet.topologies]
    row = runner.pods.cursor
    name = argument or (row.topology if row is not None else "")
    if name not in names:
        raise TargetError(f"no topology `{name}` is up", f"up are: {', '.join(names) or 'none'}")
    return name


def _go(argument: str, runner: Runner) -> None:
    found = {str(pod.key) for pod in find(runner.fleet, argument)}
    wanted = argument.strip("/")
    rows = [row for row in runner.pods.rows if row.kind is not Kind.GAP]
    exact = next((row.id for row in rows if wanted in (row.id, row.short)), None)
    name = exact or next((row.id for row in rows if row.id in found), None) or min(found)
    if not runner.pods.select(name):
        runner.pods.wanted = parse_filter("")
        runner.pods.select(name)
    runner.enter(pane=False)
