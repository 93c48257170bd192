"""What stands where the tree would, when there is none: what is so, and what to do next. Pure but for its widget."""

from __future__ import annotations

from quarterdeck.widgets.details import labelled
from quarterdeck.widgets.dress import Role
from quarterdeck.widgets.ink import BLANK, Line, Span, width_of

from ..link import Link, LinkState
from ..totals import home_relative

COMMANDS = (
    ("qd demo", "a search with shards and replicas, and a little traffic"),
    ("qd up FILE", "start a topology of your own"),
    ("qd plan FILE", "what a file would start; starts nothing"),
    ("qd doctor", "what is wrong with this host, and what would help"),
)


def empty_lines(link: Link, socket: str, width: int) -> tuple[Line, ...]:
    """The words, not yet centred."""
    address = home_relative(socket) if socket else "the engine's socket"
    match link.state:
        case LinkState.SEEKING:
            return ()
        case LinkState.UP:
            title, text = (
                "nothing runs here yet",
                "the engine is up and has no topology; one shows here as it starts",
            )
        case LinkState.NONE | LinkState.LOST if link.reason:
            title, text = "the engine here can't be used", link.reason
        case LinkState.NONE | LinkState.LOST:
            title = "no engine runs on this host"
            text = f"nothing answers at {address}; one starts with the first topology"
    size = max(len(command) for command, _ in COMMANDS) + 4
    lines: list[Line] = [
        (Span(title, Role.TEXT, True),),
        BLANK,
        *labelled("", text, min(96, width - 4), size=0),
        BLANK,
    ]
    lines.append((Span("in another terminal", Role.MUTED),))
    lines += [(Span(name.ljust(size), Role.TEXT, True), Span(help, Role.MUTED)) for name, help in COMMANDS]
    return tuple(lines)


def centred(lines: tuple[Line, ...], width: int, height: int) -> tuple[Line, ...]:
    """Lines in the middle of a page, a third from the top."""
    left = max(0, (width - max(map(width_of, lines), default=0)) // 2)
    top = max(0, (height - len(lines)) // 2 - 1)
    return (BLANK,) * top + tuple((Span(" " * left), *line) if line else BLANK for line in lines)
