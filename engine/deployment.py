"""`Deployment` and `Topology` for Python: as in a file, but context managers on an engine of this process."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from .control import Caller
from .errors import SpecError, UsageError
from .local import LocalEngine
from .model import Fleet, Phase, PodStatus
from .spec import document
from .spec.check import check
from .spec.topology import (
    DEFAULT_GRACE,
    DEFAULT_TIMEOUT_READY,
    DEFAULT_TIMEOUT_SEND,
    LOOPBACK,
    DeploymentSpec,
    GatewaySpec,
    Polling,
    Restart,
)
from .spec.topology import Topology as TopologySpec
from .verdict import wait_ready

Uses = str | type | None
W = TypeVar("W", bound=StrEnum)


def spec_of(uses: Uses, folder: Path) -> str | None:
    """`uses` as a plan needs it: a class becomes the file or module that it stands in.

    Raises UsageError for a class that no file holds (one typed at a prompt), since pods are other processes.
    """
    if uses is None:
        return None
    if isinstance(uses, type):
        module = sys.modules.get(uses.__module__)
        file = getattr(module, "__file__", None)
        if "<locals>" in uses.__qualname__ or (file is None and uses.__module__ == "__main__"):
            raise UsageError(
                f"{uses.__qualname__} can't be found by another process",
                "put the class at the top of a file and name it `file.py:Class`",
            )
        if uses.__module__ == "__main__" or file is not None:
            return f"{os.path.abspath(inspect.getfile(uses))}:{uses.__qualname__}"
        return f"{uses.__module__}.{uses.__qualname__}"
    path, colon, name = uses.rpartition(":")
    if colon and path.endswith(".py"):
        return f"{(folder / path).absolute()}:{name}"
    return uses


def _word(kind: type[W], key: str, value: str) -> W:
    """The member that a word names. Raises UsageError for any other word."""
    try:
        return kind(value)
    except ValueError:
        raise UsageError(f"{key}={value!r} is not known", f"say one of: {', '.join(kind)}") from None


class Topology:
    """Deployments behind one gateway (None: without), started and closed together.

    `with Topology("search", [index, clean]) as topology:` starts all pods and waits until they are ready;
    leaving closes them. Raises SpecError for what can't be, StartError when a pod does not start (all is
    closed by then), ReadyTimeout after `timeout_ready`.
    """

    def __init__(
        self,
        name: str,
        deployments: Sequence[Deployment | DeploymentSpec],
        gateway: GatewaySpec | None = GatewaySpec(),  # noqa: B008 -- frozen
    ) -> None:
        specs = tuple(item.deployment if isinstance(item, Deployment) else item for item in deployments)
        self.spec = TopologySpec(name, specs, gateway, folder=os.getcwd())
        mistakes = check(self.spec)
        if mistakes:
            raise SpecError(mistakes)
        self._engine: LocalEngine | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def pods(self) -> tuple[PodStatus, ...]:
        """All pods as they are now; none before `start` and after `close`."""
        return () if self._engine is None else self._fleet().of(self.name)

    @property
    def is_ready(self) -> bool:
        """Whether at least one pod runs and all are ready."""
        pods = self.pods
        return bool(pods) and all(pod.ready for pod in pods)

    @property
    def address(self) -> str | None:
        """`host:port` of the gateway, once it is known."""
        return next((pod.address for pod in self.pods if pod.name == "gateway"), None)

    def start(self) -> Self:
        """Start all pods and wait until they are ready."""
        if self._engine is not None:
            raise UsageError(f"{self.name} is started already", "close it first")
        self._engine = engine = LocalEngine()
        limits = [spec.timeout_ready for spec in self.spec.deployments]
        timeout = None if None in limits else max(limit for limit in limits if limit is not None)
        try:
            engine.run(engine.supervisor.up(document.dump(self.spec), caller()))
            engine.run(wait_ready(engine.supervisor, self.name, timeout))
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Close all pods, side by side, and leave nothing behind. Safe to call twice."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def join(self) -> None:
        """Wait until every pod has ended."""
        engine = self._engine
        if engine is not None:
            engine.run(self._ended(engine))

    async def _ended(self, engine: LocalEngine) -> None:
        async for fleet in engine.supervisor.watch():
            if all(pod.phase in (Phase.STOPPED, Phase.FAILED) for pod in fleet.of(self.name)):
                return

    def _fleet(self) -> Fleet:
        assert self._engine is not None
        return self._engine.run(_present(self._engine))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Deployment(Topology):
    """One executor in `shards` x `replicas` pods behind one address, without a gateway.

    `uses` is a class, `file.py:Class`, `module.Class` or None. With several replicas and no shards there is
    no single address: use `ports`, or put the deployment into a Topology with a gateway.
    """

    def __init__(
        self,
        uses: Uses = None,
        *,
        name: str = "",
        uses_with: Mapping[str, Any] | None = None,
        uses_before: Uses = None,
        uses_after: Uses = None,
        shards: int = 1,
        replicas: int = 1,
        polling: str | Mapping[str, str] = "ANY",
        needs: Sequence[str] = (),
        host: str = LOOPBACK,
        port: int | None = None,
        env: Mapping[str, str] | None = None,
        workspace: str | None = None,
        timeout_ready: float = DEFAULT_TIMEOUT_READY,
        timeout_send: float = DEFAULT_TIMEOUT_SEND,
        grace: float = DEFAULT_GRACE,
        restart: str = "on-failure",
        idempotent: bool = True,
        py_modules: Sequence[str] = (),
    ) -> None:
        folder = Path.cwd()
        polled = polling if isinstance(polling, Mapping) else {"*": polling}
        deployment = DeploymentSpec(
            name=name,
            uses=spec_of(uses, folder),
            uses_with=dict(uses_with or {}),
            uses_before=spec_of(uses_before, folder),
            uses_after=spec_of(uses_after, folder),
            shards=shards,
            replicas=replicas,
            polling={
                endpoint: _word(Polling, "polling", value.upper()) for endpoint, value in polled.items()
            },
            needs=tuple(needs),
            host=host,
            port=port,
            env=dict(env or {}),
            workspace=None if workspace is None else str(folder / workspace),
            timeout_ready=None if timeout_ready < 0 else timeout_ready,
            timeout_send=timeout_send,
            grace=grace,
            restart=_word(Restart, "restart", restart),
            idempotent=idempotent,
            py_modules=tuple(str(folder / module) for module in py_modules),
        )
        self._deployment = deployment
        super().__init__(name or "deployment", [deployment], gateway=None)

    @property
    def deployment(self) -> DeploymentSpec:
        """What was asked for."""
        return self._deployment

    @property
    def ports(self) -> tuple[int | None, ...]:
        """The head's port, or without a head every replica's; None while unknown."""
        heads = [pod for pod in self.pods if pod.role == "head"]
        return tuple(pod.port for pod in heads or self.pods)

    @property
    def port(self) -> int | None:
        """The first of `ports`; before start the planned one."""
        return self.ports[0] if self.pods else self._deployment.port

    @property
    def address(self) -> str | None:
        """`host:port` of the head or the only worker; None while unknown or when there are several."""
        ports = self.ports
        return f"{self._deployment.host}:{ports[0]}" if len(ports) == 1 and ports[0] else None


def caller() -> Caller:
    """This process's world, for pods that are to live in it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return Caller(dict(os.environ), os.getcwd(), umask)


async def _present(engine: LocalEngine) -> Fleet:
    await asyncio.sleep(0)
    return engine.supervisor.broadcast.fleet
