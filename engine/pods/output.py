"""What pods print that are threads of one process: each pod's to its own log, the rest to that of one of them."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextvars import ContextVar
from typing import Any, TextIO


class Output(io.TextIOBase):
    """Stands for `sys.stdout` and `sys.stderr`: whose text it is, the context says in which it is written.

    What belongs to no pod (threads that the user's code or a library has started) goes to the process's own
    descriptor, each line behind a tag.
    """

    def __init__(self, own: TextIO, tag: str, log: ContextVar[TextIO | None]) -> None:
        super().__init__()
        self._own = own
        self._tag = tag
        self._log = log
        self._begun = False
        """Whether the own text ended within a line."""
        self._lock = threading.Lock()

    @property
    def _stream(self) -> TextIO:
        log = self._log.get()
        return self._own if log is None or log.closed else log

    def write(self, text: str) -> int:
        stream = self._stream
        if stream is not self._own:
            return stream.write(text)
        with self._lock:
            for line in text.splitlines(keepends=True):
                stream.write(line if self._begun else f"{self._tag}{line}")
                self._begun = not line.endswith("\n")
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    @property
    def buffer(self) -> Any:
        return self._stream.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._stream.errors

    def reconfigure(self, **settings: Any) -> None:
        """Nothing: the streams are set up as a pod's are."""


class Logs:
    """The logs of a process's pods, and which of them the process's own descriptors write to."""

    def __init__(self, tag: str) -> None:
        """Takes the place of `sys.stdout` and `sys.stderr`."""
        self._log: ContextVar[TextIO | None] = ContextVar("log of a pod", default=None)
        for name in ("stdout", "stderr"):
            own = getattr(sys, name)
            if isinstance(own, io.TextIOWrapper):
                own.reconfigure(line_buffering=True, errors="backslashreplace")
            setattr(sys, name, Output(own, tag, self._log))

    def open(self, descriptor: int) -> TextIO:
        """A pod's log; owns the descriptor."""
        return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace")

    def enter(self, log: TextIO) -> None:
        """From here on all of this thread's text is that of the log's pod, and of what begins in its context."""
        self._log.set(log)

    def lend(self, log: TextIO) -> None:
        """Have the process's own text go to this log: of programs that it starts, of libraries, of a crash."""
        for own in (1, 2):
            os.dup2(log.fileno(), own)
