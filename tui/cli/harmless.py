"""Log text on its way to a terminal: colours stay, everything else that could drive the terminal is shown."""

from __future__ import annotations

import re
import sys

_KEPT = re.compile(rb"\x1b\[[0-9;:]*m")
_SEQUENCES = re.compile(
    rb"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|(?=\n)|$)"  # OSC, DCS, SOS, PM, APC
    rb"|\x1b[ -/]*[0-~]"
    rb"|[\x00-\x08\x0b-\x1f\x7f]"
)
_C1 = re.compile(rb"\xc2[\x80-\x9f]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


def _replace(found: re.Match[bytes]) -> bytes:
    text = found.group()
    if _KEPT.fullmatch(text):
        return text
    if text == b"\r":
        return b""
    return REPLACEMENT if len(text) == 1 else b""


def harmless(data: bytes) -> bytes:
    """The bytes without control sequences other than colours; newlines and tabs stay."""
    # C1 controls last: what is taken out before them may have stood between their two bytes.
    return _C1.sub(REPLACEMENT, _SEQUENCES.sub(_replace, data))


def emit(data: bytes) -> None:
    """Write log bytes to standard output: as they are for a program, harmless for a terminal."""
    sys.stdout.buffer.write(harmless(data) if sys.stdout.isatty() else data)
    sys.stdout.buffer.flush()
