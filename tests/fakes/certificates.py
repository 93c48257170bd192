"""Certificates of a test's own: an authority, what it signs, and what signs itself."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a server shows of itself: two files, and the name in the certificate."""

    cert: str
    key: str
    name: str

    @property
    def served(self) -> dict[str, Any]:
        """Keys of a job or a deployment."""
        return {"ssl_certfile": self.cert, "ssl_keyfile": self.key}


def self_signed(folder: Path, name: str, *more: str) -> Shown:
    """For a host's name, and more entries as OpenSSL writes them (`IP:127.0.0.1`)."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    names = ",".join((f"DNS:{name}", *more))
    _openssl("req", "-x509", *_NEW_KEY, "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=test",
             "-addext", f"subjectAltName={names}")  # fmt: skip
    return Shown(str(cert), str(key), name)


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates; its own is `ca`."""

    folder: Path
    ca: str
    _key: str

    @classmethod
    def new(cls, folder: Path, name: str = "authority") -> Authority:
        ca, key = folder / f"{name}.pem", folder / f"{name}.key"
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", key, "-out", ca, "-days", "2", "-subj", f"/CN={name}")
        return cls(folder, str(ca), str(key))

    def sign(self, name: str, file: str = "") -> Shown:
        """A certificate for a host's name."""
        cert, key = self.folder / f"{file or name}.pem", self.folder / f"{file or name}.key"
        request, names = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        names.write_text(f"subjectAltName=DNS:{name}\nbasicConstraints=CA:FALSE\n")
        _openssl("req", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", "/CN=test")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key, "-set_serial", "7",
                 "-days", "2", "-out", cert, "-extfile", names)  # fmt: skip
        return Shown(str(cert), str(key), name)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
