"""Textual's themes, one for each look of `widgets.dress`, so that CSS and widgets wear the same."""

from __future__ import annotations

from collections.abc import Iterator

from textual.theme import Theme

from quarterdeck.widgets.dress import DRESSES, Dress, Ground, Role


def themes() -> Iterator[Theme]:
    """Every look as a theme of the same name."""
    for dress in DRESSES.values():
        yield _native(dress) if dress.native else _theme(dress)


def _theme(dress: Dress) -> Theme:
    color, ground = dress.colors, dress.grounds
    return Theme(
        name=dress.name,
        dark=dress.dark,
        primary=color[Role.ACCENT],
        accent=color[Role.ACCENT],
        warning=color[Role.WAIT],
        error=color[Role.FAIL],
        success=color[Role.READY],
        foreground=color[Role.TEXT],
        background=ground[Ground.BACKGROUND],
        surface=ground[Ground.SURFACE],
        panel=ground[Ground.SURFACE],
        variables={
            "selection": ground[Ground.SELECTION],
            "edge": color[Role.EDGE],
            "muted": color[Role.MUTED],
            "soft": color[Role.SOFT],
            "input-cursor-background": color[Role.ACCENT],
            "input-cursor-foreground": color[Role.ON_ACCENT],
            "input-selection-background": ground[Ground.SELECTION],
        },
    )


def _native(dress: Dress) -> Theme:
    plain = "ansi_default"
    return Theme(
        name=dress.name,
        ansi=True,
        primary=plain,
        accent=plain,
        warning=plain,
        error=plain,
        success=plain,
        foreground=plain,
        background=plain,
        surface=plain,
        panel=plain,
        boost=plain,
        variables={
            "selection": plain,
            "edge": plain,
            "muted": plain,
            "soft": plain,
            "ansi-background": "ansi_black",
            "ansi-foreground": "ansi_white",
            "input-cursor-background": "ansi_white",
            "input-cursor-foreground": "ansi_black",
            "input-cursor-text-style": "reverse",
            "input-selection-background": "ansi_white",
            "input-selection-foreground": "ansi_black",
            "screen-selection-background": "ansi_white",
            "screen-selection-foreground": "ansi_black",
        },
    )
