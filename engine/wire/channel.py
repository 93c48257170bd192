"""The one place where gRPC channels and servers get their options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .way import PLAIN, Option, Way, channel_credentials, expected_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from grpc import aio

MAX_MESSAGE = 256 * 1024 * 1024
"""Bytes; gRPC's default is 4 MiB, less than one picture batch."""

_BOTH = (
    ("grpc.max_send_message_length", MAX_MESSAGE),
    ("grpc.max_receive_message_length", MAX_MESSAGE),
)

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    *_BOTH,
    # A proxy named in the environment is for the world outside, not for a pod beside us.
    ("grpc.enable_http_proxy", 0),
    # Channels to one address would share connections and back-off; a new run of a pod starts afresh.
    ("grpc.use_local_subchannel_pool", 1),
    # The default waits a second after a refused connection; pods on this host are back sooner.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Despite its name this is how long one attempt to connect may take; a busy host needs more than moments.
    ("grpc.min_reconnect_backoff_ms", 10_000),
)

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    *_BOTH,
    # With it two servers could hold one port and take each other's calls.
    ("grpc.so_reuseport", 0),
)


def join_address(host: str, port: int) -> str:
    """`host:port` as gRPC takes it; an IPv6 host gets its brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def open_channel(address: str, way: Way = PLAIN) -> aio.Channel:
    """A channel to `host:port` or `unix:/path`; connects with the first call.

    Raises `WayError` where a file of TLS is no good. The way's metadata is the caller's to send.
    """
    from grpc import aio

    options = merged(CHANNEL_OPTIONS, way.options)
    if not way.tls:
        return aio.insecure_channel(address, options=options)
    name = expected_name(way, host_of(address))
    if name:
        options = (*options, ("grpc.ssl_target_name_override", name))
    return aio.secure_channel(address, channel_credentials(way), options=options)


def host_of(address: str) -> str:
    """The host of `host:port`, without brackets."""
    return address.rpartition(":")[0].strip("[]")


def merged(ours: Sequence[Option], more: Iterable[Option]) -> tuple[Option, ...]:
    """Options in which the user's go before ours, but a message may not be smaller than we let it be."""
    options = dict(ours)
    for name, value in more:
        least = options.get(name) if name in dict(_BOTH) else None
        if not (isinstance(least, int) and isinstance(value, int) and 0 <= value < least):
            options[name] = value
    return tuple(options.items())


def bytes_call(channel: aio.Channel, method: str) -> aio.UnaryUnaryMultiCallable[bytes, bytes]:
    """The unary call of this full name (`/package.Service/Method`), bytes in and bytes out."""
    return channel.unary_unary(method)


def bytes_both(channel: aio.Channel, method: str) -> aio.StreamStreamMultiCallable[bytes, bytes]:
    """The same for a call of two streams; on the wire every other kind of call is one of these."""
    return channel.stream_stream(method)


def bytes_stream(channel: aio.Channel, method: str) -> aio.UnaryStreamMultiCallable[bytes, bytes]:
    """The same for a call that is answered with a stream."""
    return channel.unary_stream(method)


def new_server(handlers: Sequence[object] = (), options: Iterable[Option] = ()) -> aio.Server:
    """A server without a port; needs a running event loop. The options are beside our own."""
    from grpc import aio

    found = merged(SERVER_OPTIONS, options)
    return aio.server(handlers=handlers, options=found)  # type: ignore[arg-type]
