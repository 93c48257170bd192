"""`${VAR}` and `${VAR:-default}` in values, filled from the caller's environment and an `.env` file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .secrets import looks_secret
from .wrong import Wrong, shown

_PLACE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def fill(text: str, variables: Mapping[str, str]) -> tuple[str, bool]:
    """`text` with its variables filled in, and whether one of them looks like a secret.

    An empty variable counts as missing when there is a default, as in a shell; `$${` stands for `${`.
    Raises `Wrong` for a variable that is missing or misspelt.
    """
    secret = False

    def put(place: re.Match[str]) -> str:
        nonlocal secret
        if place[0] == "$${":
            return "${"
        found = _VARIABLE.fullmatch(place[1]) if place[0].endswith("}") else None
        if found is None:
            raise Wrong(
                f"{shown(place[0])} is not a variable",
                "write `${NAME}` or `${NAME:-default}`, and `$${` for the characters themselves",
            )
        name, default = found[1], found[2]
        secret = secret or looks_secret(name)
        value = variables.get(name)
        if default is not None:
            return value or default
        if value is None:
            raise Wrong(
                f"the variable {shown(name)} is not set",
                f"set it in the environment or in `.env` beside the file, or write `${{{name}:-default}}`",
            )
        return value

    return _PLACE.sub(put, text), secret


def read_dotenv(text: str) -> tuple[dict[str, str], tuple[tuple[int, Wrong], ...]]:
    """Variables of an `.env` text, and what is wrong with its lines (number from 1)."""
    variables: dict[str, str] = {}
    wrongs: list[tuple[int, Wrong]] = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = _ASSIGNMENT.fullmatch(line)
        if found is None:
            wrongs.append((number, Wrong("this line sets no variable", "write `NAME=value`")))
        else:
            variables[found[1]] = _unquoted(found[2])
    return variables, tuple(wrongs)


def _unquoted(value: str) -> str:
    """The value without its quotes, or without the comment behind it."""
    if value[:1] in ("'", '"'):
        end = value.find(value[0], 1)
        if end > 0:
            return value[1:end]
    return re.split(r"\s+#", value, maxsplit=1)[0].rstrip() if not value.startswith("#") else ""
