"""Whether the files of TLS can be used: certificate and key fit, and hold what they should. Absolute paths."""

from __future__ import annotations

from collections.abc import Iterator

from .topology import DeploymentSpec, GatewaySpec
from .wrong import Wrong


def looked_into(spec: DeploymentSpec | GatewaySpec) -> Iterator[tuple[str, Wrong]]:
    """What is wrong with the contents of its files, with the key of each."""
    certificate, key = spec.ssl_certfile, spec.ssl_keyfile
    authority = spec.ssl_cafile if isinstance(spec, DeploymentSpec) else None
    try:
        if certificate:
            trusted(certificate)
    except Wrong as wrong:
        yield "ssl_certfile", wrong
    else:
        if certificate and key:
            try:
                pair(certificate, key)
            except Wrong as wrong:
                yield "ssl_keyfile", wrong
    if authority:
        try:
            trusted(authority)
        except Wrong as wrong:
            yield "ssl_cafile", wrong


def readable(path: str) -> None:
    """Raise `Wrong` unless it is a file that can be read."""
    try:
        with open(path, "rb") as stream:
            stream.read(1)
    except FileNotFoundError:
        raise Wrong(f"there is no file {path}") from None
    except IsADirectoryError:
        raise Wrong(f"{path} is a folder") from None
    except OSError as error:
        raise Wrong(f"{path} can't be read: {error.strerror}") from None


def pair(certificate: str, key: str) -> None:
    """Raise `Wrong` unless `key` holds the key of the certificate, in PEM and without a password."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asked = False

    def password() -> str:
        nonlocal asked
        asked = True
        return ""

    try:
        context.load_cert_chain(certificate, key, password)
    except (ssl.SSLError, ValueError, OSError) as error:
        if asked:
            plain = "write it out without one: `openssl pkey -in KEY -out PLAIN`"
            raise Wrong(f"the key {key} is behind a password", plain) from None
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            hint = "the two must come from one request"
            raise Wrong(f"the key {key} does not fit the certificate {certificate}", hint) from None
        raise Wrong(f"{key} holds no key in PEM", "it begins with `-----BEGIN PRIVATE KEY-----`") from None


def trusted(path: str) -> None:
    """Raise `Wrong` unless the file holds a certificate in PEM."""
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (ssl.SSLError, ValueError, OSError):
        hint = "it begins with `-----BEGIN CERTIFICATE-----`"
        raise Wrong(f"{path} holds no certificate in PEM", hint) from None
