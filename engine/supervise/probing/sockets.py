"""Probes that go to a port: whether it takes a connection, and what it answers to a GET. Never raise."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from urllib.parse import quote

from ..health import Health, why

LONGEST_LINE = 1024
"""Bytes of a status line that are read at most."""
UNTOUCHED = "/?&=%:@!$'()*+,;~-._"
"""What stays as it is in a path; everything else a server is to see encoded."""


async def tcp(host: str, port: int, timeout: float) -> Health:
    """Whether the port takes a connection within `timeout` seconds."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
            return Health(True)
    except TimeoutError:
        return Health(False, f"port {port} takes no connection within {timeout:g}s")
    except OSError as error:
        return Health(False, f"port {port}: {why(error)}")
    finally:
        await _hang_up(writer)


async def http(host: str, port: int, path: str, timeout: float, tls: bool = False) -> Health:
    """Whether GET of `path` is answered with a status from 200 to 399 within `timeout` seconds.

    Under TLS no certificate is checked: it is our own pod that is asked. What may be secret in the path
    (its query) is not repeated.
    """
    asked = f"GET {path.partition('?')[0] or '/'}"
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(
                host, port, limit=LONGEST_LINE, ssl=_trusting() if tls else None
            )
            writer.write(_request(host, port, path))
            return _judge(asked, await reader.readuntil(b"\n"))
    except TimeoutError:
        return Health(False, f"{asked}: no answer within {timeout:g}s")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            return _judge(asked, error.partial)
        return Health(False, f"{asked}: the connection was closed without an answer")
    except asyncio.LimitOverrunError:
        return Health(False, f"{asked} answered something that is not HTTP")
    except OSError as error:
        return Health(False, f"{asked}: {why(error)}")
    finally:
        await _hang_up(writer)


def _request(host: str, port: int, path: str) -> bytes:
    name = f"[{host}]" if ":" in host else host
    lines = (
        f"GET {quote(path, safe=UNTOUCHED) or '/'} HTTP/1.1",
        f"Host: {name}:{port}",
        "User-Agent: quarterdeck-probe",
        "Accept: */*",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def _judge(asked: str, line: bytes) -> Health:
    """By the status line: `HTTP/1.1 503 Service Unavailable`."""
    words = line.decode("latin-1").split()
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdecimal():
        return Health(False, f"{asked} answered something that is not HTTP")
    return Health(200 <= int(words[1]) < 400, f"{asked} answered {words[1]}")


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _hang_up(writer: asyncio.StreamWriter | None) -> None:
    if writer is not None:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
