"""The machine: holds every pod's state, feeds stimuli to `lifecycle.step`, and hands out its effects.

Nothing but `post` changes a pod. Stimuli are taken in order, a batch a loop turn; after each batch
`settled` is called once, so that whatever watches sees whole steps only.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable

from ..model import PodKey
from .lifecycle import step
from .state import ClearTimers, Effect, Pod, SetTimer, Stimulus, Timer, TimerFired

log = logging.getLogger(__name__)


class Machine:
    """Pods by key, their inbox and their timers."""

    def __init__(
        self,
        perform: Callable[[Pod, Effect, float], None],
        moved: Callable[[Pod, Pod, Stimulus, float], None],
        settled: Callable[[], None],
    ) -> None:
        self.pods: dict[PodKey, Pod] = {}
        self._perform = perform
        self._moved = moved
        self._settled = settled
        self._inbox: deque[tuple[PodKey, Stimulus]] = deque()
        self._timers: dict[tuple[PodKey, Timer], asyncio.TimerHandle] = {}
        self._scheduled = False

    def add(self, pods: Iterable[Pod]) -> None:
        self.pods.update((pod.plan.key, pod) for pod in pods)

    def remove(self, keys: Iterable[PodKey]) -> None:
        """Forget pods that have ended."""
        for key in keys:
            self._clear_timers(key)
            self.pods.pop(key, None)

    def post(self, key: PodKey, stimulus: Stimulus) -> None:
        """Let something happen to a pod, in order, soon. A pod that is gone is not meant."""
        self._inbox.append((key, stimulus))
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        self._scheduled = False
        while self._inbox:
            key, stimulus = self._inbox.popleft()
            pod = self.pods.get(key)
            if pod is None:
                continue
            now = time.time()
            after, effects = step(pod, stimulus, now)
            self.pods[key] = after
            for effect in effects:
                match effect:
                    case SetTimer(run, timer, at):
                        self._set_timer(key, run, timer, at - now)
                    case ClearTimers():
                        self._clear_timers(key)
                    case _:
                        self._perform(after, effect, now)
            self._moved(pod, after, stimulus, now)
        self._settled()

    def _set_timer(self, key: PodKey, run: int, timer: Timer, delay: float) -> None:
        self._clear_timer(key, timer)
        loop = asyncio.get_running_loop()
        self._timers[key, timer] = loop.call_later(max(0.0, delay), self._fire, key, run, timer)

    def _fire(self, key: PodKey, run: int, timer: Timer) -> None:
        self._timers.pop((key, timer), None)
        self.post(key, TimerFired(run, timer))

    def _clear_timer(self, key: PodKey, timer: Timer) -> None:
        handle = self._timers.pop((key, timer), None)
        if handle is not None:
            handle.cancel()

    def _clear_timers(self, key: PodKey) -> None:
        for timer in Timer:
            self._clear_timer(key, timer)
