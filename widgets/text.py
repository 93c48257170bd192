"""A program's output made fit for the screen: colours are kept, every other control is made harmless.

Pure. Markup stays as written; what comes out has no control character and no line break.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style

LIMIT = 16_384
"""Bytes of one line that are shown; the file has them all."""
TAB = 8

# What a terminal would act on, longest first. An unfinished one ends with the line.
_TOKEN = re.compile(
    r"\x1b\[([0-9:;]*)m"  # 1: colours
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)"  # other CSI
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$|(?=\x1b))"  # OSC, DCS, …
    r"|\x1b[ -/]*(?:[0-~]|$)?"  # other escapes
    r"|([\r\b\t])"  # 2: moves that have a meaning in one line
    r"|([\x00-\x1f\x7f-\x9f\u2028\u2029])"  # 3: any other control
    r"|([\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff])"
)
_PLAIN = re.compile(r"[\x20-\x7e]*")
# Overriding the direction of text can make a line say another thing than it does: shown, not obeyed.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Styled:
    """Text for the screen and the colours that the program gave it."""

    text: str
    spans: tuple[tuple[int, int, Style], ...] = ()
    """Start, end (in characters), style; in order, without overlaps."""
    cut: int = 0
    """Bytes of the line that are not shown."""


def read(raw: bytes, whole: int | None = None) -> Styled:
    """One line of output, without its line break; `whole` is its true length when `raw` is only its start."""
    whole = len(raw) if whole is None else whole
    if len(raw) > LIMIT:
        raw = raw[:LIMIT]
        while raw and raw[-1] & 0xC0 == 0x80:  # not in the middle of a character
            raw = raw[:-1]
        if raw and raw[-1] & 0x80:
            raw = raw[:-1]
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    hidden = whole - len(raw)
    if _PLAIN.fullmatch(text):
        return Styled(text, cut=hidden)
    return _parse(text, hidden)


def clean(text: str) -> str:
    """Any text for one line of the screen, colours dropped."""
    return text if _PLAIN.fullmatch(text) else _parse(text.replace("\n", " "), 0).text


class _Out:
    """The line as it grows: pieces of text with the style they were written in."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, Style | None]] = []
        self.column = 0
        self.returned = False
        """A carriage return was seen: the next text starts the line again."""

    def put(self, text: str, style: Style | None) -> None:
        if not text:
            return
        if self.returned:
            self.pieces.clear()
            self.column = 0
            self.returned = False
        self.pieces.append((text, style))
        self.column += cell_len(text)

    def back(self) -> None:
        if self.pieces and not self.returned:
            text, style = self.pieces.pop()
            self.column -= cell_len(text[-1])
            if len(text) > 1:
                self.pieces.append((text[:-1], style))

    def done(self, hidden: int) -> Styled:
        spans: list[tuple[int, int, Style]] = []
        start = 0
        for text, style in self.pieces:
            end = start + len(text)
            if style is not None:
                if spans and spans[-1][1] == start and spans[-1][2] == style:
                    spans[-1] = (spans[-1][0], end, style)
                else:
                    spans.append((start, end, style))
            start = end
        return Styled("".join(text for text, _ in self.pieces), tuple(spans), hidden)


def _parse(text: str, hidden: int) -> Styled:
    out = _Out()
    state: tuple[str, ...] = ()
    style: Style | None = None
    at = 0
    for match in _TOKEN.finditer(text):
        out.put(text[at : match.start()], style)
        at = match.end()
        if match[1] is not None:
            state = apply_sgr(state, match[1])
            style = sgr_style(state) if state else None
        elif match[2] == "\r":
            out.returned = True
        elif match[2] == "\b":
            out.back()
        elif match[2] == "\t":
            out.put(" " * (TAB - (0 if out.returned else out.column) % TAB), style)
        elif match[3] is not None:
            out.put(_visible(match[3]), style)
        elif match[4] in _BIDI:
            out.put("\ufffd", style)
    out.put(text[at:], style)
    return out.done(hidden)


def _visible(control: str) -> str:
    """One printable character for a control character."""
    code = ord(control)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return " " if code > 0x9F else "\ufffd"


_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}


def apply_sgr(state: tuple[str, ...], parameters: str) -> tuple[str, ...]:
    """The colours and weights in force after `ESC [ parameters m`; unknown ones are passed over."""
    now = list(state)

    def drop(*prefixes: str) -> None:
        now[:] = [item for item in now if not item.startswith(prefixes)]

    codes = [int(part) if part and len(part) < 6 else 0 for part in re.split("[:;]", parameters)]
    at = 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code == 0:
            now.clear()
        elif code in _ON:
            drop(_ON[code])
            now.append(_ON[code])
        elif code in _OFF:
            drop(*_OFF[code])
        elif code in (38, 48):
            kind = codes[at] if at < len(codes) else -1
            size = 2 if kind == 5 else 4 if kind == 2 else 1
            values = codes[at + 1 : at + size]
            at += size
            if len(values) == size - 1 and values and all(0 <= value <= 255 for value in values):
                name = f"color({values[0]})" if kind == 5 else "#" + bytes(values).hex()
                drop("fg " if code == 38 else "bg ")
                now.append(("fg " if code == 38 else "bg ") + name)
        elif code in (39, 49):
            drop("fg " if code == 39 else "bg ")
        elif 30 <= code <= 37 or 90 <= code <= 97:
            drop("fg ")
            now.append(f"fg color({code - 30 if code < 90 else code - 82})")
        elif 40 <= code <= 47 or 100 <= code <= 107:
            drop("bg ")
            now.append(f"bg color({code - 40 if code < 100 else code - 92})")
    return tuple(sorted(now))


@lru_cache(512)
def sgr_style(state: tuple[str, ...]) -> Style:
    """The style of a state; blinking and hidden text are not passed on."""
    fg = next((Color.parse(item[3:]) for item in state if item.startswith("fg ")), None)
    bg = next((Color.parse(item[3:]) for item in state if item.startswith("bg ")), None)
    return Style(
        color=fg.name if fg else None,
        bgcolor=bg.name if bg else None,
        bold=True if "bold" in state else None,
        dim=True if "dim" in state else None,
        italic=True if "italic" in state else None,
        underline=True if "underline" in state else None,
        reverse=True if "reverse" in state else None,
        strike=True if "strike" in state else None,
    )
