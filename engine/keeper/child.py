"""The first steps of a pod's process, between fork and its own code. Runs in the child only."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
from typing import NoReturn

from ..plan.job import Job
from .cgroups import Group
from .limits import LimitError, Limits, hold
from .linux import die_with, show_as
from .processes import MARK
from .program import ProgramError, become_program, why_not

POD_SIGNALS = (
    signal.SIGCHLD,
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGPIPE,
    signal.SIGXFSZ,
)
"""Blocked in a new child until they do what they do by default."""
LOADER_PREFIXES = ("LD_", "PYTHON", "MALLOC_", "GRPC_", "OMP_", "OPENBLAS_", "MKL_", "GLIBC_")
"""Variables that are read once, when a process or a library starts: a fork can't take new values."""
HARMLESS = frozenset(
    {
        "PYTHONBREAKPOINT",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPYCACHEPREFIX",
        "PYTHONUNBUFFERED",
        "PYTHONIOENCODING",
        "PYTHONSTARTUP",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    }
)
"""Of these, the ones that a fork takes all the same, or that change nothing for a pod: its output is line-buffered,
roots are read when a channel opens."""

_BOOT = """\
import json, os, sys
def give_up(reason):
    os.write({ready}, json.dumps({{"error": reason}}).encode())
    sys.exit(1)
if sys.version_info < {oldest}:
    give_up({name!r} + ": " + sys.executable + " is Python %d.%d; pods need {words} or newer" % sys.version_info[:2])
sys.path.append({root!r})
try:
    import grpc, google.protobuf
except ImportError as error:
    install = sys.executable + " -m pip install grpcio grpcio-reflection protobuf"
    give_up("%s: %s: %s; pods need it, install it there: %s" % ({name!r}, sys.executable, error, install))
try:
    from quarterdeck.engine.pods.main import main
except Exception as error:
    install = sys.executable + " -m pip install -U grpcio grpcio-reflection protobuf"
    give_up("%s: %s: %s; bring what pods need up to date there: %s" % ({name!r}, sys.executable, error, install))
sys.exit(main({job}, {ready}))
"""
"""Any Python since 2.6 must be able to read it, to say that it is too old."""
OLDEST = (3, 11)


def must_exec(job: Job, own: dict[str, str]) -> bool:
    """Whether the job needs an interpreter of its own: another Python, or loader variables that differ."""
    # The folder too, unresolved: the interpreters of two virtual environments may be links to one file.
    if job.python and _known_as(job.python) != _known_as(sys.executable):
        return True

    def loader(env: dict[str, str]) -> dict[str, str]:
        return {
            name: value
            for name, value in env.items()
            if name.startswith(LOADER_PREFIXES) and name not in HARMLESS
        }

    return loader(job.env) != loader(own)


def _known_as(python: str) -> tuple[str, str]:
    return os.path.dirname(python), os.path.realpath(python)


def become_pod(
    descriptors: tuple[int, int, int], keeper: int, fresh: bool, go: int, group: Group | None
) -> NoReturn:
    """Turn this freshly forked child of the keeper into a pod; never returns.

    `descriptors` are the job, the log and the pipe that takes what the pod says of itself. `go` is read to
    its end before any other code than ours runs: then the keeper has let go of what it passed on.
    """
    job_fd, log_fd, ready_fd = descriptors
    code = 1
    try:
        die_with(keeper)
        os.setsid()
        for number in POD_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, POD_SIGNALS)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log_fd, 1)
        os.dup2(log_fd, 2)
        os.close(nothing)
        os.close(log_fd)
        with open(job_fd, "rb", closefd=False) as file:
            job = Job.load(file.read())
        os.umask(job.umask)
        os.chdir(job.cwd)
        os.read(go, 1)
        os.close(go)
        hold(Limits(job.memory, job.cpus, job.files, job.processes), group)
        if job.command:
            for descriptor in (job_fd, ready_fd):
                os.set_inheritable(descriptor, False)
            become_program(job)
        if fresh or must_exec(job, dict(os.environ)):
            _exec(job, job_fd, ready_fd)
        os.close(job_fd)
        code = _fork(job, ready_fd)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(ready_fd, json.dumps({"error": _reason(error)}).encode() + b"\n")
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _reason(error: BaseException) -> str:
    if isinstance(error, ProgramError | LimitError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}"
    return f"{type(error).__name__}: {error}"


def _fork(job: Job, ready_fd: int) -> int:
    from ..pods.main import run

    os.environ.clear()
    os.environ.update(job.env)
    show_as(job.title, job.mark, MARK.encode())
    gc.enable()
    return run(job, ready_fd)


def _exec(job: Job, job_fd: int, ready_fd: int) -> NoReturn:
    python = job.python or sys.executable
    if not (os.path.isfile(python) and os.access(python, os.X_OK)):
        what = "is not executable" if os.path.isfile(python) else "is not there"
        raise ProgramError(f"{job.name}: the interpreter {python} {what}; name another one as python")
    os.lseek(job_fd, 0, os.SEEK_SET)
    os.set_inheritable(job_fd, True)
    os.set_inheritable(ready_fd, True)
    boot = _BOOT.format(
        root=import_root(),
        name=job.name,
        job=job_fd,
        ready=ready_fd,
        oldest=OLDEST,
        words=".".join(map(str, OLDEST)),
    )
    try:
        os.execve(python, [python, "-c", boot, job.title], job.env)
    except OSError as error:
        raise ProgramError(f"{job.name}: the interpreter {why_not(python, error)}") from None


def import_root() -> str:
    """The folder from which `quarterdeck` is imported, as another interpreter must find it."""
    package = sys.modules[__name__.partition(".")[0]]
    return os.path.dirname(os.path.dirname(os.path.abspath(package.__file__ or "")))
