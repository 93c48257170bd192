"""`load`: a topology file becomes a checked `Topology`, or a `SpecError` with every mistake and its line.

Nothing is started and none of the user's code is imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from pathlib import Path

from ..errors import Mistake, SpecError
from .check import check
from .compose import compose
from .jina import is_jinas, translated
from .keys import RESERVED_TOPOLOGY, TOPOLOGY
from .nodes import Mapping, Node
from .reader import Reader
from .surroundings import look_around
from .texts import text_of
from .topology import GatewaySpec, Topology
from .values import read_table
from .variables import read_dotenv
from .wrong import Wrong


def load(path: Path, env: Map[str, str]) -> Topology:
    """Read the file with the caller's environment. Raises `SpecError`, and nothing else."""
    file = str(path)
    try:
        absolute = path.absolute()
        root = compose(text_of(path))
        if root is None:
            raise Wrong("the file is empty", "a topology needs at least `deployments`")
        if not isinstance(root, Mapping):
            raise Wrong("a topology is a map of keys", "begin with `deployments:`", line=root.line)
        if is_jinas(root):
            root = translated(root)
    except Wrong as wrong:
        raise SpecError((Mistake(wrong.message, wrong.hint, file, wrong.line),)) from None
    dotenv, wrongs = _dotenv(absolute.parent / ".env")
    reader = Reader(file, str(absolute.parent), {**dotenv, **env})
    for number, fault in wrongs:
        reader.wrong("", Wrong(fault.message, fault.hint, str(path.parent / ".env"), number))
    topology = _topology(reader, root, absolute)
    look_around(reader, topology, env)
    if reader.mistakes:
        raise SpecError(reader.mistakes)
    return topology


def _topology(reader: Reader, root: Mapping, absolute: Path) -> Topology:
    """The topology as far as it can be read; what is wrong with it is in the reader."""
    fields = read_table(reader, root, "", TOPOLOGY, RESERVED_TOPOLOGY, "a topology")
    topology = Topology(
        name=fields.get("name", name_from(absolute)),
        deployments=fields.get("deployments", ()),
        gateway=fields.get("gateway", GatewaySpec()),
        source=str(absolute),
        folder=str(absolute.parent),
    )
    # A value that could not be read stands at its default; what that leads to is no second mistake.
    unread = {path for path in ("gateway", *_paths(topology)) if reader.has(path)}
    for mistake in [mistake for mistake in check(topology, unread) if not reader.has(mistake.key)]:
        wrong = Wrong(mistake.message, mistake.hint)
        reader.wrong(mistake.key, wrong, mistake.value, _line(reader, mistake.key, root))
    return topology


def _paths(topology: Topology) -> list[str]:
    return [f"deployments[{index}]" for index in range(len(topology.deployments))]


def _line(reader: Reader, key: str, root: Node) -> int:
    """Line of the key, or of the nearest thing around it that stands in the file."""
    while key and key not in reader.lines:
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return reader.lines.get(key, root.line)


def name_from(path: Path) -> str:
    """A topology's name where the file gives none: `topology.yml` has its folder's, others their own."""
    word = path.parent.name if path.stem == "topology" else path.stem
    word = re.sub(r"[^A-Za-z0-9._-]+", "-", word).lstrip("._-")[:60]
    return word or "topology"


def _dotenv(path: Path) -> tuple[dict[str, str], tuple[tuple[int, Wrong], ...]]:
    """Variables of the `.env`; none when there is no such file."""
    if not path.is_file():
        return {}, ()
    try:
        return read_dotenv(text_of(path))
    except Wrong as wrong:
        return {}, ((wrong.line or 1, wrong),)
