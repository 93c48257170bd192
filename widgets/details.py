"""What Details says of a pod or a branch: why first, then the pod, its environment and its history. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.engine.model import Event, Level, Phase, PodDetails, PodStatus
from quarterdeck.engine.model import Role as PodRole

from .cells import Moment, pod_word
from .dress import PHASE_ROLES, Glyphs, Role
from .ink import BLANK, Line, Span, cells, cut_front
from .logpaint import pieces
from .measure import clock, countdown, several, span
from .rows import Kind, Row
from .text import clean

LABEL = 12
ENV_LABEL = 22


def pod_lines(
    pod: PodStatus, details: PodDetails | None, glyphs: Glyphs, moment: Moment, width: int
) -> tuple[Line, ...]:
    """The page of one pod, `width` cells wide; without `details` what its status alone tells."""
    lines: list[Line] = []
    if pod.phase is not Phase.READY:
        lines += [_title("why"), *_why(pod, details, moment, width), BLANK]
    lines += [_title("pod"), *_pod(pod, details, glyphs, moment, width), BLANK]
    if details is not None:
        lines += env_lines(details.env, width)
        if details.history:
            lines += [_title("history")]
            lines += [event_line(event, glyphs) for event in reversed(details.history)]
    return tuple(lines)


def _why(pod: PodStatus, details: PodDetails | None, moment: Moment, width: int) -> list[Line]:
    role = PHASE_ROLES[pod.phase]
    stopped = pod.phase in (Phase.STOPPED, Phase.STOPPING)
    lines = labelled("wanted", "stopped" if stopped else "ready", width)
    if pod.reason:
        lines += labelled("reason", pod.reason, width, role, bold=True)
    if details is not None:
        if details.blocked_by:
            lines += labelled("blocked by", details.blocked_by, width, role, bold=True)
        if details.last_error and details.last_error != pod.reason:
            lines += labelled("last error", details.last_error, width)
        if details.attempts:
            lines += labelled("attempts", details.attempts, width)
    if pod.next_try_at is not None and pod.phase is Phase.BACKOFF and not moment.frozen:
        lines += labelled("next try", f"in {countdown(pod.next_try_at - moment.now)}; r tries now", width)
    if details is not None and details.log_end:
        lines.append(BLANK)
        label = "log ends"
        for text in details.log_end:
            for line in labelled(label, text, width, Role.MUTED if text[:1] in " \t" else Role.SOFT):
                lines.append(line)
                label = ""
    return lines


def _pod(
    pod: PodStatus, details: PodDetails | None, glyphs: Glyphs, moment: Moment, width: int
) -> list[Line]:
    lines = labelled("role", pod_role(pod), width)
    state = [
        Span("state".ljust(LABEL), Role.MUTED),
        Span(f"{glyphs.phases[pod.phase]} ", PHASE_ROLES[pod.phase]),
    ]
    age = "" if moment.frozen or not pod.since else f" for {span(moment.now - pod.since)}"
    lines.append((*state, Span(pod.phase.value + age, Role.SOFT)))
    process = f"pid {pod.pid}" if pod.pid else "no process"
    lines += labelled("runtime", f"{pod.runtime.value}, {process}", width)
    run = f"run {pod.run}, {several(pod.restarts, 'restart')}"
    if pod.exit_code is not None:
        run += f", last exit {pod.exit_code}"
    lines += labelled("runs", run, width)
    if pod.address:
        monitor = f", monitor {pod.port_monitoring}" if pod.port_monitoring else ""
        lines += labelled("address", pod.address + monitor, width)
    if pod.uses:
        lines += labelled("uses", pod.uses, width, front=True)
    if details is None:
        return lines
    gpu = f"{pod.gpu} by {details.gpu_rule}" if pod.gpu and details.gpu_rule else pod.gpu or details.gpu_rule
    for label, value, front in (
        ("command", details.command, False), ("workspace", details.workspace, True), ("gpu", gpu, False),
        ("probe", details.probe, False), ("limits", details.limits, False), ("restart", details.restart, False),
        ("log", details.log_path, True),
    ):  # fmt: skip
        if value:
            lines += labelled(label, value, width, front=front)
    reasons: dict[str, list[str]] = {}
    for what, reason in details.cannot:
        reasons.setdefault(reason, []).append(what)
    for reason, whats in reasons.items():
        lines += labelled("can't", f"{', '.join(whats)}: {reason}", width)
    return lines


def pod_role(pod: PodStatus) -> str:
    """`worker, shard 1 replica 1`."""
    words = pod.role.value
    last = pod.name.rpartition("/")[2]
    if last.startswith("uses_"):
        return f"{words}, {last.partition('-')[0]}"
    places = [f"{name} {n}" for name, n in (("shard", pod.shard), ("replica", pod.replica)) if n is not None]
    return f"{words}, {' '.join(places)}" if places and pod.role is PodRole.WORKER else words


def env_lines(env: Sequence[tuple[str, str]], width: int) -> tuple[Line, ...]:
    """The environment, with its title; nothing when there is none."""
    if not env:
        return ()
    lines: list[Line] = [_title("env")]
    for name, value in env:
        lines += labelled(name, value, width, size=ENV_LABEL)
    return (*lines, BLANK)


def branch_lines(row: Row, glyphs: Glyphs, moment: Moment, width: int) -> tuple[Line, ...]:
    """The page of a topology, a deployment or a shard: what isn't ready first."""
    lines: list[Line] = []
    waiting = [pod for pod in row.pods if pod.phase is not Phase.READY]
    if waiting:
        lines.append(_title("not ready"))
        room = max(LABEL, min(28, width // 3))
        for pod in waiting:
            role = PHASE_ROLES[pod.phase]
            name = cut_front(pod.name, room, glyphs.cut)
            head = (
                Span(f"{glyphs.phases[pod.phase]} ", role),
                Span(name + " " * (room + 2 - cells(name)), Role.TEXT),
                Span(pod_word(pod, moment).ljust(13), role, True),
            )
            lines.append((*head, Span(clean(pod.reason), Role.SOFT)))
        lines.append(BLANK)
    lines.append(_title(row.kind.value))
    found, source = row.deployment, row.source
    if row.kind is Kind.TOPOLOGY and source is not None:
        lines += labelled("file", source.source, width, front=True)
        lines += labelled("up for", span(moment.now - source.created_at), width)
        if source.owner:
            lines += labelled("owner", source.owner, width)
        names = list(dict.fromkeys(pod.deployment for pod in row.pods if pod.role is not PodRole.GATEWAY))
        lines += labelled("deployments", ", ".join(names) or "none", width)
    elif found is not None:
        lines += labelled(
            "uses", found.uses or "the default executor: passes its input through", width, front=True
        )
        if row.kind is Kind.DEPLOYMENT:
            lines += labelled(
                "size", f"{several(found.shards, 'shard')} x {several(found.replicas, 'replica')}", width
            )
            lines += labelled("polling", found.polling, width)
            lines += labelled("needs", ", ".join(found.needs) or "gateway", width)
            if found.port:
                lines += labelled("port", str(found.port), width)
        lines += labelled("restart", found.restart, width)
    lines += labelled("pods", f"{sum(pod.ready for pod in row.pods)} of {len(row.pods)} ready", width)
    return tuple(lines)


def event_line(event: Event, glyphs: Glyphs, name: str = "", room: int = 0) -> Line:
    """One event: time, state or level, text; before it `name` in `room` cells, where several pods are shown."""
    line: list[Span] = [Span(clock(event.time).ljust(10 if room else LABEL), Role.MUTED)]
    if event.phase is not None:
        role = PHASE_ROLES[event.phase]
        quiet = event.phase in (Phase.READY, Phase.STOPPED)
        line.append(Span(glyphs.phases[event.phase] + " ", role))
        line.append(Span(event.phase.value.ljust(10), Role.MUTED if quiet else role))
    else:
        word = {Level.INFO: "", Level.WARN: "warn", Level.ERROR: "error"}[event.level]
        line.append(Span(word.ljust(12), Role.FAIL if event.level is Level.ERROR else Role.WAIT, True))
    if room:
        name = cut_front(name, room, glyphs.cut)
        line.append(Span(name + " " * (room + 2 - cells(name)), Role.TEXT))
    line.append(Span(clean(event.text), Role.TEXT if event.level is not Level.INFO else Role.SOFT))
    return tuple(line)


def _title(word: str) -> Line:
    return (Span(word, Role.TEXT, True),)


def labelled(
    label: str, value: str, width: int, role: Role = Role.SOFT, *, bold: bool = False, front: bool = False,
    size: int = LABEL,
) -> list[Line]:  # fmt: skip
    """A label and its value, wrapped; with `front` cut so that its end stays."""
    room = max(8, width - size)
    head = clean(label)
    if size:
        head = head.ljust(size) if cells(head) < size else cut_front(head, size - 1) + " "
    text = clean(value)
    if front:
        return [(Span(head, Role.MUTED), Span(cut_front(text, room), role, bold))]
    return [
        (Span(head if start == 0 else " " * size, Role.MUTED), Span(text[start:end], role, bold))
        for start, end in _words(text, room)
    ]


def _words(text: str, room: int) -> list[tuple[int, int]]:
    """Ranges of a text wrapped at blanks where there are any."""
    found: list[tuple[int, int]] = []
    start = 0
    while True:
        first, last = pieces(text[start:], room)[0]
        end = start + last - first
        if end >= len(text):
            return [*found, (start, len(text))]
        blank = text.rfind(" ", start + room // 3, end + 1)
        stop = end if blank <= start else blank
        found.append((start, stop))
        start = stop + 1 if blank > start else stop
