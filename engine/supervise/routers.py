"""Routers: which heads and gateways run, what each may send to, and which pods no router sends to any more."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import Phase, PodKey, Role
from ..plan.routing import routes_for
from ..wire.channel import join_address
from ..wire.way import Way
from .activation import Activation
from .machine import Machine
from .state import WasWithdrawn
from .world import Running


class Routers:
    """Keeps every router's table true to the pods; `update` after each batch of steps."""

    def __init__(self, machine: Machine, running: Mapping[str, Running]) -> None:
        self._machine = machine
        self._running = running
        self._activation = Activation(self.acknowledged)

    def update(self) -> None:
        """Tell every router that runs whom it may send to."""
        ready = {
            key: (join_address(pod.plan.host, pod.port), pod.run)
            for key, pod in self._machine.pods.items()
            if pod.phase is Phase.READY and pod.port is not None
        }
        routers = {
            key: address
            for key, address in ready.items()
            if self._machine.pods[key].plan.role in (Role.GATEWAY, Role.HEAD) and self._is_planned(key)
        }
        self._activation.keep(routers, self._way_to)
        for key in routers:
            self._activation.want(key, routes_for(self._running[key.topology].plan, key, ready, 0))
        self.acknowledged()

    def _is_planned(self, key: PodKey) -> bool:
        """Whether the router is no pod that leaves."""
        running = self._running[key.topology]
        return not any(pod.key == key for pod in running.leaving)

    def _way_to(self, key: PodKey) -> Way:
        return self._running[key.topology].way_to(self._machine.pods[key].plan)

    def acknowledged(self) -> None:
        """A router took its table, or need not any more: pods that no router sends to may end."""
        for key, pod in self._machine.pods.items():
            if pod.phase is Phase.STOPPING and not pod.terminated:
                routers = self._running[key.topology].routers_of(pod.plan)
                if not any(self._activation.sends_to(router, pod.plan.name) for router in routers):
                    self._machine.post(key, WasWithdrawn(pod.run))

    async def close(self) -> None:
        await self._activation.close()
