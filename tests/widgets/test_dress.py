"""Colours: every text can be read on every ground, and a terminal without them is served too."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem

from quarterdeck.engine.model import Phase
from quarterdeck.widgets.dress import (
    ASCII,
    DRESSES,
    TAGS,
    UNICODE,
    Dress,
    Ground,
    Role,
    Veil,
    choose,
)

TEXTS = (Role.TEXT, Role.SOFT, Role.MUTED, Role.ACCENT, Role.READY, Role.WAIT, Role.FAIL, *TAGS)
COLOURED = [dress for dress in DRESSES.values() if dress.grounds]


def luminance(color: str) -> float:
    triplet = Color.parse(color).get_truecolor()
    channels = [value / 255 for value in triplet]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dress", COLOURED, ids=lambda dress: dress.name)
def test_contrast(dress: Dress) -> None:
    least = 7.0 if dress.name.startswith("high-contrast") else 4.45
    for role in TEXTS:
        for ground in (Ground.BACKGROUND, Ground.SURFACE, Ground.SELECTION):
            assert contrast(dress.colors[role], dress.grounds[ground]) >= least, (role, ground)
    assert contrast(dress.colors[Role.ON_ACCENT], dress.grounds[Ground.ACCENT]) >= least


@pytest.mark.parametrize("dress", COLOURED, ids=lambda dress: dress.name)
def test_a_lost_picture_can_still_be_read(dress: Dress) -> None:
    assert contrast(dress.stale[0], dress.grounds[Ground.BACKGROUND]) >= 4.4


def test_no_color_says_it_by_weight() -> None:
    plain = DRESSES["plain"]
    assert plain.style(Role.FAIL).bold
    assert not plain.style(Role.READY).bold
    assert plain.style(Role.TEXT, Ground.SELECTION).reverse
    assert plain.style(Role.WAIT).color is None
    assert not plain.style(Role.FAIL, veil=Veil.STALE).bold


def test_every_phase_has_a_shape_of_one_cell() -> None:
    for glyphs in (UNICODE, ASCII):
        assert set(glyphs.phases) == set(Phase)
        assert len(set(glyphs.phases.values())) == len(Phase)
    assert all(shape.isascii() for shape in ASCII.phases.values())


@pytest.mark.parametrize(
    ("theme", "ascii", "no_color", "system", "name"),
    [
        (None, False, False, "truecolor", "dark"),
        ("light", False, False, "256", "light-256"),
        ("high-contrast", True, False, "256", "high-contrast-ascii"),
        ("light", True, True, "truecolor", "plain-ascii"),
        (None, False, False, "standard", "16"),
    ],
)
def test_choosing(theme: str | None, ascii: bool, no_color: bool, system: str, name: str) -> None:
    assert choose(theme, ascii, no_color, system) == name
    assert name in DRESSES


@pytest.mark.parametrize(
    ("name", "grounds", "roles"),
    [
        ("dark-256", (233, 234, 236), (253, 249, 247, 111, 233, 72, 179, 209, 243, 240, 237)),
        ("light-256", (231, 255, 189), (234, 238, 240, 25, 231, 22, 58, 124, 244, 249, 251)),
    ],
)
def test_256_colours_come_out_as_they_were_chosen(
    name: str, grounds: tuple[int, ...], roles: tuple[int, ...]
) -> None:
    def entry(value: str) -> int | None:
        return Color.parse(value).downgrade(ColorSystem.EIGHT_BIT).number

    dress = DRESSES[name]
    assert tuple(entry(value) for value in dress.grounds.values())[:3] == grounds
    assert tuple(entry(dress.colors[role]) for role in Role if role not in TAGS) == roles
