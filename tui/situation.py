"""`Situation`: what is so right now, as far as keys care. Pure data, made by the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from quarterdeck.engine.model import Phase, PodStatus
from quarterdeck.widgets.rows import Row


class Where(StrEnum):
    """Which region has the keys."""

    TREE = "tree"
    LOG = "log"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Situation:
    """`has` names what is there: `row`, `branch`, `pod`, `alive`, `marks` …"""

    where: Where = Where.TREE
    connected: bool = True
    lost: bool = False
    read_only: bool = False
    has: frozenset[str] = frozenset()


def facts(
    row: Row | None, chosen: Sequence[PodStatus], *, marks: bool = False, wide: bool = False, single: bool = False,
    search: bool = False, rows: bool = False,
) -> frozenset[str]:  # fmt: skip
    """What `Situation.has` is made of. `chosen` are the pods that a verb would act on."""
    named = {
        "row": row is not None,
        "branch": row is not None and row.branch,
        "pod": row is not None and row.pod is not None,
        "alive": any(pod.phase.alive for pod in chosen),
        "stoppable": any(pod.phase not in (Phase.STOPPED, Phase.STOPPING) for pod in chosen),
        "startable": any(pod.phase in (Phase.STOPPED, Phase.FAILED) for pod in chosen),
        "marks": marks,
        "wide": wide,
        "single": single,
        "search": search,
        "rows": rows,
    }
    return frozenset(name for name, there in named.items() if there)
