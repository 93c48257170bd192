"""What the console wears: colours by role, grounds and glyphs, all as data in one table.

Widgets ask for a role (`muted`, `wait`) and never name a colour; where the terminal has none, emphasis says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from types import MappingProxyType

from rich.style import Style

from quarterdeck.engine.model import Phase


class Role(StrEnum):
    """What a piece of text is for."""

    TEXT = "text"
    SOFT = "soft"
    MUTED = "muted"
    ACCENT = "accent"
    ON_ACCENT = "on-accent"
    READY = "ready"
    WAIT = "wait"
    FAIL = "fail"
    EDGE = "edge"
    GUIDE = "guide"
    LINE = "line"
    TAG0 = "tag0"
    TAG1 = "tag1"
    TAG2 = "tag2"
    TAG3 = "tag3"
    TAG4 = "tag4"
    TAG5 = "tag5"
    TAG6 = "tag6"
    TAG7 = "tag7"


TAGS: tuple[Role, ...] = (
    Role.TAG0, Role.TAG1, Role.TAG2, Role.TAG3, Role.TAG4, Role.TAG5, Role.TAG6, Role.TAG7,
)  # fmt: skip


class Ground(StrEnum):
    """What a piece of text stands on."""

    BACKGROUND = "background"
    SURFACE = "surface"
    SELECTION = "selection"
    ACCENT = "accent"


class Veil(IntEnum):
    """How much of its colour a picture has lost."""

    NONE = 0
    STALE = 1
    """The engine has gone: one grey, still to be read."""
    BEHIND = 2
    """A dialog stands before it."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Every character that is not plain text."""

    phases: Mapping[Phase, str]
    cursor: str = "▌"
    mark: str = "•"
    branch: str = "├ "
    last: str = "└ "
    through: str = "│ "
    folded: str = "+"
    divider: str = "│"
    cut: str = "…"
    rule: str = "─"
    ascii: bool = False


UNICODE = Glyphs(
    MappingProxyType({
        Phase.PENDING: "·", Phase.STARTING: "○", Phase.READY: "●", Phase.UNREADY: "◊",
        Phase.BACKOFF: "▲", Phase.FAILED: "×", Phase.STOPPING: "▼", Phase.STOPPED: "□",
    })
)  # fmt: skip
ASCII = Glyphs(
    MappingProxyType({
        Phase.PENDING: ".", Phase.STARTING: "o", Phase.READY: "*", Phase.UNREADY: "?",
        Phase.BACKOFF: "!", Phase.FAILED: "x", Phase.STOPPING: "v", Phase.STOPPED: "-",
    }),
    cursor=">", mark="+", branch="|-", last="`-", through="| ", divider="|", cut="~", rule="-", ascii=True,
)  # fmt: skip

