"""What every pod wants of its process, whether one pod or several live in it."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import signal
import sys
from io import TextIOWrapper
from typing import NoReturn

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def prepare() -> None:
    """Whole lines in the log, a trace of a crash, users' log records."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    faulthandler.enable()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a ^C in a terminal is not for pods
    if not logging.getLogger().handlers:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=LOG_FORMAT)


def exit_now(code: int) -> NoReturn:
    """End the process, whatever its threads do."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
