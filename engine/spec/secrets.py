"""Which names look like secrets, and how their values are kept off screens and out of messages."""

from __future__ import annotations

import re
from collections.abc import Mapping

MASK = "***"
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|PASSPHRASE|KEY|CREDENTIAL", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_SHORTEST = 4
"""Shorter values are not searched for in a text: they would mask half of every word."""


def looks_secret(name: str) -> bool:
    """Whether a variable or key of this name is likely to hold a secret."""
    return _SECRET.search(name) is not None


def redact(text: str, env: Mapping[str, str]) -> str:
    """`text` without user and password in addresses, and without the values of `env` that look secret."""
    text = _USERINFO.sub(MASK + "@", text)
    secrets = {value for name, value in env.items() if looks_secret(name) and len(value) >= _SHORTEST}
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text
