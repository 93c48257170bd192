"""The engine's own health call: `grpc.health.v1.Health/Check` over a plain socket.

A pre-encoded HTTP/2 request costs half of what a gRPC channel does, and there is no channel whose back-off
could delay the next call. Only what says SERVING is ready.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import ssl
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ..wire.way import PLAIN, Way, WayError, client_context, expected_name

SERVING = b"\x08\x01"
STATUS_WORDS = {
    b"": "unknown",
    b"\x08\x00": "unknown",
    b"\x08\x02": "not serving",
    b"\x08\x03": "unknown service",
}


class Frame(IntEnum):
    """HTTP/2 frame types that matter here (RFC 9113, section 6)."""

    DATA = 0
    HEADERS = 1
    RST_STREAM = 3
    SETTINGS = 4
    GOAWAY = 7


ACK = END_STREAM = 0x1
END_HEADERS = 0x4
LARGEST_ANSWER = 1 << 16


@dataclass(frozen=True, slots=True)
class Health:
    """What a pod answered."""

    ok: bool
    answer: str = ""


def _frame(kind: Frame, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def _literal(name: bytes, value: bytes) -> bytes:
    """A header field that no table remembers (RFC 7541, section 6.2.2); `name` is its encoded name."""
    return name + _text(value)


def _text(value: bytes) -> bytes:
    """Its length in seven bits and what they can't hold (RFC 7541, section 5.1), and itself."""
    size, more = len(value), b""
    if size < 0x7F:
        return bytes((size,)) + value
    size -= 0x7F
    while size > 0x7F:
        size, more = size >> 7, more + bytes((size & 0x7F | 0x80,))
    return b"\x7f" + more + bytes((size,)) + value


def _metadata(way: Way) -> bytes:
    """What goes along with every call to the pod, a token say, each entry with a name of its own."""
    fields = b""
    for key, value in way.pairs:
        text = value.encode() if isinstance(value, str) else base64.b64encode(value).rstrip(b"=")
        fields += _literal(b"\0" + _text(key.encode()), text)
    return fields


def _message(service: str) -> bytes:
    """A `HealthCheckRequest` behind gRPC's prefix; its field is left out for the server as a whole."""
    name = service.encode()
    size, left = b"", len(name)
    while left > 0x7F:
        size, left = size + bytes((left & 0x7F | 0x80,)), left >> 7
    message = b"\x0a" + size + bytes((left,)) + name if name else b""
    return b"\0" + len(message).to_bytes(4) + message


def request(authority: str, service: str = "", way: Way = PLAIN) -> bytes:
    """The whole of a Check call, client preface included."""
    headers = (
        b"\x83"  # :method POST, from the static table
        + (b"\x87" if way.tls else b"\x86")  # :scheme https or http
        + _literal(b"\x04", b"/grpc.health.v1.Health/Check")  # :path
        + _literal(b"\x01", authority.encode())  # :authority
        + _literal(b"\x0f\x10", b"application/grpc")  # content-type
        + _literal(b"\x00\x02te", b"trailers")
        + _metadata(way)
    )
    return (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        + _frame(Frame.SETTINGS, 0, 0)
        + _frame(Frame.HEADERS, END_HEADERS, 1, headers)
        + _frame(Frame.DATA, END_STREAM, 1, _message(service))
    )


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, service: str) -> Health:
    while True:
        head = await reader.readexactly(9)
        length = int.from_bytes(head[:3])
        if length > LARGEST_ANSWER:
            return Health(False, "answers something that is not gRPC")
        payload = await reader.readexactly(length)
        kind, flags = head[3], head[4]
        if kind == Frame.SETTINGS and not flags & ACK:
            writer.write(_frame(Frame.SETTINGS, ACK, 0))
        elif kind == Frame.DATA and length >= 5:
            message = payload[5 : 5 + int.from_bytes(payload[1:5])]
            if message == SERVING:
                return Health(True)
            return Health(False, f"health says {STATUS_WORDS.get(message, 'something unknown')}")
        elif kind == Frame.HEADERS and flags & END_STREAM:
            unknown = f" or knows no service {service}" if service else ""
            return Health(False, f"answers gRPC, but not grpc.health.v1.Health/Check{unknown}")
        elif kind in (Frame.RST_STREAM, Frame.GOAWAY):
            return Health(False, "ends the health call")


def why(error: OSError) -> str:
    """What a connection failed for, in the system's own words; asyncio's name an address that we show already."""
    if isinstance(error, ConnectionError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return (error.strerror or str(error)).lower()


async def check(host: str, port: int, timeout: float = 5.0, service: str = "", way: Way = PLAIN) -> Health:
    """Ask the pod at `host:port`; never raises. `timeout` is seconds for the whole call.

    `service` is what is asked about; empty: the server as a whole. `way` says whether under TLS, and whom to
    trust then.
    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port, **_tls(way, host))
            writer.write(request(f"{host}:{port}", service, way))
            return await _answer(reader, writer, service)
    except TimeoutError:
        return Health(False, f"no answer to the health call within {timeout:g}s")
    except asyncio.IncompleteReadError:
        return Health(False, "closes the connection of the health call")
    except WayError as error:
        return Health(False, f"TLS: {error}")
    except ssl.SSLError as error:
        return Health(False, f"TLS: {_distrust(error)}")
    except OSError as error:
        return Health(False, f"health call: {why(error)}")
    finally:
        if writer is not None:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _tls(way: Way, host: str) -> dict[str, Any]:
    """What a connection needs for TLS; raises `WayError`."""
    if not way.tls:
        return {}
    return {"ssl": client_context(way), "server_hostname": expected_name(way, host) or host}


def _distrust(error: ssl.SSLError) -> str:
    """OpenSSL's reason as words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}".rstrip(".")
    return (error.reason or str(error)).replace("_", " ").lower()
