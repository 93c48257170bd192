"""Linux calls that the standard library lacks: prctl, and what `ps` and /proc show of a forked process."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
# Positions after the command name in /proc/self/stat; proc(5) counts them as fields 48 to 51.
_ARG_START, _ENV_END = 45, 48


def _prctl(option: int, argument: int | bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    value = ctypes.c_char_p(argument) if isinstance(argument, bytes) else ctypes.c_ulong(argument)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def become_subreaper() -> None:
    """Orphans among our descendants become our children instead of PID 1's."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with(parent: int) -> None:
    """Ask the kernel for SIGKILL when the thread that forked us ends; `parent` is its process.

    The parent may have ended before the request took hold, so its pid is checked afterwards.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def show_as(title: str, mark: str, variable: bytes) -> None:
    """Make `ps` show `title`, and /proc/PID/environ show `variable=mark`, for a process that was forked.

    A forked process shares its parent's first argument and environment block, which is what /proc reads;
    both are overwritten in place and never grow. `mark` must be as long as the value that stands there.
    """
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    arg_start, arg_end, env_start, env_end = (int(field) for field in fields[_ARG_START : _ENV_END + 1])
    room = arg_end - arg_start
    if room > 1:
        text = title.encode()[: room - 1]
        ctypes.memmove(arg_start, text + b"\0" * (room - len(text)), room)
    block = ctypes.string_at(env_start, env_end - env_start)
    at = block.find(b"\0" + variable + b"=")
    if at >= 0:
        value = at + len(variable) + 2
        end = block.find(b"\0", value)
        if end - value == len(mark):
            ctypes.memmove(env_start + value, mark.encode(), len(mark))
    _prctl(_PR_SET_NAME, title.rpartition("/")[2].encode()[:15])
