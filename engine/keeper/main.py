"""The keeper: parent and subreaper of every process of ours.

It starts pods, reports how they ended once all that they left behind has ended too, and ends every descendant
when its engine goes. It is single-threaded and holds nothing but pids. Run as
`python -m quarterdeck.engine.keeper.main SOCKET ENGINE_SOCKET ENGINE_LOCK [padding]`; the padding gives
forked pods room for their title.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from ..home import ENGINE_MARK
from . import protocol
from .child import POD_SIGNALS, become_pod
from .ending import end_trees
from .groups import NOTE, Groups
from .limits import LimitError, Limits
from .linux import become_subreaper
from .processes import MARK, children, environment
from .sockets import LOCK_PATIENCE, remove_sockets

LINGER = 2.0
"""Seconds after which a pod's end is reported although something that it left won't go."""
SWEEP_EVERY = 0.02
"""Seconds between looks at what a dead pod left, while there is something left."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A pod whose main process was reaped."""

    pid: int
    status: int
    report_by: float
    """Monotonic time."""


@dataclass(slots=True)
class Keeper:
    """Pids of the pods by id, and the ones whose remains are being ended."""

    pid: int
    groups: Groups
    alive: dict[int, str] = field(default_factory=dict)
    """Main process of each pod to the pod's id."""
    ending: dict[str, Ended] = field(default_factory=dict)
    """By id, the pods whose main process ended and whose end is not reported yet."""
    shot: set[str] = field(default_factory=set)
    """Pods that we sent SIGKILL: it wasn't the kernel."""
    link: socket.socket | None = None
    closing: bool = False

    def say(self, message: dict[str, object]) -> None:
        if self.link is not None:
            with contextlib.suppress(OSError):
                protocol.send(self.link, message)

    # -- what the engine asks for

    def obey(self, message: dict[str, Any], descriptors: tuple[int, ...]) -> None:
        pod = str(message.get("id", ""))
        go: tuple[int, ...] = ()
        match message.get("op"):
            case "start" if len(descriptors) >= 3:
                go = self._start(pod, descriptors, bool(message.get("fresh")), message.get("limits"))
            case "signal":
                self._signal(pod, int(str(message["signal"])))
            case "end":
                self._end(pod)
            case "close":
                self.closing = True
        _close(*descriptors, *go)

    def _start(
        self, pod: str, descriptors: tuple[int, ...], fresh: bool, limits: dict[str, Any] | None
    ) -> tuple[int, ...]:
        """Fork the pod; it begins once what is given back has been closed, after the descriptors."""
        go: tuple[int, ...] = ()
        group = None
        if limits:
            try:
                group = self.groups.make(pod, Limits(**limits))
            except LimitError as error:
                self.say({"event": "refused", "id": pod, "error": str(error)})
                return go
        # A signal for the pod must not meet our handlers in it: it waits until the pod has its own.
        signal.pthread_sigmask(signal.SIG_BLOCK, POD_SIGNALS)
        try:
            go = os.pipe2(os.O_CLOEXEC)
            pid = os.fork()
        except OSError as error:
            self.groups.leave(pod)
            self.say({"event": "refused", "id": pod, "error": f"fork: {error.strerror}"})
            return go
        finally:
            if os.getpid() == self.pid:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, POD_SIGNALS)
        if pid == 0:
            job_fd, log_fd, ready_fd, *held = descriptors
            for descriptor in held:
                os.set_inheritable(descriptor, False)
            os.close(go[1])
            signal.set_wakeup_fd(-1)
            if self.link is not None:
                self.link.close()
            become_pod((job_fd, log_fd, ready_fd), self.pid, fresh, go[0], group)
        self.alive[pid] = pod
        self.say({"event": "started", "id": pod, "pid": pid})
        return go

    def _end(self, pod: str) -> None:
        pids = [pid for pid, name in self.alive.items() if name == pod]
        if pids:
            self.shot.add(pod)
            end_trees(pids)
            self.groups.kill(pod)

    def _signal(self, pod: str, number: int) -> None:
        if number == signal.SIGKILL:
            self.shot.add(pod)
        for pid, name in self.alive.items():
            if name == pod:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    # -- what ends

    def reap(self, now: float) -> None:
        """Take in every child that ended, then look at what dead pods left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            pod = self.alive.pop(pid, None)
            if pod is not None:
                self.ending[pod] = Ended(pid, status, now + LINGER)
        self.sweep(now)

    def sweep(self, now: float) -> None:
        """End what dead pods left; report each dead pod of which nothing is left.

        All that a dead pod left has become our child, or is below one that has.
        """
        self.groups.tidy()
        if not self.ending:
            return
        living = set(self.alive.values())
        sessions = {ended.pid: pod for pod, ended in self.ending.items()}
        held: set[str] = set()
        strays: list[int] = []
        for stray in children(self.pid):
            if stray.pid in self.alive or stray.state in "ZX":
                continue
            owner = environment(stray.pid).get(MARK) or sessions.get(stray.session, "")
            # Without mark and in a session of its own nobody can tell whose it is: it goes when we go.
            if not owner or owner in living:
                continue
            strays.append(stray.pid)
            held.add(owner)
        for pod in self.ending:
            if grouped := self.groups.pids(pod):
                self.groups.kill(pod)
                strays.extend(grouped)
                held.add(pod)
        if strays:
            end_trees(strays)
        for pod, ended in list(self.ending.items()):
            if pod not in held or now >= ended.report_by:
                self._over(pod, ended.status)

    def _over(self, pod: str, status: int) -> None:
        """Report a pod of which nothing is left."""
        del self.ending[pod]
        kills = 0 if pod in self.shot else self.groups.memory_kills(pod)
        self.shot.discard(pod)
        self.groups.leave(pod)
        self.say({"event": "exited", "id": pod, "status": status, "memory_kills": kills})

    def end_everything(self) -> None:
        """SIGKILL children until there is none; orphans of those become our children in turn."""
        while True:
            for process in children(self.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            try:
                # One at a time: with each that is reaped, what it left may have become our child.
                os.waitpid(-1, 0)
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
            except ChildProcessError:
                return


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def serve(keeper: Keeper, listener: socket.socket) -> None:
    """Take one engine, obey it until it goes or says so, and end everything."""
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(keeper, "closing", True))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    keeper.link, _ = listener.accept()
    listener.close()
    keeper.say({"event": "hello", "pid": keeper.pid})
    poll = select.poll()
    poll.register(keeper.link, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    while not keeper.closing:
        ready = [
            fd for fd, _ in poll.poll(SWEEP_EVERY * 1000 if keeper.ending or keeper.groups.busy else None)
        ]
        if wake_read in ready:
            with contextlib.suppress(BlockingIOError):
                while os.read(wake_read, 4096):
                    pass
        if keeper.link.fileno() in ready:
            try:
                message, descriptors = protocol.receive(keeper.link)
            except OSError:
                return
            if message is None:
                return
            keeper.obey(message, descriptors)
        keeper.reap(time.monotonic())


def main(path: str, engine_socket: str, engine_lock: str) -> int:
    from ..pods.preload import preload

    become_subreaper()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.umask(0o077)
    listener.bind(path)
    listener.listen(1)
    note = os.path.splitext(path)[0] + NOTE
    keeper = Keeper(os.getpid(), Groups(note, os.environ.get(ENGINE_MARK, "")))
    preload()
    gc.disable()
    gc.collect()
    gc.freeze()
    listener.settimeout(30)
    try:
        serve(keeper, listener)
    finally:
        keeper.end_everything()
        keeper.groups.close()
        # An engine that said close, or outlives us, holds its lock on and removes its socket itself.
        remove_sockets(path, engine_socket, engine_lock, 0.0 if keeper.closing else LOCK_PATIENCE)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
