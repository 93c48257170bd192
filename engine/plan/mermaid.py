"""A plan as a Mermaid flowchart: deployments as boxes of shards and replicas, joined by their needs.

Labels are the executors' names as the screen shows them, without secrets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .pods import DeploymentPlan, Plan, PodPlan
from .status import shown_uses

_PLAIN = re.compile(r"[A-Za-z0-9_]+(?:[./-][A-Za-z0-9_]+)*")
_WORDS = frozenset(
    {"call", "callback", "class", "classDef", "click", "default", "direction", "end", "flowchart", "graph",
     "href", "interpolate", "linkStyle", "style", "subgraph"}
)  # fmt: skip
_STYLES = (
    "classDef pod fill:#e8f1fb,stroke:#3d6fa5,color:#12293f",
    "classDef HEADTAIL fill:#fdf3dc,stroke:#a5803d,color:#3f2f12",
)


def picture(plan: Plan) -> str:
    """The whole topology; ends with a newline."""
    drawing = _Drawing(
        plan.topology.folder, frozenset(deployment.spec.name for deployment in plan.deployments)
    )
    lines = ["flowchart LR"]
    for deployment in plan.deployments:
        lines += drawing.deployment(deployment)
    joints = {deployment.spec.name: drawing.joint(deployment) for deployment in plan.deployments}
    for deployment in plan.deployments:
        lines += [f"{joints[need]} --> {joints[deployment.spec.name]}" for need in deployment.spec.needs]
    return "\n".join((*lines, *_STYLES)) + "\n"


@dataclass(frozen=True, slots=True)
class _Drawing:
    folder: str
    names: frozenset[str]
    """Names of all deployments: no other node may have one of them."""

    def box(self, deployment: DeploymentPlan) -> str:
        return _id(deployment.spec.name) if deployment.spec.name else "_deployment"

    def joint(self, deployment: DeploymentPlan) -> str:
        """What arrows are joined to: the box, or for an external deployment, which has none, its name."""
        name, node = deployment.spec.name, self.box(deployment)
        return f"{node}[{_label(name)}]" if deployment.spec.external and node != name else node

    def deployment(self, deployment: DeploymentPlan) -> list[str]:
        """A subgraph; its head is drawn as what runs before, its tail as what runs after.

        What somebody else runs has none.
        """
        if deployment.spec.external:
            return []
        spec, name = deployment.spec, self.box(deployment)
        lines = [f"subgraph {name}[{_label(spec.name)}]", "direction LR"]
        if spec.has_head:
            shards = [self._shard(deployment, shard) for shard in range(spec.shards)]
            lines += [line for _, drawn in shards for line in drawn]
            for pod, end in ((deployment.before, "head"), (deployment.after, "tail")):
                if pod is None:
                    continue
                node = self._end(name, spec.name, end)
                lines.append(f"{node}[{self._uses(deployment, pod)}]:::HEADTAIL")
                ways = [
                    f"{node} --> {shard}" if end == "head" else f"{shard} --> {node}" for shard, _ in shards
                ]
                lines += ways
        else:
            lines += [self._replica(deployment, pod) for pod in deployment.workers]
        return [*lines, "end"]

    def _shard(self, deployment: DeploymentPlan, shard: int) -> tuple[str, list[str]]:
        """Id and lines of one shard."""
        word = f"shard-{shard}"
        name = _id(f"{deployment.spec.name}/{word}") if deployment.spec.name else word
        replicas = [self._replica(deployment, pod) for pod in deployment.workers if pod.shard == shard]
        return name, [f"subgraph {name}[{_label(word)}]", "direction TB", *replicas, "end"]

    def _replica(self, deployment: DeploymentPlan, pod: PodPlan) -> str:
        return f"{_id(pod.name)}[{self._uses(deployment, pod)}]:::pod"

    def _end(self, box: str, name: str, end: str) -> str:
        """`NAME-head` or `NAME-tail`, set apart where a deployment has that very name."""
        return f"_{box}-{end}" if f"{name}-{end}" in self.names else f"{box}-{end}"

    def _uses(self, deployment: DeploymentPlan, pod: PodPlan) -> str:
        return _label(shown_uses(pod.uses, deployment.spec, self.folder) or "default executor")


def _id(name: str) -> str:
    """A name that Mermaid reads as one node: no word of its own in front, nothing that looks like a link.

    No deployment's name begins with `_`, so that what is changed clashes with none.
    """
    first = re.split(r"[./-]", name, maxsplit=1)[0]
    if _PLAIN.fullmatch(name) and first not in _WORDS:
        return name
    return "_" + re.sub(r"[^A-Za-z0-9/]", lambda char: f"_{ord(char[0]):02x}", name)


def _label(text: str) -> str:
    escaped = text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    return f'"{escaped}"'
