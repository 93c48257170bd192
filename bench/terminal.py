"""A terminal of 120x40 without a person: runs a program in a pty and tells when its screen first showed a text."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pyte

from .session import Failed

COLUMNS, ROWS = 120, 40
ANSWERS = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[c": b"\x1b[?62;22c"}
"""What a terminal says of itself when asked: that it takes synchronised output, that it is a VT220."""
QUIET = 0.25
DEADLINE = 20.0

Chunk = tuple[float, bytes]


def seconds_until(
    marks: Sequence[Sequence[str]], command: Sequence[str], env: dict[str, str], cwd: Path
) -> tuple[list[float], int]:
    """Seconds from exec to the first screen that shows every text of each mark, and all bytes up to then.

    Raises `Failed` when a mark never shows.
    """
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=cwd, start_new_session=True
    )
    os.close(slave)
    try:
        chunks: list[Chunk] = []
        while time.perf_counter() - begun < DEADLINE:
            more = _read_until_quiet(master, begun)
            chunks += more
            times = _replay(chunks, marks)
            if None not in times:
                found = [seconds for seconds in times if seconds is not None]
                return found, sum(len(data) for when, data in chunks if when <= max(found))
            if not more and process.poll() is not None:
                break
        screen = _screen_of(chunks)
        raise Failed(f"{' '.join(command)} never showed {marks}; its screen:\n" + "\n".join(screen))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(master)


def _read_until_quiet(master: int, begun: float) -> list[Chunk]:
    """What comes, with its time, until there is a pause. Nothing is parsed here, so that nobody waits for us."""
    chunks: list[Chunk] = []
    while select.select([master], [], [], QUIET)[0]:
        try:
            data = os.read(master, 1 << 16)
        except OSError:  # the program ended
            break
        chunks.append((time.perf_counter() - begun, data))
        for question, answer in ANSWERS.items():
            if question in data:
                os.write(master, answer)
        if len(chunks) > 1 and chunks[-1][0] - chunks[0][0] > DEADLINE:
            break
    return chunks


def _replay(chunks: Sequence[Chunk], marks: Sequence[Sequence[str]]) -> list[float | None]:
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    times: list[float | None] = [None] * len(marks)
    for when, data in chunks:
        stream.feed(data)
        text = "\n".join(screen.display)
        for number, mark in enumerate(marks):
            if times[number] is None and all(word in text for word in mark):
                times[number] = when
    return times


def _screen_of(chunks: Sequence[Chunk]) -> list[str]:
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    for _, data in chunks:
        stream.feed(data)
    return [line for line in map(str.rstrip, screen.display) if line]
