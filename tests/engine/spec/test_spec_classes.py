"""Finding an executor's class without running a line of the user's code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from quarterdeck.engine.errors import SpecError
from quarterdeck.engine.spec.classes import find_module, search_path
from quarterdeck.engine.spec.file import load

NEVER = "raise SystemExit('this was imported')\n"


def loads(folder: Path, uses: str, keys: str = "", env: dict[str, str] | None = None) -> None:
    path = folder / "topology.yml"
    path.write_text(f"deployments:\n- name: a\n  uses: {uses}\n{keys}")
    load(path, env or {})


@pytest.mark.parametrize(
    "source",
    [
        "class Search: ...",
        "if True:\n    class Search: ...",
        "try:\n    import fast\n    class Search: ...\nexcept ImportError:\n    Search = None",
        "with open('x') as f:\n    class Search: ...",
        "from .impl import Search",
        "from .impl import Other as Search",
        "Search = make()",
        "Search: type = make()",
        "from .impl import *",
        "def __getattr__(name): ...",
        "# -*- coding: latin-1 -*-\n# \xe9\nclass Search: ...",
    ],
)
def test_where_a_class_may_come_from(tmp_path: Path, source: str) -> None:
    # The line that names the encoding has to be the first.
    text = source + "\n" + NEVER
    (tmp_path / "search.py").write_bytes(text.encode("latin-1"))
    loads(tmp_path, "search.py:Search")
    loads(tmp_path, "search.Search")


def test_a_class_within_a_function_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "search.py").write_text("def make():\n    class Search: ...\n")
    with pytest.raises(SpecError, match="it has no class at all"):
        loads(tmp_path, "search.py:Search")


@pytest.mark.parametrize(
    "source", ["class Search: ...\n\0", "x = " + "(" * 10_000, "\xff", "-" * 100_000 + "1"]
)
def test_a_source_that_can_not_be_parsed(tmp_path: Path, source: str) -> None:
    (tmp_path / "search.py").write_bytes(source.encode("latin-1"))
    with pytest.raises(SpecError, match="not Python"):
        loads(tmp_path, "search.py:Search")


def test_a_source_with_odd_escapes_says_nothing(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    (tmp_path / "search.py").write_text("class Search:\n    x = '\\d'\n    y = 1 is 1\n")
    loads(tmp_path, "search.py:Search")
    assert not recwarn.list


def test_packages_on_the_way_are_not_imported(tmp_path: Path) -> None:
    deep = tmp_path / "qd_test_outer" / "inner"
    deep.mkdir(parents=True)
    (tmp_path / "qd_test_outer" / "__init__.py").write_text(NEVER)
    (deep / "leaf.py").write_text(NEVER + "class Search: ...\n")
    loads(tmp_path, "qd_test_outer.inner.leaf.Search")
    assert not any(name.startswith("qd_test_outer") for name in sys.modules)
    with pytest.raises(SpecError, match=r"no module `qd_test_outer\.inner\.gone`"):
        loads(tmp_path, "qd_test_outer.inner.gone.Search")


def test_a_package_s_class_is_looked_for_in_its_init(tmp_path: Path) -> None:
    (tmp_path / "qd_test_box").mkdir()
    (tmp_path / "qd_test_box" / "__init__.py").write_text("class Search: ...\n")
    loads(tmp_path, "qd_test_box.Search")
    with pytest.raises(SpecError, match="has no class `Find`"):
        loads(tmp_path, "qd_test_box.Find")


def test_a_namespace_package_has_no_class(tmp_path: Path) -> None:
    (tmp_path / "qd_test_space").mkdir()
    with pytest.raises(SpecError, match="`qd_test_space` is a folder without"):
        loads(tmp_path, "qd_test_space.Search")


def test_a_built_in_module_is_taken_on_trust(tmp_path: Path) -> None:
    loads(tmp_path, "itertools.chain")


@pytest.mark.parametrize("entry", ["lib", "lib/qd_test_part.py"])
def test_py_modules_are_searched(tmp_path: Path, entry: str) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "qd_test_part.py").write_text("class Search: ...\n")
    loads(tmp_path, "qd_test_part.Search", f"  py_modules: {entry}\n")
    with pytest.raises(SpecError, match="there is no module"):
        loads(tmp_path, "qd_test_part.Search")


def test_python_s_own_path_is_searched(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "qd_test_part.py").write_text("class Search: ...\n")
    loads(tmp_path, "qd_test_part.Search", env={"PYTHONPATH": f"{tmp_path}/lib"})
    loads(tmp_path, "qd_test_part.Search", f"  env: {{PYTHONPATH: {tmp_path}/lib}}\n")


def test_the_caller_s_virtual_environment_is_searched(tmp_path: Path) -> None:
    site = tmp_path / "venv/lib/python3.12/site-packages"
    site.mkdir(parents=True)
    assert str(site) in search_path("/srv", {"VIRTUAL_ENV": f"{tmp_path}/venv"})


def test_a_module_s_file_is_found() -> None:
    assert find_module("json.decoder", sys.path) == sys.modules["json.decoder"].__file__
