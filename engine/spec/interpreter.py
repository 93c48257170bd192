"""The interpreter that `python` names: a file, a virtual environment's folder, or a word of PATH."""

from __future__ import annotations

import os
import shutil

from .wrong import Wrong


def interpreter(path: str, word: str = "", search: str = "") -> str:
    """Absolute path of the interpreter at an absolute path, its links as they are. Raises `Wrong`.

    When nothing is there and `word` is given, it is looked for in the folders of `search`, as PATH has them.
    """
    if os.path.isdir(path):
        found = os.path.join(path, "bin", "python")
        if not os.path.exists(found):
            hint = f"make a virtual environment there: `python3 -m venv {path}`"
            raise Wrong(f"the folder {path} has no interpreter `bin/python`", hint)
        path = found
    elif not os.path.exists(path):
        known = shutil.which(word, path=search) if word and "/" not in word and search else None
        if known is None:
            raise Wrong(
                f"there is no interpreter {path}",
                f"name an interpreter, or a virtual environment's folder: `python3 -m venv {path}` makes one",
            )
        path = os.path.abspath(known)
    if not (os.path.isfile(path) and os.access(path, os.X_OK)):
        raise Wrong(
            f"{path} can't be run as an interpreter", "name an executable file, as `venv/bin/python` is"
        )
    return path


def environment(python: str) -> str:
    """Folder of the virtual environment that an interpreter belongs to; empty when it belongs to none."""
    folder = os.path.dirname(os.path.dirname(python))
    return folder if os.path.exists(os.path.join(folder, "pyvenv.cfg")) else ""
