"""What Details shows of one pod; secrets are masked here, before anything leaves the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..home import ENGINE_MARK, Home
from ..keeper.processes import MARK
from ..model import Event, Phase, PodDetails, Role, Runtime
from ..observe.logs import LogBook
from ..runtimes.process import size_words
from ..spec.secrets import MASK, looks_secret, redact
from ..spec.topology import DeploymentSpec, Limits
from .jobs import workspace_of
from .probing.words import described
from .restart import FIRST_BACKOFF, LONGEST_BACKOFF, age
from .state import Pod
from .world import Running, one_clause, printable

LOG_END_LINES = 8


def details_of(
    pod: Pod,
    running: Running,
    home: Home,
    logs: LogBook,
    history: tuple[Event, ...],
    cannot: Mapping[str, str],
) -> PodDetails:
    """Everything about one pod beside its status; `cannot` is its runtime's."""
    plan = pod.plan
    pod = replace(pod, reason=one_clause(pod.reason))
    spec = running.specs.get(plan.deployment)
    runs = logs.runs(plan.key)
    return PodDetails(
        key=plan.key,
        command=_command(pod, running.shown[plan.key]),
        workspace=workspace_of(plan, home) if plan.role is Role.WORKER else "",
        env=_env(pod, running),
        probe=printable(described(pod.policy, running.caller_of(plan.key).env | plan.env)),
        restart=f"{pod.policy.restart.value}, {FIRST_BACKOFF:g}s to {LONGEST_BACKOFF:g}s",
        limits=_limits(pod, spec),
        attempts=f"{pod.attempts} in a row" if pod.attempts else "",
        last_error=pod.reason if pod.phase in (Phase.BACKOFF, Phase.FAILED, Phase.UNREADY) else "",
        log_end=tuple(map(printable, logs.tail(plan.key, 0, LOG_END_LINES))),
        history=history,
        log_path=runs[-1].path if runs else "",
        blocked_by=_blocked_by(pod),
        gpu_rule=_gpu_rule(spec) if plan.gpu is not None else "",
        cannot=tuple(sorted(cannot.items())),
    )


def _command(pod: Pod, uses: str) -> str:
    if pod.plan.runtime is not Runtime.PROCESS:
        return f"{pod.plan.role.value} {uses}".strip()
    how = "an interpreter of its own" if pod.fresh else "forked from the keeper"
    return f"{pod.plan.role.value} {uses}".strip() + f" ({how})"


def _limits(pod: Pod, spec: DeploymentSpec | None) -> str:
    """In time, and where there are any in what it may use."""
    ready = "any time" if pod.policy.timeout_ready is None else age(pod.policy.timeout_ready)
    words = [f"ready within {ready}", f"grace {age(pod.policy.grace)}"]
    given = spec.limits if spec is not None and pod.plan.role is Role.WORKER else Limits()
    if given.memory is not None:
        words.append(f"memory {size_words(given.memory)}")
    if given.cpus is not None:
        words.append(f"cpus {given.cpus:g}")
    words += [
        f"{name} {value}" for name in ("files", "processes") if (value := getattr(given, name)) is not None
    ]
    return ", ".join(words)


def _env(pod: Pod, running: Running) -> tuple[tuple[str, str], ...]:
    """The deployment's own variables first, then the caller's; never our marks."""
    whole = running.caller_of(pod.plan.key).env | pod.plan.env
    names = sorted(whole, key=lambda name: (name not in pod.plan.env, name))
    return tuple(
        (name, MASK if looks_secret(name) else redact(whole[name], whole))
        for name in names
        if name not in (MARK, ENGINE_MARK)
    )


def _blocked_by(pod: Pod) -> str:
    match pod.phase:
        case Phase.STARTING if pod.port is None or pod.pid is None:
            return "loading: it does not listen yet"
        case Phase.STARTING | Phase.UNREADY:
            return pod.reason or "its probe"
        case Phase.PENDING | Phase.BACKOFF | Phase.FAILED:
            return pod.reason
        case Phase.STOPPED:
            return pod.reason or "it was stopped"
        case _:
            return ""


def _gpu_rule(spec: DeploymentSpec | None) -> str:
    if spec is not None and spec.gpus is not None:
        return f"gpus: {spec.gpus}"
    rule = "" if spec is None else spec.env.get("CUDA_VISIBLE_DEVICES", "")
    return f"CUDA_VISIBLE_DEVICES: {rule}" if rule else ""
