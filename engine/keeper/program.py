"""A pod that is somebody else's program: becoming it, or saying in one line why that can't be."""

from __future__ import annotations

import errno
import os
import stat
from typing import NoReturn

from ..plan.job import Job

SHEBANG = 256
"""Bytes of a script in which Linux looks for its interpreter."""


class ProgramError(Exception):
    """It can't be run; the text is for a person."""


def become_program(job: Job) -> NoReturn:
    """Exec the job's command in its environment; raises `ProgramError`. The folder is the present one."""
    path = _find(job)
    try:
        os.execve(path, job.command, job.env)
    except OSError as error:
        raise ProgramError(f"{job.name}: {why_not(path, error)}") from None


def _find(job: Job) -> str:
    name = job.command[0]
    if "/" in name:
        return name
    folders = job.env.get("PATH", os.defpath).split(os.pathsep)
    found = [path for folder in folders if os.path.isfile(path := os.path.join(folder, name))]
    for path in found:
        if os.access(path, os.X_OK):
            return path
    if found:
        raise ProgramError(f"{job.name}: {_not_executable(found[0])}")
    where = os.pathsep.join(folders)
    raise ProgramError(
        f"{job.name}: no program {name} in PATH ({where}); install it, or name it in command with its folder"
    )


def _not_executable(path: str) -> str:
    return f"{path} is not executable; chmod +x {path}"


def why_not(path: str, error: OSError) -> str:
    """Why a file could not be executed, from its path on."""
    try:
        found = os.stat(path)
    except OSError as missing:
        here = "" if os.path.isabs(path) else f" in {os.getcwd()}"
        return f"{path}: {(missing.strerror or '').lower()}{here}; name a program that is there"
    if stat.S_ISDIR(found.st_mode):
        return f"{path} is a folder; name a program in it"
    if not os.access(path, os.X_OK):
        return _not_executable(path)
    interpreter = _interpreter(path)
    if interpreter and not os.path.exists(interpreter):
        return f"{path}: its first line names {interpreter}, which is not there; install that, or change the line"
    if interpreter and not os.access(interpreter, os.X_OK):
        return f"{path}: its first line names {interpreter}, which is not executable; change the line"
    if error.errno == errno.ENOEXEC:
        return (
            f"{path} is no program of this machine; a script needs #! and its interpreter in its first line"
        )
    if error.errno == errno.E2BIG:
        return f"{path}: its arguments and environment are too long; write them to a file"
    if error.errno == errno.ENOENT:
        return f"{path}: the loader that it was linked for is not there; install what it needs"
    return f"{path}: {(error.strerror or str(error)).lower()}"


def _interpreter(path: str) -> str:
    try:
        with open(path, "rb") as file:
            first = file.read(SHEBANG).partition(b"\n")[0]
    except OSError:
        return ""
    words = first[2:].split() if first.startswith(b"#!") else []
    return os.fsdecode(words[0]) if words else ""
