"""Log text on its way to a terminal: colours stay, everything else that could drive the terminal is shown."""

from __future__ import annotations

import re
import sys

_KEPT = re.compile(r"\x1b\[[0-9;:]*m")
_SEQUENCES = re.compile(
    r"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|(?=\n)|$)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def _replace(found: re.Match[str]) -> str:
    text = found.group()
    if _KEPT.fullmatch(text):
        return text
    if text == "\r":
        return ""
    return REPLACEMENT if len(text) == 1 else ""


def harmless(data: bytes) -> bytes:
    """The text without control sequences other than colours; newlines and tabs stay, what is no UTF-8 is replaced."""
    return _SEQUENCES.sub(_replace, data.decode("utf-8", "replace")).encode()


def emit(data: bytes) -> None:
    """Write log bytes to standard output: as they are for a program, harmless for a terminal."""
    sys.stdout.buffer.write(harmless(data) if sys.stdout.isatty() else data)
    sys.stdout.buffer.flush()
