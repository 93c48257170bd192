"""Between the engine's model and control.proto's messages. The fields have the same names on both sides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.message import Message

from ..model import (
    DeploymentStatus,
    Event,
    Fleet,
    Gpu,
    GpuProcess,
    HostSample,
    Level,
    Phase,
    PodDetails,
    PodKey,
    PodStatus,
    Role,
    Runtime,
    Sample,
    Samples,
    TopologyStatus,
)
from . import control_pb2 as pb

T = TypeVar("T")
M = TypeVar("M", bound=Message)

ENUMS: dict[str, type[StrEnum]] = {"phase": Phase, "role": Role, "runtime": Runtime, "level": Level}
"""Fields of these names hold members of these enums."""


def to_message(value: Any, kind: type[M]) -> M:
    """A flat dataclass as a message of the same fields; None stays unset."""
    given = {field.name: getattr(value, field.name) for field in fields(value)}
    return kind(**{name: item for name, item in given.items() if item is not None})


def from_message(message: Message, kind: type[T]) -> T:
    """The dataclass of a flat message; optional fields that are not set become None."""
    values: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.is_repeated:
            value = tuple(value)
        elif field.has_presence and not message.HasField(field.name):
            value = None
        elif field.name in ENUMS:
            value = ENUMS[field.name](value)
        values[field.name] = value
    return kind(**values)


def key_message(key: PodKey) -> pb.PodKey:
    return pb.PodKey(topology=key.topology, name=key.name)


def key_of(message: pb.PodKey) -> PodKey:
    return PodKey(message.topology, message.name)


# -- fleets: the whole once, then differences


def fleet_message(before: Fleet | None, after: Fleet) -> pb.FleetChange:
    """What makes `after` of `before`; everything where there is no before, or where pods came or went."""
    same_frame = (
        before is not None
        and before.topologies == after.topologies
        and list(before.by_key) == list(after.by_key)
        and len(before.deployments) == len(after.deployments)
    )
    change = pb.FleetChange(revision=after.revision, whole=not same_frame)
    if before is None or not same_frame or before.deployments != after.deployments:
        change.deployments.extend(to_message(item, pb.DeploymentStatus) for item in after.deployments)
    if before is None or not same_frame:
        change.topologies.extend(to_message(item, pb.TopologyStatus) for item in after.topologies)
        changed: Iterable[PodStatus] = after.pods
    else:
        changed = (new for old, new in zip(before.pods, after.pods, strict=True) if old is not new)
    change.pods.extend(to_message(pod, pb.PodStatus) for pod in changed)
    return change


def apply(before: Fleet, change: pb.FleetChange) -> Fleet:
    """The fleet after a change; pods that did not change keep their objects."""
    pods = [from_message(pod, PodStatus) for pod in change.pods]
    deployments = tuple(from_message(item, DeploymentStatus) for item in change.deployments)
    if change.whole:
        topologies = tuple(from_message(item, TopologyStatus) for item in change.topologies)
        return Fleet(change.revision, topologies, deployments, tuple(pods))
    news = {pod.key: pod for pod in pods}
    kept = tuple(news.get(pod.key, pod) for pod in before.pods)
    return Fleet(change.revision, before.topologies, deployments or before.deployments, kept)


# -- samples


def samples_message(samples: Samples) -> pb.SampleRound:
    host = samples.host
    message = pb.SampleRound(time=samples.time)
    if host.cpu_percent is not None:
        message.host_cpu_percent = host.cpu_percent
    if host.memory_used is not None and host.memory_total is not None:
        message.host_memory_used = host.memory_used
        message.host_memory_total = host.memory_total
    for key, sample in samples.pods.items():
        item = message.pods.add(topology=key.topology, name=key.name)
        if sample.cpu_percent is not None:
            item.cpu_percent = sample.cpu_percent
        if sample.memory_bytes is not None:
            item.memory_bytes = sample.memory_bytes
    return message


def samples_of(message: pb.SampleRound) -> Samples:
    def known(item: Message, name: str) -> Any:
        return getattr(item, name) if item.HasField(name) else None

    host = HostSample(
        known(message, "host_cpu_percent"),
        known(message, "host_memory_used"),
        known(message, "host_memory_total"),
    )
    pods = {
        PodKey(item.topology, item.name): Sample(known(item, "cpu_percent"), known(item, "memory_bytes"))
        for item in message.pods
    }
    return Samples(message.time, host, pods)


# -- details


def details_message(details: PodDetails) -> pb.PodDetails:
    given = {field.name: getattr(details, field.name) for field in fields(details)}
    given["key"] = key_message(details.key)
    given["env"] = [pb.Variable(name=name, value=value) for name, value in details.env]
    given["cannot"] = [pb.Variable(name=name, value=value) for name, value in details.cannot]
    given["history"] = [to_message(event, pb.Event) for event in details.history]
    return pb.PodDetails(**given)


def details_of(message: pb.PodDetails) -> PodDetails:
    values: dict[str, Any] = {field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields}
    values["key"] = key_of(message.key)
    values["env"] = tuple((variable.name, variable.value) for variable in message.env)
    values["cannot"] = tuple((variable.name, variable.value) for variable in message.cannot)
    values["history"] = tuple(from_message(event, Event) for event in message.history)
    values["log_end"] = tuple(message.log_end)
    return PodDetails(**values)


# -- devices


def gpu_message(gpu: Gpu) -> pb.Gpu:
    given = {field.name: getattr(gpu, field.name) for field in fields(gpu)}
    given["processes"] = [_process_message(process) for process in gpu.processes]
    given["pods"] = [key_message(key) for key in gpu.pods]
    return pb.Gpu(**{name: item for name, item in given.items() if item is not None})


def _process_message(process: GpuProcess) -> pb.GpuProcess:
    given = {field.name: getattr(process, field.name) for field in fields(process)}
    given["pod"] = None if process.pod is None else key_message(process.pod)
    return pb.GpuProcess(**{name: item for name, item in given.items() if item is not None})


def gpu_of(message: pb.Gpu) -> Gpu:
    processes = tuple(
        GpuProcess(
            item.pid,
            item.memory_bytes if item.HasField("memory_bytes") else None,
            item.command,
            item.user,
            key_of(item.pod) if item.HasField("pod") else None,
        )
        for item in message.processes
    )
    return replace(
        from_message(message, Gpu), processes=processes, pods=tuple(key_of(key) for key in message.pods)
    )
