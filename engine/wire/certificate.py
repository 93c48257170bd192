"""The names in an X.509 certificate. Reads just as much of it as that takes; trusts and checks nothing."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from ipaddress import ip_address

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_EXTENSIONS, _DNS_NAME, _IP_ADDRESS = 0xA3, 0x82, 0x87
_VERSION, _OCTETS, _BMP_STRING = 0xA0, 0x04, 0x1E
_ALTERNATIVE_NAMES, _COMMON_NAME = b"\x55\x1d\x11", b"\x55\x04\x03"
_SUBJECT = 4
"""Its place in a certificate after the version: serial, algorithm, issuer, validity, subject."""

Part = tuple[int, bytes]
"""Tag and content of one DER value."""


def names_of(pem: bytes, common: bool = True) -> tuple[str, ...]:
    """Alternative names (hosts as written, addresses as text) of the first certificate, else its common name.

    Without `common` only the former, which a server's certificate has and an authority's has not. Raises
    ValueError for what is no certificate.
    """
    found = _PEM.search(pem)
    if found is None:
        raise ValueError("there is no certificate in it")
    try:
        return _names(ssl.PEM_cert_to_DER_cert(found[0].decode("ascii")), common)
    except (
        ValueError,
        IndexError,
        RuntimeError,
    ) as error:  # a generator's end within another is a RuntimeError
        raise ValueError("its certificate can't be read") from error


def _names(der: bytes, common: bool) -> tuple[str, ...]:
    (_, certificate), *_ = _parts(der)
    (_, body), *_ = _parts(certificate)
    fields = [part for part in _parts(body) if part[0] != _VERSION]
    for tag, content in fields:
        if tag == _EXTENSIONS:
            names = tuple(_alternatives(content))
            if names:
                return names
    return tuple(_common_names(fields[_SUBJECT][1])) if common else ()


def _alternatives(extensions: bytes) -> Iterator[str]:
    for _, extension in _parts(next(_parts(extensions))[1]):
        (_, kind), *rest = _parts(extension)
        if kind != _ALTERNATIVE_NAMES:
            continue
        octets = next(content for tag, content in rest if tag == _OCTETS)
        for tag, name in _parts(next(_parts(octets))[1]):
            if tag == _DNS_NAME:
                yield name.decode("ascii")
            elif tag == _IP_ADDRESS:
                yield str(ip_address(name))


def _common_names(subject: bytes) -> Iterator[str]:
    for _, group in _parts(subject):
        for _, pair in _parts(group):
            (_, kind), (tag, value) = _parts(pair)
            if kind == _COMMON_NAME:
                yield value.decode("utf-16-be" if tag == _BMP_STRING else "utf-8")


def _parts(data: bytes) -> Iterator[Part]:
    """The DER values that stand in `data` one after another."""
    at = 0
    while at < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            more = size & 0x7F
            size = int.from_bytes(data[at : at + more])
            at += more
        if at + size > len(data):
            raise ValueError("cut short")
        yield tag, data[at : at + size]
        at += size
