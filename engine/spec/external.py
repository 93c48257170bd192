"""Where somebody else's pods are: one host or port or lists of them, `host:port` among the hosts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .reader import Reader, join
from .topology import LOOPBACK
from .wrong import Wrong, shown

_WITH_PORT = re.compile(r"([^:]*):([0-9]{1,5})")


def places(
    host: str | Sequence[str] | None, port: int | Sequence[int] | None
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Hosts and ports of the replicas, as many of each. Raises `Wrong`.

    Where one of the two is single, it is that of all; a host may have its port behind a colon.
    """
    hosts = (host or LOOPBACK,) if isinstance(host, str | None) else tuple(host)
    ports = () if port is None else (port,) if isinstance(port, int) else tuple(port)
    found = [_WITH_PORT.fullmatch(text) for text in hosts]
    if any(found):
        if ports:
            raise Wrong("ports stand both in `host` and in `port`", "leave `port` out, or the ones in `host`")
        lacking = [text for text, match in zip(hosts, found, strict=True) if match is None]
        if lacking:
            raise Wrong(f"{shown(lacking[0])} has no port, and others have", "write `name:port`")
        wrong = [one for one in found if one and not 1 <= int(one[2]) <= 65535]
        if wrong:
            raise Wrong(f"the port of {shown(wrong[0][0])} must be from 1 to 65535")
        return tuple(one[1] for one in found if one), tuple(int(one[2]) for one in found if one)
    if not hosts or not ports:
        raise Wrong("an external deployment needs its host and port", "say where it is: `host: name:port`")
    if len(hosts) == 1 or len(ports) == 1:
        count = max(len(hosts), len(ports))
        return hosts * (count // len(hosts)), ports * (count // len(ports))
    if len(hosts) != len(ports):
        hint = "give as many of both, or a single one that is that of all"
        raise Wrong(f"{len(hosts)} hosts and {len(ports)} ports don't pair up", hint)
    return hosts, ports


def settle(reader: Reader, path: str, fields: dict[str, Any]) -> None:
    """Turn `host` and `port` of a deployment's fields, in place, into what its spec has."""
    listed = [key for key in ("host", "port") if isinstance(fields.get(key), tuple)]
    if fields.get("external"):
        if not any(reader.has(join(path, key)) for key in ("host", "port")):
            _pair(reader, path, fields)
    elif not reader.has(join(path, "external")):
        for key in listed:
            hint = "write a single one, or `external: true` where somebody else runs it"
            reader.wrong(join(path, key), Wrong("a list is for an external deployment", hint))
    for key in listed:
        if isinstance(fields.get(key), tuple):
            del fields[key]


def _pair(reader: Reader, path: str, fields: dict[str, Any]) -> None:
    try:
        hosts, ports = places(fields.get("host"), fields.get("port"))
    except Wrong as wrong:
        where = next((key for key in ("port", "host") if key in fields), "external")
        reader.wrong(join(path, where), wrong)
        fields.pop("host", None)
        fields.pop("port", None)
        return
    fields |= {"host": hosts[0], "port": ports[0], "hosts": hosts, "ports": ports}
    fields.setdefault("replicas", len(hosts))