# The colour of a state; what is ready is quiet.
PHASE_ROLES: Mapping[Phase, Role] = MappingProxyType({
    Phase.PENDING: Role.WAIT, Phase.STARTING: Role.WAIT, Phase.READY: Role.READY, Phase.UNREADY: Role.WAIT,
    Phase.BACKOFF: Role.FAIL, Phase.FAILED: Role.FAIL, Phase.STOPPING: Role.WAIT, Phase.STOPPED: Role.MUTED,
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Dress:
    """One look. `colors` is empty where the terminal is to show none (NO_COLOR)."""

    name: str
    dark: bool
    colors: Mapping[Role, str]
    grounds: Mapping[Ground, str]
    stale: tuple[str, str] = ("", "")
    """Text and selection when the engine has gone."""
    behind: str = ""
    """Text behind a dialog."""
    native: bool = False
    """Uses the terminal's own colours, so nothing may be blended."""
    glyphs: Glyphs = UNICODE
    _styles: dict[object, Style] = field(default_factory=dict, repr=False)

    def style(
        self,
        role: Role,
        ground: Ground = Ground.BACKGROUND,
        bold: bool = False,
        underline: bool = False,
        veil: Veil = Veil.NONE,
    ) -> Style:
        """The style of a role on a ground; made once."""
        wanted = (role, ground, bold, underline, veil)
        style = self._styles.get(wanted)
        if style is None:
            style = self._styles[wanted] = self._make(role, ground, bold, underline, veil)
        return style

    def _make(self, role: Role, ground: Ground, bold: bool, underline: bool, veil: Veil) -> Style:
        if not self.grounds:  # emphasis alone
            loud = bold or (veil is Veil.NONE and role in (Role.WAIT, Role.FAIL))
            reverse = ground in (Ground.SELECTION, Ground.ACCENT) and veil is not Veil.BEHIND
            color = self.colors.get(role) if veil is Veil.NONE and not reverse else None
            return Style(color=color, bold=loud, underline=underline, reverse=reverse)
        if ground is Ground.SELECTION and role is Role.GUIDE:
            role = Role.MUTED
        drawn = role in (Role.EDGE, Role.GUIDE, Role.LINE)
        color, background = self.colors[role], self.grounds[ground]
        match veil:
            case Veil.STALE if not drawn:
                color = self.stale[0]
                background = self.stale[1] if ground is Ground.SELECTION else background
            case Veil.BEHIND if not drawn:
                color = self.behind
                background = self.grounds[Ground.SURFACE] if ground is Ground.SELECTION else background
            case _:
                pass
        return Style(color=color, bgcolor=background, bold=bold, underline=underline)


_ROLES = (
    Role.TEXT, Role.SOFT, Role.MUTED, Role.ACCENT, Role.ON_ACCENT,
    Role.READY, Role.WAIT, Role.FAIL, Role.EDGE, Role.GUIDE, Role.LINE,
)  # fmt: skip


def _dress(
    name: str, dark: bool, grounds: str, roles: str, tags: str, stale: tuple[str, str], behind: str
) -> Dress:
    background, surface, selection = grounds.split()
    colors = dict(zip(_ROLES, roles.split(), strict=True)) | dict(zip(TAGS, tags.split(), strict=True))
    return Dress(
        name,
        dark,
        MappingProxyType(colors),
        MappingProxyType(
            {
                Ground.BACKGROUND: background,
                Ground.SURFACE: surface,
                Ground.SELECTION: selection,
                Ground.ACCENT: colors[Role.ACCENT],
            }
        ),
        stale,
        behind,
    )


_DARK_TAGS = "#8fb0dc #7fc4c9 #b6a3e6 #d79bc4 #a9b4c4 #c9b0a3 #86bdb3 #c6b4dc"
_LIGHT_TAGS = "#2f5f99 #0f6a73 #6446a8 #94407a #4a5a6d #7a5343 #1d6762 #72458f"
_CONTRAST_TAGS = "#a9ccff #8fe6ec #d2c2ff #ffbde6 #cfdaea #f0d6c8 #aee8dd #e6d2fa"

#        text    soft    muted   accent  on      ready   wait    fail    edge    guide   line
DARK = _dress(
    "dark", True, "#0f1318 #171d24 #1c2c3d",
    "#dde3ea #b3bdc8 #8894a1 #7db8ff #0b1118 #5fa678 #e3b341 #ff7a70 #626f7d #45515e #2d3742",
    _DARK_TAGS, ("#7f8994", "#1a2027"), "#59636e",
)  # fmt: skip
LIGHT = _dress(
    "light", False, "#fbfbf9 #f0f0ec #dde9f6",
    "#1d2329 #3d4752 #5b6671 #0a5cad #ffffff #1e7138 #875300 #b4231b #858c8e #b4babb #cfd2cf",
    _LIGHT_TAGS, ("#6a727a", "#e6e6e2"), "#9aa1a6",
)  # fmt: skip
CONTRAST = _dress(
    "high-contrast", True, "#000000 #000000 #00284f",
    "#ffffff #f0f0f0 #d2d2d2 #7fd0ff #000000 #5df08a #ffd23f #ff9a94 #b0b0b0 #8a8a8a #8a8a8a",
    _CONTRAST_TAGS, ("#b8b8b8", "#1c1c1c"), "#8a8a8a",
)  # fmt: skip

# For 256 colours: entries of the terminal's palette, chosen rather than rounded. Each value here is one that is
# rounded to the entry meant: 233 234 236, 253 249 247, 111, 72 179 209, 243 240 237; light: 231 255 189, 234 238
# 240, 25, 22 58 124, 244 249 251.
DARK_256 = _dress(
    "dark-256", True, "#141414 #1f1f1f #333333",
    "#e0e0e0 #b8b8b8 #a3a3a3 #87afff #141414 #5faf87 #d7af5f #ff875f #7a7a7a #5c5c5c #3d3d3d",
    "#87afd7 #87d7d7 #afafff #d787af #b8b8b8 #d7afaf #87afaf #d7afd7", ("#8f8f8f", "#292929"), "#666666",
)  # fmt: skip
LIGHT_256 = _dress(
    "light-256", False, "#ffffff #f5f5f5 #d7d7ff",
    "#1f1f1f #474747 #5c5c5c #005faf #ffffff #005f00 #5f5f00 #af0000 #858585 #b8b8b8 #cccccc",
    "#005f87 #005f5f #5f00af #af005f #525252 #5f5f00 #005f5f #5f0087", ("#707070", "#ebebeb"), "#a3a3a3",
)  # fmt: skip

# The terminal's own foreground stands for all greys: bright black is unreadable in too many themes.
SIXTEEN = Dress(
    "16", True,
    MappingProxyType({
        Role.ACCENT: "cyan", Role.READY: "green", Role.WAIT: "yellow", Role.FAIL: "red",
        **{tag: ("blue", "cyan", "magenta")[n % 3] for n, tag in enumerate(TAGS)},
    }),
    MappingProxyType({}), native=True,
)  # fmt: skip
PLAIN = Dress("plain", True, MappingProxyType({}), MappingProxyType({}), native=True)

_ALL = (DARK, LIGHT, CONTRAST, DARK_256, LIGHT_256, SIXTEEN, PLAIN)
DRESSES: Mapping[str, Dress] = MappingProxyType(
    {dress.name: dress for dress in _ALL}
    | {f"{d.name}-ascii": replace(d, name=f"{d.name}-ascii", glyphs=ASCII, _styles={}) for d in _ALL}
)
"""Every look by its name; `NAME-ascii` is the same with plain characters."""


def choose(theme: str | None, ascii: bool, no_color: bool, color_system: str) -> str:
    """The look for a terminal, by name.

    `theme` is what was asked for (`dark`, `light`, `high-contrast`); `color_system` `truecolor`, `256` or `standard`.
    """
    name = theme or "dark"
    if no_color:
        name = "plain"
    elif color_system == "standard":
        name = "16"
    elif color_system == "256" and f"{name}-256" in DRESSES:
        name = f"{name}-256"
    return f"{name}-ascii" if ascii else name
