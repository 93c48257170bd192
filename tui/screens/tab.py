"""`Tab`: what a tab of the pane is: it follows the row under the cursor and says what its subject is.

A new tab is a class of these and a line in `tabs.py`; neither the App nor the main screen knows which there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from textual.message import Message
from textual.widget import Widget

from quarterdeck.engine.model import Event, Fleet
from quarterdeck.widgets.ink import BLANK, Line
from quarterdeck.widgets.rows import Row

from ..session import Session
from ..situation import Where


class Scrolls(Protocol):
    """What can be scrolled by the keys for moving."""

    def move(self, rows: int) -> None: ...
    def page(self, pages: float) -> None: ...
    def home(self) -> None: ...
    def end(self) -> None: ...


class Tab(Widget):
    """One tab. Its `view` is what takes the focus."""

    DEFAULT_CSS: ClassVar[str] = "Tab { height: 1fr; width: 1fr; }"
    TITLE: ClassVar[str]
    WHERE: ClassVar[Where]

    class Retitled(Message):
        """What the tab shows above itself has changed."""

    def __init__(self, session: Session) -> None:
        super().__init__(id=f"tab-{self.TITLE}")
        self.session = session
        self.row: Row | None = None
        self.active = False

    @property
    def view(self) -> Widget:
        raise NotImplementedError

    @property
    def scrolls(self) -> Scrolls:
        raise NotImplementedError

    def about(self, row: Row | None) -> None:
        """The cursor is on this row now, or the row has changed."""
        self.row = row

    def activate(self, on: bool) -> None:
        """Whether it is the tab that is seen; one that isn't does no work."""
        self.active = on

    def take_fleet(self, fleet: Fleet) -> None:
        """The fleet has changed."""

    def take_events(self, events: Sequence[Event]) -> None:
        """All events that are kept."""

    def tick(self, now: float) -> None:
        """A second has passed."""

    def found(self) -> None:
        """The engine, or another, is there."""

    def subject(self) -> tuple[Line, Line]:
        """What stands beside the name: state or scope, and at the right how it follows."""
        return BLANK, BLANK

    def text(self) -> str:
        """What copying takes."""
        return ""

    def facts(self) -> frozenset[str]:
        """What keys may need of it: `single`, `search`."""
        return frozenset()
