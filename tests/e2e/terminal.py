"""A real terminal for a test: a pty, the program in it, and the screen as a person would see it (pyte)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyte

PATIENCE = 20.0
KEYS = {"enter": "\r", "esc": "\x1b", "tab": "\t", "down": "\x1b[B", "up": "\x1b[A"}


class Terminal:
    """One program in a pty of `columns` x `rows`; a thread reads what it draws."""

    def __init__(self, command: list[str], env: dict[str, str], columns: int = 120, rows: int = 40) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._lock = threading.Lock()
        self.master, slave = pty.openpty()
        self._size(slave, columns, rows)
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        # COLUMNS and LINES would outvote the terminal.
        env = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.drawn = b""
        self.process = subprocess.Popen(
            command,
            env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @staticmethod
    def _size(descriptor: int, columns: int, rows: int) -> None:
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self) -> None:
        while True:
            try:
                if not select.select([self.master], [], [], 0.2)[0]:
                    continue
                data = os.read(self.master, 65_536)
            except (OSError, ValueError):
                return
            if not data:
                return
            with self._lock:
                self.drawn += data
                # pyte takes private modes for plain ones and trips over what it does not know.
                with contextlib.suppress(Exception):
                    self._stream.feed(data.replace(b"\x1b[>", b"\x1b[?").replace(b"\x1b[<", b"\x1b[?"))

    @property
    def text(self) -> str:
        """The screen's lines, without what is blank at their ends."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self.screen.display)

    def row(self, part: str) -> str:
        """The first line that contains `part`, or nothing."""
        return next((line for line in self.text.splitlines() if part in line), "")

    def until(self, holds: Callable[[str], Any] | str, seconds: float = PATIENCE) -> str:
        """Wait until the screen holds; returns it. Fails with the screen when it does not come."""
        test = (lambda text: holds in text) if isinstance(holds, str) else holds
        end = time.monotonic() + seconds
        while not test(text := self.text):
            assert time.monotonic() < end, f"not on the screen after {seconds:g}s: {holds}\n{text}"
            time.sleep(0.02)
        return text

    def press(self, *keys: str) -> None:
        """Type; names of KEYS are keys, all else is text."""
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())

    def resize(self, columns: int, rows: int) -> None:
        with self._lock:
            self.screen.resize(rows, columns)
        self._size(self.master, columns, rows)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def exit_code(self) -> int:
        """Wait for the program to end."""
        return self.process.wait(PATIENCE)

    def is_sane(self) -> bool:
        """Whether the terminal is as it was: line discipline, main screen, cursor shown."""
        after = termios.tcgetattr(self._slave)
        return (
            after == self.before
            and self.drawn.rfind(b"\x1b[?1049l") > self.drawn.rfind(b"\x1b[?1049h")
            and self.drawn.rfind(b"\x1b[?25h") > self.drawn.rfind(b"\x1b[?25l")
        )

    def hang_up(self) -> None:
        """Close the line, as when an SSH connection drops."""
        os.close(self._slave)
        os.close(self.master)

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for descriptor in (self._slave, self.master):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._reader.join(5)


@contextlib.contextmanager
def terminal(
    command: list[str], env: dict[str, str], columns: int = 120, rows: int = 40
) -> Iterator[Terminal]:
    made = Terminal(command, env, columns, rows)
    try:
        yield made
    finally:
        made.end()
