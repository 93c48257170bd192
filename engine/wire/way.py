"""`Way`: how a pod is spoken to. Under TLS: whom to trust, and which name the certificate must have.

Files are read where they are used, so that a replaced certificate counts for the next connection. A file that
is no good is a `WayError` that names it.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .certificate import names_of

if TYPE_CHECKING:
    import grpc

_DISTRUST = {
    "CERTIFICATE_VERIFY_FAILED": "the certificate is not trusted",
    "Hostname Verification Check failed": "the certificate is for another name",
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
}
"""What gRPC's words hold where TLS says no, and what that means."""

Option = tuple[str, int | str]
Pair = tuple[str, str | bytes]


class WayError(Exception):
    """There is no speaking this way: what is wrong with which file."""


@dataclass(frozen=True, slots=True)
class Way:
    """Plain data, and a key for channels: what differs in it needs another channel."""

    tls: bool = False
    ca: str = ""
    """Path of the file that says whom to trust; empty: the system's roots."""
    cert: str = ""
    """Path of the certificate that a pod of ours serves. It was not made for the address that we reach the pod
    at, so the name in it is the one that the pod must show. Empty: the pod must show its address."""
    name: str = ""
    """The name that the certificate must have, where it is known otherwise."""
    metadata: tuple[tuple[str, str], ...] = ()
    """Sent with every call."""
    options: tuple[Option, ...] = ()
    """Of the channel, beside our own."""

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The metadata as gRPC takes it: keys in lower case, and bytes where the key says so."""
        lower = ((key.lower(), value) for key, value in self.metadata)
        return tuple((key, value.encode() if key.endswith("-bin") else value) for key, value in lower)


PLAIN = Way()


def way_of(
    tls: bool = False,
    ca: str = "",
    cert: str = "",
    metadata: Mapping[str, str] | None = None,
    options: Mapping[str, int | str] | None = None,
    token: str | None = None,
    name: str = "",
) -> Way:
    """A way of loose parts; a token becomes the metadata that carries it."""
    sent = dict(metadata or {})
    if token:
        sent = {key: value for key, value in sent.items() if key.lower() != "authorization"}
        sent["authorization"] = f"Bearer {token}"
    return Way(tls, ca, cert, name, tuple(sent.items()), tuple((options or {}).items()))


def expected_name(way: Way, host: str) -> str:
    """The name that the certificate must have where that is not the host itself; else empty."""
    return way.name or (_other_name(way.cert, host, common=True) if way.cert else "")


def name_in(ca: str, host: str) -> str:
    """The same where all that is known is whom to trust: what a server's own certificate says of it."""
    return _other_name(ca, host, common=False)


def _other_name(path: str, host: str, common: bool) -> str:
    try:
        names = names_of(_read(path), common)
    except ValueError as error:
        raise WayError(f"{path}: {error}") from None
    if not names or host.lower() in (name.lower() for name in names):
        return ""
    # A wildcard stands for any one label.
    return names[0].replace("*", "any", 1)


def channel_credentials(way: Way) -> grpc.ChannelCredentials:
    """For a gRPC channel; raises `WayError`."""
    import grpc

    if way.ca:
        client_context(way)  # gRPC would take any bytes, and then wait for ever
    return grpc.ssl_channel_credentials(_read(way.ca) if way.ca else None)


def client_context(way: Way) -> ssl.SSLContext:
    """The same trust for a plain socket that speaks HTTP/2; raises `WayError`."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2"])
    if way.ca:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["h2"])
        # As gRPC has it: a certificate that was named is trusted, whoever signed it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(cadata=_read(way.ca).decode("ascii", "replace"))
        except ssl.SSLError:
            raise WayError(f"{way.ca}: there is no certificate in it") from None
    return context


def distrust(details: str) -> str:
    """Why TLS keeps two apart, given the details of a call that failed; empty where that is not why.

    Whoever is not trusted now won't be in a moment: there is nothing to wait for.
    """
    for mark, words in _DISTRUST.items():
        if mark in details:
            reason = details.partition(f"{mark}: ")[2].partition(":")[0]
            return f"{words}: {reason}" if mark == "CERTIFICATE_VERIFY_FAILED" and reason else words
    return ""


def server_credentials(cert: str, key: str) -> grpc.ServerCredentials:
    """What a server shows of itself; raises `WayError` where the files don't make a pair."""
    import grpc

    chain, secret = _read(cert), _read(key)
    try:
        names_of(chain)
    except ValueError as error:
        raise WayError(f"{cert}: {error}") from None
    try:
        # Without a password's source OpenSSL would ask the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise WayError(f"{key}: it is not the key of the certificate {cert}") from None
        raise WayError(f"{key}: there is no key in it that can be read without a password") from None
    return grpc.ssl_server_credentials([(secret, chain)])


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise WayError(f"{path}: {error.strerror}") from None
