"""Planned ports are looked at before anything starts, so that the error can name who holds one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from ..errors import PortTaken
from ..model import Runtime
from ..plan.pods import PodPlan
from ..runtimes.ports import holder, is_free

_TAKEN = re.compile(r"port (\d+)( of \S+)? is taken$")


def with_holder(error: str) -> str:
    """A pod's word that its port is taken, with who has it: the pod itself does not look."""
    found = _TAKEN.search(error)
    return error if found is None else f"{error} by {holder(int(found[1]))}"


def check_planned(pods: Iterable[PodPlan]) -> None:
    """Raise PortTaken for the first pod whose planned port can't be bound."""
    for pod in pods:
        ours = pod.runtime is not Runtime.EXTERNAL
        if ours and pod.port is not None and not is_free(pod.host, pod.port):
            if pod.port < 1024 and os.getuid():
                raise PortTaken(f"{pod.key}: port {pod.port} needs root", "name a port from 1024 up, or none")
            raise PortTaken(
                f"{pod.key}: port {pod.port} is taken by {holder(pod.port)}",
                "stop that, or name another port, or none",
            )
