"""Dealing GPUs: which devices a deployment's replicas get, given the devices that there are. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from ..spec.dealing import VARIABLE, Listed, Span, parse
from ..spec.topology import DeploymentSpec, Topology
from ..spec.wrong import Wrong, shown

ORDER = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
"""Set beside a dealt device: without it CUDA counts by speed, and NVML's index is another device."""


@dataclass(frozen=True, slots=True)
class GpuView:
    """The devices that may be dealt."""

    devices: tuple[str, ...] = ()
    """What CUDA_VISIBLE_DEVICES calls each: an index or a UUID."""
    uuids: tuple[str, ...] = ()
    """UUID of each device in the same order, or empty where they are not known."""
    source: str = "no GPU found"
    """Who counted them (`NVML`, `CUDA_TOTAL_DEVICES`, `CUDA_VISIBLE_DEVICES`), or why there are none."""
    free: tuple[int, ...] = ()
    """Bytes of free memory in the same order, -1 of a device that is lost; empty where they are not known."""


def deals(topology: Topology) -> bool:
    """Whether any deployment asks for devices, so that they must be counted."""
    return any(spec.gpus or spec.env.get(VARIABLE, "").startswith("RR") for spec in topology.deployments)


def counted(topology: Topology, find: Callable[[], GpuView]) -> GpuView:
    """The devices, counted only where the topology asks for some: with a driver that takes its time."""
    return find() if deals(topology) else GpuView()


def deal(spec: DeploymentSpec, gpus: GpuView) -> tuple[str, ...] | None:
    """Devices dealt over, in order: replica r of every shard gets item `r % len`.

    None: nothing is dealt, the variable is passed through as it is. Empty: there is no device to deal, the
    variable is not to be set. Raises `Wrong` for a rule that means nothing or selects no device.
    """
    value = spec.env.get(VARIABLE, "")
    rule = parse(value)
    if rule is None:
        return None
    if not gpus.devices:
        return ()
    found = f"devices found: {', '.join(gpus.devices)} ({gpus.source})"
    match rule:
        case Span(start, stop, step):
            devices = gpus.devices[start:stop:step]
            if not devices:
                raise Wrong(f"{shown(value)} selects no device", found)
            return devices
        case Listed(names):
            return tuple(_named(name, gpus, value, found) for name in names)
        case _:
            assert_never(rule)


def _named(name: int | str, gpus: GpuView, value: str, found: str) -> str:
    """What CUDA calls the device that a list names."""
    if isinstance(name, str):
        # Where only the number of devices is known, a UUID has to be taken on trust.
        known = gpus.uuids or tuple(device for device in gpus.devices if not device.isdigit())
        if known and not name.startswith("MIG-") and not any(uuid.startswith(name) for uuid in known):
            raise Wrong(f"{shown(value)}: there is no device {shown(name)}", found)
        return name
    if name < 0 and -name <= len(gpus.devices):
        return gpus.devices[name]
    if str(name) not in gpus.devices:
        raise Wrong(f"{shown(value)}: there is no device {name}", found)
    return str(name)
