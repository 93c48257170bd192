"""`qd doctor`: looks for what is wrong on this host, and says what would help. Changes nothing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from quarterdeck import __version__
from quarterdeck.engine.home import ENGINE_MARK, Home

from .session import add_socket, home_of

EXAMPLE = """\
  qd doctor
  qd doctor --json"""
MARKS = {"good": "ok  ", "bad": "BAD ", "note": "note"}
FEW_FILES = 4_096
DOCKER_TIMEOUT = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: str
    """`good`, `note` (it may matter) or `bad` (something won't work)."""
    found: str
    help: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a list with one object a finding")
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    findings = [finding for look in LOOKS for finding in look(home_of(args))]
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            print(f"{MARKS[finding.state]}  {finding.what:<{width}}  {finding.found}")
            if finding.help:
                print(f"{'':{width + 6}}  {finding.help}")
    return 1 if any(finding.state == "bad" for finding in findings) else 0


def _python(home: Home) -> Iterator[Finding]:
    yield Finding("quarterdeck", "good", f"{__version__} on Python {platform.python_version()}")
    system = platform.system()
    if system != "Linux":
        yield Finding("system", "bad", system, "pods need Linux; elsewhere only `qd plan` is known to work")


def _terminal(home: Home) -> Iterator[Finding]:
    term = os.environ.get("TERM", "")
    if not sys.stdout.isatty():
        yield Finding("terminal", "note", "standard output is not one", "the console needs a terminal")
        return
    size = shutil.get_terminal_size()
    small = size.columns < 80 or size.lines < 24
    yield Finding(
        "terminal",
        "note" if small or term in ("", "dumb") else "good",
        f"{term or 'TERM is not set'}, {size.columns}x{size.lines}",
        "the console wants 80x24 or more" if small else "",
    )
    if "utf" not in (sys.stdout.encoding or "").lower():
        yield Finding(
            "encoding", "note", sys.stdout.encoding, "set LANG to a UTF-8 locale, or use qd --ascii"
        )


def _home(home: Home) -> Iterator[Finding]:
    from quarterdeck.engine.api.launch import answers
    from quarterdeck.engine.errors import QuarterdeckError

    if home.folder.exists():
        try:
            home.prepare()
            yield Finding("home", "good", str(home.folder))
        except QuarterdeckError as error:
            yield Finding("home", "bad", error.message, error.hint)
    else:
        yield Finding("home", "good", f"{home.folder} (made when first needed)")
    running = answers(home)
    yield Finding("engine", "good", f"answers at {home.socket}" if running else "none runs")
    if not running:
        yield from _leftovers(home)


def _leftovers(home: Home) -> Iterator[Finding]:
    """What an engine that was killed may have left; the next engine ends it."""
    from quarterdeck.engine.keeper.processes import marked

    stale = [path.name for path in (home.socket, *home.folder.glob("*.keeper-*.sock")) if path.exists()]
    if stale:
        yield Finding(
            "stale files", "note", ", ".join(stale), "the next engine removes them: qd engine start"
        )
    strays = [str(process.pid) for process in marked(ENGINE_MARK, home.mark) if process.pid != os.getpid()]
    if strays:
        yield Finding(
            "stray processes", "bad", "pid " + ", ".join(strays), "the next engine ends them: qd engine start"
        )


def _gpus(home: Home) -> Iterator[Finding]:
    from quarterdeck.engine.observe.gpus import find_gpus

    gpus = find_gpus(os.environ)
    count = len(gpus.devices)
    state = "good" if count else "note"
    yield Finding("gpus", state, f"{count} ({gpus.source})" if count else f"none ({gpus.source})")


def _docker(home: Home) -> Iterator[Finding]:
    import docker
    import docker.errors

    try:
        client = docker.from_env(timeout=DOCKER_TIMEOUT)
        try:
            yield Finding("docker", "good", f"engine {client.version()['Version']}")
        finally:
            client.close()
    except docker.errors.DockerException:
        yield Finding("docker", "note", "no engine answers", "needed for container pods only: start dockerd")


def _limits(home: Home) -> Iterator[Finding]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = soft < FEW_FILES
    yield Finding(
        "open files",
        "note" if few else "good",
        f"{soft} (hard limit {hard})",
        f"some hundred pods need more: ulimit -n {min(65_536, hard) if hard > 0 else 65_536}" if few else "",
    )
    where = home.folder if home.folder.exists() else Path("/")
    free = shutil.disk_usage(where).free
    low = free < 1 << 30
    yield Finding("disk", "note" if low else "good", f"{free >> 20} MiB free at {where}",
                  "logs need room" if low else "")  # fmt: skip


def _login(home: Home) -> Iterator[Finding]:
    """logind may end what a session started when its user logs out."""
    if not Path("/run/systemd/system").exists() or os.getuid() == 0:
        return
    user = os.environ.get("USER", str(os.getuid()))
    lingers = Path("/var/lib/systemd/linger", user).exists()
    kills = _kill_user_processes()
    if kills and not lingers:
        yield Finding(
            "log-out", "bad", "KillUserProcesses=yes: pods end with your session", "loginctl enable-linger"
        )
    else:
        yield Finding("log-out", "good", "pods outlive your session")


def _kill_user_processes() -> bool:
    files = [Path("/etc/systemd/logind.conf"), *sorted(Path("/etc/systemd/logind.conf.d").glob("*.conf"))]
    value = "no"
    for file in files:
        try:
            lines = file.read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, said = line.partition("=")
            if name.strip() == "KillUserProcesses":
                value = said.strip().lower()
    return value in ("yes", "true", "1", "on")


def _proxies(home: Home) -> Iterator[Finding]:
    named = [name for name in ("http_proxy", "HTTP_PROXY", "grpc_proxy") if os.environ.get(name)]
    if named:
        yield Finding(
            "proxy", "note", f"{', '.join(named)} set", "our own calls don't use it; your clients may"
        )


LOOKS: tuple[Callable[[Home], Iterator[Finding]], ...] = (
    _python,
    _terminal,
    _home,
    _gpus,
    _docker,
    _limits,
    _login,
    _proxies,
)
