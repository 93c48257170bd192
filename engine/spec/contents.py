"""What one value of a spec can't be, whatever stands beside it: texts, probes, addresses, gRPC's arguments.

No message and no mistake repeats a token or the value of a variable that may hold one.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from ..errors import Mistake
from . import dealing, places
from .keys import LIMITS, PROBE
from .table import by_table, is_port, is_whole
from .topology import DeploymentSpec, GatewaySpec, Limits, Probe, ProbeKind
from .wrong import Wrong, closest, shown

_ADDRESS = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")
_METADATA = re.compile(r"[0-9a-z_.-]{1,200}")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_LARGEST_OPTION = 2**31


def contents(spec: DeploymentSpec, path: str) -> Iterator[Mistake]:
    """Every value of a deployment that is none."""
    for name, value in spec.env.items():
        yield from _variable(name, value, f"{path}.env", placed=bool(spec.command))
    yield from _words(spec.command, f"{path}.command")
    yield from _probe(spec.probe, f"{path}.probe")
    yield from _probe(spec.liveness, f"{path}.liveness")
    if isinstance(spec.limits, Limits):
        yield from by_table(spec.limits, f"{path}.limits", LIMITS)
    else:
        yield Mistake(f"must be limits, not {shown(str(spec.limits))}", key=f"{path}.limits")
    yield from _metadata(spec.grpc_metadata, f"{path}.grpc_metadata")
    yield from _options(spec.grpc_channel_options, f"{path}.grpc_channel_options")
    yield from _options(spec.grpc_server_options, f"{path}.grpc_server_options")
    yield from _token(spec.token, f"{path}.token")
    yield from _gpus(spec.gpus, f"{path}.gpus")
    for host in spec.hosts or (spec.host,):
        yield from address(host, f"{path}.host")
    for port in spec.ports:
        if not is_port(port):
            message = f"must be from 1 to 65535, not {shown(str(port))}"
            yield Mistake(message, key=f"{path}.port", value=str(port))


def gateway(spec: GatewaySpec, path: str) -> Iterator[Mistake]:
    """Every value of a gateway that is none."""
    yield from address(spec.host, f"{path}.host")
    yield from _options(spec.grpc_server_options, f"{path}.grpc_server_options")
    yield from _token(spec.token, f"{path}.token")


def is_address(host: object) -> bool:
    return isinstance(host, str) and _ADDRESS.fullmatch(host) is not None


def address(host: object, key: str) -> Iterator[Mistake]:
    """A host that no name or number can be."""
    if not is_address(host):
        hint = "write a name or an IPv4 address"
        yield Mistake(f"{shown(str(host))} is not an address", hint, key=key, value=str(host))


def _variable(name: object, value: object, path: str, placed: bool) -> Iterator[Mistake]:
    """A variable that no process can be given, or a deal of devices that means nothing."""
    key = f"{path}.{name}"
    if not isinstance(name, str) or not isinstance(value, str):
        yield Mistake("a variable's name and value are text", key=key)
    elif name == "" or "=" in name or "\0" in name:
        yield Mistake(f"{shown(name)} can't be a variable's name", key=key)
    elif "\0" in value:
        yield Mistake("a variable can't hold the character U+0000", key=key)
    elif name == dealing.VARIABLE:
        try:
            dealing.parse(value)
        except Wrong as wrong:
            yield Mistake(wrong.message, wrong.hint, key=key, value=value)
    elif placed:
        yield from _places(value, key)


def _words(words: object, key: str) -> Iterator[Mistake]:
    """A command that can't be run as it stands."""
    if not isinstance(words, tuple) or not all(isinstance(word, str) for word in words):
        yield Mistake(f"must be words, not {shown(str(words))}", "give a tuple of texts", key=key)
        return
    if words and not words[0].strip():
        yield Mistake("names no program", "begin with the program", key=key)
    for word in words:
        if "\0" in word:
            yield Mistake("no word of a command can hold the character U+0000", key=key)
        else:
            yield from _places(word, key)


def _places(text: str, key: str) -> Iterator[Mistake]:
    for name in places.unknown(text):
        known = ", ".join(f"`{{{place}}}`" for place in places.PLACES)
        near = closest(name, places.PLACES)
        hint = (
            f"{near + ' ' if near else ''}there are {known}; `{{{{{name[:40]}}}}}` stands for the text itself"
        )
        yield Mistake(f"{shown(f'{{{name}}}')} is no place", hint, key=key, value=f"{{{name}}}")


