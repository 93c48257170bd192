"""Quarterdeck: a terminal console and engine for model-serving deployments.

The public names are loaded when first asked for, so that `import quarterdeck` costs nothing.
"""

from __future__ import annotations

# Type checkers take this name as true; `typing` itself would cost as much as the bare interpreter's start.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from quarterdeck.engine.deployment import Deployment, Topology
    from quarterdeck.engine.pods.executor import Executor, requests
    from quarterdeck.engine.spec.topology import Limits, Probe

__all__ = ["Deployment", "Executor", "Limits", "Probe", "Topology", "__version__", "requests"]
__version__ = "0.1.0"

_HOMES = {
    "Deployment": "quarterdeck.engine.deployment",
    "Topology": "quarterdeck.engine.deployment",
    "Executor": "quarterdeck.engine.pods.executor",
    "requests": "quarterdeck.engine.pods.executor",
    "Limits": "quarterdeck.engine.spec.topology",
    "Probe": "quarterdeck.engine.spec.topology",
}


def __getattr__(name: str) -> object:
    """Load a public name from the module that owns it; PEP 562."""
    if name not in _HOMES:
        raise AttributeError(f"module 'quarterdeck' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
