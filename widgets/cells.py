"""What stands in a row of the tree: pure, from a row and its samples to a line of spans.

What is ready is quiet; what isn't takes the only bold colour, and its reason stands where its numbers would be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from quarterdeck.engine.model import Phase, PodKey, PodStatus, Sample

from .columns import NAME_X, Column, Grid
from .dress import PHASE_ROLES, Glyphs, Role
from .ink import Line, Span, cells, cut, cut_front
from .measure import countdown, memory, percent, span
from .rows import Kind, Row, Sort


@dataclass(frozen=True, slots=True)
class Moment:
    """What a picture of the tree is taken with."""

    now: float
    samples: Mapping[PodKey, Sample] = field(default_factory=dict)
    frozen: bool = False
    """The engine has gone: no countdown."""


def captions(grid: Grid, sort: Sort = Sort.NAME) -> Line:
    """The line above the rows; what the tree is sorted by is bold."""
    parts = [(NAME_X, grid.name, "name", False)]
    parts += [
        (x, width, column.value, column is not Column.STATE) for column, (x, width) in grid.columns.items()
    ]
    line = _Filler()
    for x, width, word, right in parts:
        sorted_by = word == sort.value and sort is not Sort.NAME
        shown = word.rjust(width) if right else ("  " + word if word == "state" else word)
        line.put(x, Span(shown, Role.TEXT if sorted_by else Role.MUTED, bold=sorted_by))
    return line.done()


def row_line(row: Row, grid: Grid, glyphs: Glyphs, moment: Moment) -> Line:
    """A row without its first cell, which is the cursor's."""
    if row.kind is Kind.GAP:
        return ()
    line = _Filler()
    for item in _name(row, grid, glyphs):
        line.put(max(NAME_X, line.x), item)
    reason = _reason(row)
    for column, (x, width) in grid.columns.items():
        if column is Column.STATE:
            for item in _state(row, glyphs, moment):
                line.put(max(x, line.x), item)
            continue
        start, room = grid.reason
        if reason and start <= x < start + room:
            continue
        found = _cell(column, row, width, moment)
        if found is not None and found.text:
            line.put(x + width - cells(found.text), found)
    if reason:
        start, room = grid.reason
        if room > 3:
            line.put(start, Span(cut(reason, room, glyphs.cut), _role(row)))
    return line.done()


class _Filler:
    """A line that is filled at given columns. Columns 1 and up; what comes out of order is sorted at the end."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, Span]] = []
        self.x = NAME_X

    def put(self, x: int, item: Span) -> None:
        self._spans.append((x, item))
        self.x = x + cells(item.text)

    def done(self) -> Line:
        line: list[Span] = []
        at = NAME_X
        for x, item in sorted(self._spans, key=lambda pair: pair[0]):
            if x > at:
                line.append(Span(" " * (x - at)))
            line.append(item)
            at = max(at, x) + cells(item.text)
        return tuple(line)


def _name(row: Row, grid: Grid, glyphs: Glyphs) -> Line:
    guides = "".join(glyphs.through if on else "  " for on in row.guides[:-1])
    if row.guides:
        guides += glyphs.branch if row.guides[-1] else glyphs.last
    fold = row.folded and bool(guides)
    if fold:
        guides = guides[:-1]
    mark = glyphs.folded if row.folded else ""
    bold = row.kind in (Kind.TOPOLOGY, Kind.DEPLOYMENT)
    loud = bold or row.phase is not Phase.READY
    room = grid.name - cells(guides) - len(mark)
    name = Span(cut_front(row.label, room, glyphs.cut), Role.TEXT if loud else Role.SOFT, bold)
    return (Span(guides, Role.GUIDE), Span(mark, Role.TEXT, True), name)


def _role(row: Row) -> Role:
    return PHASE_ROLES[row.phase]


def _state(row: Row, glyphs: Glyphs, moment: Moment) -> Line:
    phase = row.phase
    role = _role(row)
    quiet = phase in (Phase.READY, Phase.STOPPED)
    word = Role.MUTED if quiet else role
    if row.kind is Kind.POD:
        text = pod_word(row.pods[0], moment)
        return (Span(glyphs.phases[phase], role), Span(" "), Span(text, word, bold=not quiet))
    if not row.pods:
        return (Span("  no pods", Role.MUTED),)
    ready = sum(pod.ready for pod in row.pods)
    text = f"{ready}/{len(row.pods)} ready"
    if len(text) > 11:
        text = text.removesuffix(" ready")
    return (Span(glyphs.phases[phase], role, bold=not quiet), Span(" "), Span(text, word))


def pod_word(pod: PodStatus, moment: Moment) -> str:
    """The word of a pod's state, with the countdown of a backoff."""
    if pod.phase is Phase.BACKOFF and pod.next_try_at is not None and not moment.frozen:
        return f"backoff {countdown(pod.next_try_at - moment.now)}"
    return pod.phase.value


