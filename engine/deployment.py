"""`Deployment` and `Topology` for Python: what a file says, said in keywords, as context managers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial as bound
from typing import Any

from .front.asked import Uses, alone, deployment_of, gateway_of, topology_of
from .front.facts import Facts, Member
from .front.life import Engine, Life
from .model import Role
from .plan.mermaid import picture
from .plan.pods import DeploymentPlan, Plan
from .spec.topology import (
    DEFAULT_GRACE,
    DEFAULT_TIMEOUT_READY,
    DEFAULT_TIMEOUT_SEND,
    DeploymentSpec,
    GatewaySpec,
    Limits,
    Probe,
)

Path = str | os.PathLike[str]
_NOT_KEYS = frozenset({"self", "__class__", "engine", "noblock_on_start"})


class Topology(Life):
    """Deployments behind one gateway (None: without), started and closed together.

    `with Topology("search", [clean, index]) as search:` starts all pods and waits until they are ready; leaving
    closes them. `gateway` takes a file's keys: `{"port": 8080}`. Two are equal when name, plan and number of
    pods are. Raises SpecError for what can't be, with every mistake.
    """

    def __init__(
        self,
        name: str,
        deployments: Sequence[Deployment | DeploymentSpec],
        gateway: GatewaySpec | Mapping[str, Any] | str | None = GatewaySpec(),  # noqa: B008 -- frozen
        *,
        engine: Engine = None,
        noblock_on_start: bool = False,
    ) -> None:
        specs = tuple(item.spec if isinstance(item, Facts) else item for item in deployments)
        self.spec = topology_of(name, specs, gateway_of(gateway))
        super().__init__(self.spec, engine, noblock_on_start)

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def plan(self) -> Plan:
        """What is to run. Raises SpecError where that can't be: no such GPU, say."""
        return self._whole

    @property
    def deployments(self) -> tuple[Member, ...]:
        """The deployments in the order given, each with what is planned and what has become of it."""
        return tuple(
            Member(spec, bound(self._plan_of, spec), lambda: self.pods) for spec in self.spec.deployments
        )

    def _plan_of(self, spec: DeploymentSpec) -> DeploymentPlan:
        return next(found for found in self.plan.deployments if found.spec.name == spec.name)

    @property
    def num_pods(self) -> int:
        """All pods that are ours, the gateway among them."""
        return sum(spec.num_pods for spec in self.spec.deployments) + (self.plan.gateway is not None)

    @property
    def mermaid(self) -> str:
        """A Mermaid flowchart of all deployments, joined by their needs."""
        return picture(self.plan)

    @property
    def port(self) -> int | None:
        """The gateway's; before start the planned one, None while unknown or without a gateway."""
        for pod in self.pods:
            if pod.role is Role.GATEWAY and pod.port:
                return pod.port
        return None if self.spec.gateway is None else self.spec.gateway.port

    @property
    def address(self) -> str | None:
        """`host:port` of the gateway, once it is known."""
        gateway, port = self.spec.gateway, self.port
        return None if gateway is None or port is None else f"{gateway.host}:{port}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Topology):
            return NotImplemented
        return (self.name, self.num_pods, self.plan) == (other.name, other.num_pods, other.plan)

    def __hash__(self) -> int:
        return hash((self.name, self.num_pods))


class Deployment(Facts, Life):
    """One executor in `shards` x `replicas` pods behind one address, without a gateway.

    `uses` is a class, `file.py:Class`, `module.Class` or None; every other keyword means what the key of that
    name means in a topology file, and relative paths start from the working folder. Times are seconds, or text
    like `90s`. An external deployment's `host` and `port` may be lists, and it has as many `replicas`.

    With several replicas and no shards there is no single address: use `ports`, or put the deployment into a
    Topology with a gateway; there, `engine` and `noblock_on_start` are the topology's to say. By itself, a
    deployment's `needs` and `depends_on` count for nothing.

    Two deployments are equal when name, plan and number of pods are. Raises SpecError for what can't be, with
    every mistake.
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
        replicas: int | None = None,
        polling: str | Mapping[str, str] | None = None,
        needs: str | Sequence[str] = (),
        depends_on: str | Sequence[str] | None = None,
        host: str | Sequence[str] | None = None,
        port: int | Sequence[int] | None = None,
        env: Mapping[str, str] | None = None,
        workspace: Path | None = None,
        py_modules: Path | Sequence[Path] = (),
        timeout_ready: float | str = DEFAULT_TIMEOUT_READY,
        timeout_send: float | str = DEFAULT_TIMEOUT_SEND,
        grace: float | str = DEFAULT_GRACE,
        restart: str = "on-failure",
        idempotent: bool = True,
        partial: str | None = None,
        runtime: str | None = None,
        python: Path | None = None,
        command: str | Sequence[str] | None = None,
        protocol: str | None = None,
        probe: Probe | Mapping[str, Any] | str | None = None,
        liveness: Probe | Mapping[str, Any] | str | None = None,
        external: bool | None = None,
        ssl_certfile: Path | None = None,
        ssl_keyfile: Path | None = None,
        ssl_cafile: Path | None = None,
        tls: bool | None = None,
        token: str | None = None,
        grpc_metadata: Mapping[str, str] | None = None,
        grpc_channel_options: Mapping[str, int | str] | None = None,
        grpc_server_options: Mapping[str, int | str] | None = None,
        gpus: str | int | None = None,
        limits: Limits | Mapping[str, Any] | None = None,
        reload: bool | None = None,
        engine: Engine = None,
        noblock_on_start: bool = False,
    ) -> None:
        # All that is a key of a file, by its name; nothing else is a local variable yet.
        asked = {name: value for name, value in locals().items() if name not in _NOT_KEYS}
        self._spec = deployment_of(asked)
        super().__init__(alone(self._spec), engine, noblock_on_start)

    @property
    def plan(self) -> DeploymentPlan:
        """What is to run. Raises SpecError where that can't be: no such GPU, say."""
        return self._whole.deployments[0]

    @property
    def mermaid(self) -> str:
        """A Mermaid flowchart of it."""
        return picture(self._whole)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Deployment):
            return NotImplemented
        return (self.name, self.num_pods, self.plan) == (other.name, other.num_pods, other.plan)

    def __hash__(self) -> int:
        return hash((self.name, self.num_pods))
