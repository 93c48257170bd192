"""First starts: which pods begin when, what one that fails does to the rest, and another try of them all."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import PodKey
from .depends import release
from .launch import Launch, Orders, relaunch, settle
from .machine import Machine
from .state import Pod, Stimulus
from .world import Running


class Launching:
    """Keeps what is known of every deployment's first start, and orders pods by it."""

    def __init__(self, machine: Machine, running: Mapping[str, Running]) -> None:
        self._machine = machine
        self._running = running

    def moved(self, before: Pod, after: Pod) -> None:
        """Where a pod's move decides over its deployment's first start."""
        if before.phase is after.phase and before.hold is after.hold:
            return
        running = self._running[after.plan.topology]
        deployment = after.plan.deployment
        if running.launches.get(deployment) is not Launch.UNDER_WAY:
            return
        pods = [self._machine.pods[pod.key] for pod in running.pods[deployment]]
        running.launches[deployment], orders = settle(Launch.UNDER_WAY, pods, after)
        self._order(orders)
        if running.launches[deployment] is not Launch.UNDER_WAY:
            self.release(running)

    def release(self, running: Running) -> None:
        """Pods that have not begun do, unless they wait for others."""
        pods = [self._machine.pods[pod.key] for pod in running.plan.pods]
        self._order(release(pods, running.specs, running.launches))

    def revive(self, key: PodKey, stimulus: Stimulus) -> None:
        """Start or restart a pod; where its deployment never came up, the whole deployment tries again."""
        running = self._running[key.topology]
        orders = self.again(running, self._machine.pods[key].plan.deployment)
        if key not in orders:
            self._machine.post(key, stimulus)

    def again(self, running: Running, deployment: str) -> Orders:
        """Try the start of a deployment again where it failed; gives what its pods are told."""
        if running.launches.get(deployment) is not Launch.FAILED:
            return {}
        running.launches[deployment] = Launch.UNDER_WAY
        orders = relaunch([self._machine.pods[pod.key] for pod in running.pods[deployment]])
        self._order(orders)
        self.release(running)
        return orders

    def _order(self, orders: Orders) -> None:
        for key, stimulus in orders.items():
            self._machine.post(key, stimulus)