def _reason(row: Row) -> str:
    if row.kind is not Kind.POD:
        return ""
    pod = row.pods[0]
    return "" if pod.phase is Phase.READY else pod.reason


def _cell(column: Column, row: Row, width: int, moment: Moment) -> Span | None:
    pods = row.pods
    pod = row.pod
    match column:
        case Column.PORT:
            port = pod.port if pod else (row.deployment.port if _whole(row) and row.deployment else None)
            return Span(str(port), Role.SOFT) if port else None
        case Column.GPU:
            return Span(gpu_set(pods, width), Role.SOFT if pod else Role.MUTED)
        case Column.CPU:
            return _number(percent(_total(pods, moment, "cpu_percent")), row)
        case Column.MEM:
            used = _total(pods, moment, "memory_bytes")
            return _number(memory(None if used is None else int(used)), row)
        case Column.REQ | Column.P99:
            return _number("-", row)
        case Column.RST:
            count = sum(item.restarts for item in pods)
            if not count:
                return Span("0", Role.MUTED)
            loud = pod is not None and pod.phase is not Phase.READY
            return Span(str(count) if count < 1000 else "1k+", _role(row) if loud else Role.SOFT)
        case Column.AGE:
            begun = [age_since(item) for item in pods]
            if not begun or min(begun) <= 0:
                return None
            return Span(span(moment.now - min(begun)), Role.SOFT)
        case Column.STATE:
            return None


def _whole(row: Row) -> bool:
    return row.kind is Kind.DEPLOYMENT


def _number(text: str, row: Row) -> Span | None:
    """A number; nothing where none can apply."""
    if text == "-" and not any(pod.phase.alive for pod in row.pods):
        return None
    return Span(text, Role.MUTED if text == "-" else Role.SOFT)


def _total(pods: Iterable[PodStatus], moment: Moment, what: str) -> float | None:
    # A sample may be older than its pod's end.
    found = [
        getattr(moment.samples[pod.key], what)
        for pod in pods
        if pod.pid is not None and pod.key in moment.samples
    ]
    known = [value for value in found if value is not None]
    return sum(known) if known else None


def age_since(pod: PodStatus) -> float:
    """When the present run began; of a pod that isn't ready, when its present state did."""
    return pod.started_at if pod.ready and pod.started_at else pod.since


def gpu_set(pods: Iterable[PodStatus], width: int = 3) -> str:
    """The devices of pods in few cells: `2`, `0,1`, `0-3`; `5x` says how many where they don't fit."""
    names = {part.strip() for pod in pods if pod.gpu for part in pod.gpu.split(",") if part.strip()}
    if not names:
        return ""
    if not all(name.isdecimal() for name in names):
        return next(iter(names))[-width:] if len(names) == 1 else f"{len(names)}x"
    numbers = sorted(map(int, names))
    text = ",".join(map(str, numbers))
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        text = f"{numbers[0]}-{numbers[-1]}"
    return text if len(text) <= width else f"{len(numbers)}x"
