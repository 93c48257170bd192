"""What a topology names and must find beside it: classes in their sources, certificates. None of it is run."""

from __future__ import annotations

from collections.abc import Mapping as Map
from pathlib import Path

from . import certificates
from .classes import Sources, search_path
from .executor import parse
from .interpreter import environment
from .reader import Reader
from .topology import DeploymentSpec, GatewaySpec, Topology
from .wrong import Wrong


def look_around(reader: Reader, topology: Topology, env: Map[str, str]) -> None:
    """Add to the reader what is not there, or is not what it should be, for a caller with this environment."""
    _check_classes(reader, topology, env)
    _check_certificates(reader, topology)


def _check_classes(reader: Reader, topology: Topology, env: Map[str, str]) -> None:
    """Look for every executor's class in its source."""
    sources = Sources(search_path(topology.folder, env))
    for index, spec in enumerate(topology.deployments):
        more = (*_module_folders(spec), *_python_path(spec), *_sites(spec))
        for key, uses in (
            ("uses", spec.uses),
            ("uses_before", spec.uses_before),
            ("uses_after", spec.uses_after),
        ):
            path = f"deployments[{index}].{key}"
            try:
                wanted = parse(uses or "")
                if wanted is not None and not reader.has(path):
                    sources.check(wanted, more, other=spec.python is not None)
            except Wrong as wrong:
                reader.wrong(path, wrong, uses or "")


def _check_certificates(reader: Reader, topology: Topology) -> None:
    """Look into the files of TLS: a wrong one shows here, and not when the first request fails."""
    owners: dict[str, DeploymentSpec | GatewaySpec] = {
        f"deployments[{index}]": spec for index, spec in enumerate(topology.deployments)
    }
    if topology.gateway is not None:
        owners["gateway"] = topology.gateway
    for path, owner in owners.items():
        for key, wrong in certificates.looked_into(owner):
            reader.wrong(f"{path}.{key}", wrong)


def _module_folders(spec: DeploymentSpec) -> tuple[str, ...]:
    """As a pod has them: of a module or a package the folder around it."""
    paths = map(Path, spec.py_modules)
    packed = ((path, path.is_file() or (path / "__init__.py").exists()) for path in paths)
    return tuple(str(path.parent if inside else path) for path, inside in packed)


def _python_path(spec: DeploymentSpec) -> tuple[str, ...]:
    return tuple(filter(None, spec.env.get("PYTHONPATH", "").split(":")))


def _sites(spec: DeploymentSpec) -> tuple[str, ...]:
    folder = "" if spec.python is None else environment(spec.python)
    return tuple(sorted(map(str, Path(folder).glob("lib/python3*/site-packages")))) if folder else ()