def _probe(probe: object, path: str) -> Iterator[Mistake]:
    if probe is None:
        return
    if not isinstance(probe, Probe) or probe.kind not in list(ProbeKind):
        yield Mistake(f"must be a probe, not {shown(str(probe))}", key=path)
        return
    yield from by_table(probe, path, PROBE)
    match ProbeKind(probe.kind):
        case ProbeKind.HTTP:
            if not isinstance(probe.path, str) or not probe.path.startswith("/"):
                message = f"{shown(str(probe.path))} is not the path of a URL"
                yield Mistake(message, "begin with `/`: `http: /health`", key=f"{path}.http")
            elif not probe.path.isprintable():
                yield Mistake("a path holds no control characters", key=f"{path}.http")
        case ProbeKind.EXEC:
            if not probe.command:
                yield Mistake("names no program", "begin with the program", key=f"{path}.exec")
            yield from _words(probe.command, f"{path}.exec")
        case ProbeKind.LOG:
            yield from _pattern(probe.pattern, f"{path}.log")
        case ProbeKind.GRPC | ProbeKind.TCP:
            pass
    if probe.port is not None and probe.kind in (ProbeKind.EXEC, ProbeKind.LOG):
        yield Mistake(f"`{probe.kind}` asks no port", "leave `port` out", key=f"{path}.port")


def _pattern(pattern: object, key: str) -> Iterator[Mistake]:
    if not isinstance(pattern, str) or not pattern:
        yield Mistake("must be a regular expression", "as `log: 'listening on .*'`", key=key)
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, MemoryError) as error:
        why = str(error) or type(error).__name__
        hint = "put `\\` before a character that stands for itself"
        yield Mistake(f"{shown(pattern)} is not a regular expression: {why}", hint, key=key, value=pattern)


def _metadata(metadata: object, path: str) -> Iterator[Mistake]:
    if not isinstance(metadata, dict):
        yield Mistake("must be a map of text", key=path)
        return
    for name, value in metadata.items():
        key = f"{path}.{name}"
        if not isinstance(name, str) or not _METADATA.fullmatch(name) or name.startswith("grpc-"):
            hint = "use lower-case letters, digits, `.`, `_` and `-`; `grpc-` is gRPC's own"
            yield Mistake(f"{shown(str(name))} can't be a key of gRPC's metadata", hint, key=key)
        elif name.endswith("-bin"):
            yield Mistake(
                "a key that ends with `-bin` has bytes, and here is text", "name it otherwise", key=key
            )
        elif not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
            yield Mistake("a value of gRPC's metadata is printable ASCII", key=key)


def _options(options: object, path: str) -> Iterator[Mistake]:
    if not isinstance(options, dict):
        yield Mistake("must be a map of options", key=path)
        return
    for name, value in options.items():
        key = f"{path}.{name}"
        if not isinstance(name, str) or not name or not name.isascii() or not name.isprintable():
            yield Mistake(
                f"{shown(str(name))} can't be an argument of gRPC's", "as `grpc.keepalive_time_ms`", key=key
            )
        elif is_whole(value):
            if not -_LARGEST_OPTION <= int(value) < _LARGEST_OPTION:
                yield Mistake(f"{shown(str(value))} does not fit in 32 bits", key=key, value=str(value))
        elif not isinstance(value, str) or "\0" in value:
            yield Mistake("an option is a whole number or text", key=key)


def _token(token: object, key: str) -> Iterator[Mistake]:
    if token is None:
        return
    if not isinstance(token, str) or not token or not _PRINTABLE.fullmatch(token) or " " in token:
        hint = "as `${TOKEN}`, set where `qd` is called or in `.env`"
        yield Mistake("a token is printable ASCII without spaces, and not empty", hint, key=key)


def _gpus(gpus: object, key: str) -> Iterator[Mistake]:
    if gpus is None or gpus in ("spread", "auto"):
        return
    if not isinstance(gpus, str) or not re.fullmatch(r"[1-9][0-9]{0,3}", gpus):
        message = f"must be `spread`, `auto` or a whole number from 1 up, not {shown(str(gpus))}"
        yield Mistake(message, key=key, value=str(gpus))
