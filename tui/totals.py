"""The first line of the screen: totals of the host, or that the engine has gone. Pure."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from quarterdeck.engine.model import SEVERITY, Fleet, HostSample, Phase
from quarterdeck.widgets.cells import gpu_set
from quarterdeck.widgets.dress import PHASE_ROLES, Glyphs, Role
from quarterdeck.widgets.ink import Line, Span, width_of
from quarterdeck.widgets.measure import clock, countdown, memory_pair, percent, span

from .link import Link, LinkState

GROUPS = Span("   ")
WORDS = Span("  ")


def totals(
    link: Link,
    fleet: Fleet,
    host: HostSample,
    host_name: str,
    socket: str,
    glyphs: Glyphs,
    now: float,
    width: int,
) -> tuple[Line, Line]:
    """Left and right part. Gives way from the right; counts of what isn't ready never do."""
    name = Span(link.info.host if link.info else host_name, Role.TEXT, True)
    address = Span(home_relative(socket), Role.MUTED)
    match link.state:
        case LinkState.SEEKING:
            return (name,), (address,)
        case LinkState.NONE:
            word = Span(f"{glyphs.phases[Phase.STOPPED]} no engine", Role.SOFT)
            return (name, WORDS, word), (address,)
        case LinkState.LOST:
            return _lost(name, link, glyphs, now)
        case LinkState.UP:
            pass
    left: Line = (name, WORDS, *counts(fleet, glyphs))
    age = span(now - link.info.started_at) if link.info else "-"
    engine = (Span("engine ", Role.MUTED), Span(age, Role.SOFT))
    choices: list[tuple[Line, Line]] = []
    use = _host(host)
    gpus = _gpus(link, fleet)
    choices.append(((*left, *use, *gpus), (*engine, WORDS, address)))
    choices.append(((*left, *use, *gpus), engine))
    choices.append((left, (*gpus[1:], *((WORDS,) if gpus else ()), *engine)))
    choices.append((left, engine))
    fitting = (pair for pair in choices if width_of(pair[0]) + width_of(pair[1]) + 4 <= width - 2)
    return next(fitting, (left, ()))


def counts(fleet: Fleet, glyphs: Glyphs) -> Line:
    """`12/14 ready  ▲ 1 backoff  ○ 1 starting`; the worst first."""
    pods = fleet.pods
    line: list[Span] = [Span(f"{fleet.ready}/{len(pods)} ready" if pods else "no pods", Role.TEXT)]
    found = Counter(pod.phase for pod in pods)
    for phase in SEVERITY:
        if phase is not Phase.READY and found[phase]:
            loud = phase is not Phase.STOPPED
            words = f"{glyphs.phases[phase]} {found[phase]} {phase.value}"
            line += [WORDS, Span(words, PHASE_ROLES[phase], bold=loud)]
    return tuple(line)


def _host(host: HostSample) -> Line:
    if host.cpu_percent is None and host.memory_used is None:
        return ()
    return (
        GROUPS, Span("cpu ", Role.MUTED), Span(percent(host.cpu_percent), Role.SOFT),
        GROUPS, Span("mem ", Role.MUTED), Span(memory_pair(host.memory_used, host.memory_total), Role.SOFT),
    )  # fmt: skip


def _gpus(link: Link, fleet: Fleet) -> Line:
    if link.info is None or not link.info.gpus:
        return ()
    dealt = gpu_set(fleet.pods, width=99)
    used = 0
    for part in dealt.split(",") if dealt and not dealt.endswith("x") else ():
        low, _, high = part.partition("-")
        used += int(high) - int(low) + 1 if high.isdecimal() and low.isdecimal() else 1
    used = int(dealt[:-1]) if dealt.endswith("x") else used
    return (GROUPS, Span("gpu ", Role.MUTED), Span(f"{used}/{link.info.gpus}", Role.SOFT))


def _lost(name: Span, link: Link, glyphs: Glyphs, now: float) -> tuple[Line, Line]:
    words = f"{glyphs.phases[Phase.UNREADY]} lost the engine {span(now - link.lost_at)} ago"
    left = (
        name, WORDS, Span(words, Role.WAIT, True),
        GROUPS, Span(f"picture from {clock(link.lost_at)}", Role.SOFT),
    )  # fmt: skip
    left_over = link.retry_at - now
    when = f"in {countdown(left_over)}" if left_over > 0 else "now"
    return left, (Span(f"try {link.attempt + 1} {when}", Role.SOFT),)


def home_relative(path: str) -> str:
    """A path with the home folder as `~`."""
    home = str(Path.home())
    return "~" + path[len(home) :] if home != "/" and path.startswith(home + "/") else path
