"""The least that Textual can show: an app of one `Static`."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static

MARK = "first frame"


class BareApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Static(MARK)


def main() -> None:
    """Run it until killed."""
    BareApp().run()
