"""The page of a pod: what its runtime can't do stands there with the reason, said once."""

from __future__ import annotations

from quarterdeck.engine.model import Phase, PodDetails, PodStatus, Role, Runtime
from quarterdeck.widgets.cells import Moment
from quarterdeck.widgets.details import pod_lines
from quarterdeck.widgets.dress import UNICODE
from quarterdeck.widgets.ink import text_of

POD = PodStatus("t", "a/rep-0", "a", Role.WORKER, 0, 0, Runtime.EXTERNAL, Phase.READY)
DETAILS = PodDetails(
    POD.key, "", "", (), "", "", "", "", "", (), (), "",
    cannot=(("kill", "somebody else runs it"), ("stop", "somebody else runs it"), ("cpus", "no control group")),
)  # fmt: skip


def test_what_a_runtime_can_not_do() -> None:
    lines = [text_of(line).strip() for line in pod_lines(POD, DETAILS, UNICODE, Moment(0.0), 80)]
    told = [line for line in lines if line.startswith("can't")]
    assert [line.removeprefix("can't").strip() for line in told] == [
        "kill, stop: somebody else runs it",
        "cpus: no control group",
    ]
