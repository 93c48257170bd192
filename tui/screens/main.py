"""The main screen: keys come in, intents and widgets answer."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, assert_never

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import QuarterdeckError
from quarterdeck.engine.model import PodStatus
from quarterdeck.widgets.dress import DRESSES
from quarterdeck.widgets.filter import EVERYTHING, compile_search, parse_filter
from quarterdeck.widgets.ink import dress_of
from quarterdeck.widgets.measure import memory
from quarterdeck.widgets.tree import PodTree

from ..intents import CANCEL, SIGNALS, Intents, Question
from ..keys import BY_ID, bindings, works
from ..session import Session
from .command import CommandLine
from .dialog import Dialog, Menu
from .frame import Frame
from .help import HelpScreen
from .pane import Pane
from .presses import Handlers, handlers, logs
from .prompt import Asking, Prompt, Said


class MainScreen(Frame, inherit_bindings=False):
    """Tree, pane, prompt and dialogs."""

    BINDINGS: ClassVar[list[BindingType]] = bindings()

    class Leave(Message):
        """The console may go."""

    class Retry(Message):
        """Dial the engine now."""

        def __init__(self, hang_up: bool = False) -> None:
            super().__init__()
            self.hang_up = hang_up

    def __init__(self, session: Session, host_name: str) -> None:
        super().__init__(session, host_name)
        self.prompt = Prompt(self._heard, id="prompt")
        self.commands = CommandLine(id="commands")
        self.intents = Intents(session, self._ask, self.say)
        self._handlers: Handlers = handlers(self)

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self.prompt
        yield self.commands

    # Keys

    def action_press(self, id: str) -> None:
        """A key of the table."""
        self._handlers[id]()
        self.draw_keys()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does something where the cursor is."""
        if action != "press":
            return True
        key = BY_ID[str(parameters[0])]
        if self.prompt.asking is not None and key.id != "any.interrupt":
            return False
        return works(key, self.situation())

    # Verbs

    def do(self, verb: Verb) -> None:
        """A verb on what is chosen."""
        self.act(verb, *self.chosen())

    @work(group="intent")
    async def act(self, verb: Verb, name: str, pods: tuple[PodStatus, ...]) -> None:
        """A verb on pods; marks are cleared once it is under way."""
        if await self.intents.act(verb, name, pods, self.fleet):
            self.pods.unmark()
            self.draw_keys()

    @work(group="intent")
    async def choose_signal(self) -> None:
        """Ask which signal, then send it."""
        name, pods = self.chosen()
        signal = await self.app.push_screen_wait(Menu(f"signal {name}", SIGNALS))
        if signal != CANCEL:
            await self.intents.act(Verb.KILL, name, pods, self.fleet, signal)

    @work(group="intent")
    async def close_topology(self, topology: str) -> None:
        """`:down`."""
        await self.intents.down(topology, self.fleet)

    @work(group="leave", exclusive=True)
    async def leave(self) -> None:
        """Quit, after the question where something is owned."""
        if await self.intents.quit(self.fleet):
            self.post_message(self.Leave())

    async def _ask(self, question: Question) -> str:
        return await self.app.push_screen_wait(Dialog(question))

    def say(self, title: str, text: str, error: bool = False) -> None:
        """A toast."""
        self.notify(text, title=title, severity="error" if error else "information", markup=False)

    # What else keys do

    def retry(self) -> None:
        self.post_message(self.Retry())

    def reconnect(self) -> None:
        """`:reconnect`: hang up and dial."""
        self.post_message(self.Retry(hang_up=True))

    def wear(self, theme: str) -> bool:
        """Other colours; False when there are none of this name."""
        name = f"{theme}-ascii" if dress_of(self).glyphs.ascii else theme
        if name not in DRESSES:
            return False
        self.app.theme = name
        return True

    def help(self) -> None:
        version = self.link.info.version if self.link.info else ""
        self.app.push_screen(HelpScreen(self.situation(), version))

    def suspend(self) -> None:
        self.app.action_suspend_process()

    def copy(self) -> None:
        """What the tab shows, to the clipboard of whoever sits at the terminal."""
        self._copy(self.pane.tab.text())

    def _copy(self, text: str) -> None:
        if text:
            self.app.copy_to_clipboard(text)
            count = text.count("\n") + 1
            self.say("copied", f"{count} line{'s' if count > 1 else ''}, if the terminal allows it (OSC 52)")

    @work(group="save", exclusive=True)
    async def save(self) -> None:
        """The log, to a file in the folder that the console was started in."""
        tab = logs(self)
        if tab is None:
            return
        try:
            path, size = await tab.save(Path.cwd())
        except QuarterdeckError as error:
            self.say("not saved", str(error), True)
        except OSError as error:
            self.say(
                "not saved",
                f"{error.filename}: {error.strerror}; start the console in a folder of yours",
                True,
            )
        else:
            self.say("saved", f"{path.name}, {memory(size)}")

    def interrupt(self) -> None:
        """^c: copy what is selected, else clear what is typed, else as q."""
        if text := self.get_selected_text():
            self._copy(text)
            self.clear_selection()
        elif not self.prompt.clear():
            self.leave()

    def go_back(self) -> None:
        """Esc: one step back, never out."""
        tab = logs(self) if self.in_pane else None
        if tab is not None and tab.log_view.stop_seeking():
            return
        if tab is not None and tab.log_view.pattern is not None:
            tab.log_view.search(None)
            self.pane.title()
        elif tab is not None and tab.log_view.wanted:
            tab.log_view.keep_only(EVERYTHING)
            self.pane.title()
        elif self.is_full:
            self.full(False)
        elif self.in_pane:
            self.enter(pane=False)
        elif self.pods.wanted:
            self.pods.wanted = EVERYTHING
        else:
            self.pods.unmark()

    # The prompt

    def _heard(self, said: Said) -> None:
        match said:
            case Prompt.Typed():
                self._typed(said)
            case Prompt.Done():
                self._done(said)
            case Prompt.Cancelled():
                self._cancelled(said)
            case Prompt.Complete(text) if self.prompt.asking is Asking.COMMAND:
                self.prompt.put(self.commands.complete(text, self.pods.rows))
            case Prompt.Choose(step) if self.prompt.asking is Asking.COMMAND:
                self.commands.choose(step)
            case Prompt.Complete() | Prompt.Choose():
                pass
            case _:
                assert_never(said)

    def _typed(self, message: Prompt.Typed) -> None:
        match message.asking:
            case Asking.FILTER:
                self.pods.wanted = parse_filter(message.text)
            case Asking.COMMAND:
                self.commands.suggest(message.text, self.session.read_only, self.chosen())
            case Asking.SEARCH | Asking.LINES:
                pass

    def _done(self, message: Prompt.Done) -> None:
        command = self.commands.meant(message.text)
        self._prompt_ended()
        tab = logs(self)
        match message.asking:
            case Asking.FILTER:
                if self.pods.wanted.problem:
                    self.say("filter", self.pods.wanted.problem)
            case Asking.SEARCH if tab is not None:
                pattern, problem = compile_search(message.text) if message.text else (None, "")
                tab.log_view.search(pattern)
                if problem:
                    self.say("search", problem)
            case Asking.LINES if tab is not None:
                tab.log_view.keep_only(parse_filter(message.text))
            case Asking.COMMAND:
                self.commands.run(command, self)
            case _:
                pass
        self.pane.title()
        self.draw_keys()

    def _cancelled(self, message: Prompt.Cancelled) -> None:
        self._prompt_ended()
        tab = logs(self)
        if message.asking is Asking.FILTER:
            self.pods.wanted = EVERYTHING
        elif message.asking is Asking.LINES and tab is not None:
            tab.log_view.keep_only(EVERYTHING)
        self.draw_keys()

    def _prompt_ended(self) -> None:
        self.commands.close()
        self.set_focus(self.pane.view if self.in_pane else self.pods)

    # The widgets

    def on_pod_tree_moved(self, message: PodTree.Moved) -> None:
        message.stop()
        self.pane.about(message.row)
        self.draw_keys()

    def on_pod_tree_opened(self, message: PodTree.Opened) -> None:
        message.stop()
        self.enter(pane=True)

    def on_pane_switched(self, message: Pane.Switched) -> None:
        message.stop()
        self.draw_keys()

    def on_descendant_focus(self) -> None:
        # A click moves the focus by itself; the frame follows it.
        inside = self.focused is not None and self.pane in self.focused.ancestors_with_self
        if self.prompt.asking is None and self.focused is not None and inside is not self.in_pane:
            self.enter(pane=inside)
