"""The rules of the house, held as tests: what a file may be, what a room may load, what a wheel contains."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import quarterdeck

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("tui", "engine", "widgets")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def is_generated(path: Path) -> bool:
    return path.stem.endswith(("_pb2", "_pb2_grpc"))


def python_files(*folders: str) -> list[Path]:
    """Written by hand, relative to the root."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found if not is_generated(path))


PRODUCT = python_files(*ROOMS)
EVERYTHING = python_files(*ROOMS, "tests", "bench", "tools", "examples", "screenshots")


def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(), filename=str(path))


def run_python(program: str, cwd: Path = ROOT) -> str:
    """Standard output of a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def modules_after(program: str) -> set[str]:
    """Names in `sys.modules` once a fresh interpreter has run the program."""
    return set(run_python(f"{program}\nimport sys\nprint(*sys.modules)").split())


def import_room(room: str) -> str:
    """A program that imports every module of a room, those apart that run when imported."""
    names = [
        ".".join(("quarterdeck", *path.with_suffix("").parts)).removesuffix(".__init__")
        for path in python_files(room)
        if path.name != "__main__.py"
    ]
    assert names, f"{room} has no module"
    return f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)"


# What a file may be


def test_no_file_outgrows_its_noun() -> None:
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in EVERYTHING}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_the_app_stays_small() -> None:
    app = ROOT / "tui/app.py"
    assert not app.exists() or len(app.read_text().splitlines()) < 200


def test_no_name_says_nothing() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base"}
    named = {path: {*path.parent.parts, path.stem} & banned for path in EVERYTHING}
    assert {path: names for path, names in named.items() if names} == {}


def test_every_module_says_what_it_owns() -> None:
    assert [
        path for path in EVERYTHING if not ast.get_docstring(tree_of(path)) and path.name != "__init__.py"
    ] == []
    assert [path for path in PRODUCT if not ast.get_docstring(tree_of(path))] == []


def test_every_folder_is_a_package() -> None:
    """A folder without `__init__.py` would be unseen by the import contracts."""
    folders = {path.parent for path in PRODUCT}
    assert sorted(folder for folder in folders if not (ROOT / folder / "__init__.py").exists()) == []


def test_every_style_has_its_screen() -> None:
    styles = [path for room in ROOMS for path in (ROOT / room).rglob("*.tcss")]
    assert [style for style in styles if not style.with_suffix(".py").exists()] == []


# What a module may do when it is imported


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `node` that are evaluated on import: all but the bodies of functions."""
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child
                yield from run_at_import(child)


def reads_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv"):
            return True
        case ast.Call(func=ast.Name(id="getenv")) | ast.Subscript(value=ast.Name(id="environ")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="environ"))):
            return True
        case _:
            return False


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("import os\nHOME = os.environ['HOME']", True),
        ("import os\ndef f(home=os.getenv('HOME')): ...", True),
        ("from os import environ\nclass A:\n    home = environ.get('HOME')", True),
        ("import os\ndef f():\n    return os.environ['HOME']", False),
        ("import os\nf = lambda: os.environ['HOME']", False),
    ],
)
def test_reading_the_environment_is_seen(source: str, reads: bool) -> None:
    assert any(map(reads_environment, run_at_import(ast.parse(source)))) is reads


def test_no_module_reads_the_environment_when_imported() -> None:
    assert [path for path in PRODUCT if any(map(reads_environment, run_at_import(tree_of(path))))] == []


def test_the_package_itself_loads_nothing() -> None:
    assert modules_after("import quarterdeck") - modules_after("pass") == {"__future__", "quarterdeck"}


def test_the_engine_draws_nothing() -> None:
    assert modules_after(import_room("engine")) & {"textual", "rich"} == set()


def test_the_command_line_starts_light() -> None:
    if not (ROOT / "tui/cli/main.py").exists():
        pytest.skip("no command line yet")
    assert modules_after("import quarterdeck.tui.cli.main") & {"textual", "rich", "grpc", "docker"} == set()


def test_the_keeper_stays_single_threaded() -> None:
    """What it imports starts no thread: it forks, and a fork takes only the calling thread along."""
    program = f"{import_room('engine/keeper')}\nimport os\nprint(len(os.listdir('/proc/self/task')))"
    assert run_python(program).strip() == "1"


# Borders


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and module of each import; a relative one keeps its dots."""
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.ImportFrom(lineno=line, level=level, module=module):
                yield line, "." * level + (module or "")
            case ast.Import(lineno=line, names=names):
                yield from ((line, name.name) for name in names)
            case _:
                pass


def test_imports_are_relative_inside_a_top_folder_and_absolute_across() -> None:
    faults = [
        f"{path}:{line}: {module}"
        for path in PRODUCT
        for line, module in imports_of(path)
        if f"{module}.".startswith(f"quarterdeck.{path.parts[0]}.")
        or len(module) - len(module.lstrip(".")) >= len(path.parts)
    ]
    assert faults == []


def test_widgets_know_the_model_only() -> None:
    modules = {module for path in python_files("widgets") for _, module in imports_of(path)}
    assert {name for name in modules if name.startswith("quarterdeck")} <= {"quarterdeck.engine.model"}


# What is committed


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


# Homes and scratch folders of whoever wrote it; where packages were downloaded from.
MACHINE = re.compile(rb"(?<![\w.}~-])/(?:root|work|home/(?!you\b|me\b|USER\b)\w+|Users/\w+|tmp/bash_jobs)/\w")
REGISTRY = re.compile(
    rb"files\.pythonhosted\.org|pypi\.org|://[\w.-]*(?:pypi|registry|mirror|artifactory)[\w.-]*[:/]"
)


def test_no_file_tells_where_it_was_made() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode()}"
        for path in tracked_files()
        for pattern in (MACHINE, REGISTRY)
        for match in pattern.finditer(path.read_bytes())
    ]
    assert found == []


def requirement_name(requirement: str) -> str:
    match = re.match(r"[\w.-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    return {requirement_name(line): line.partition("==")[2] for line in lines}


def test_every_tool_is_pinned_and_explained() -> None:
    project = PYPROJECT["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {requirement_name(item) for item in required}
    assert names - pins().keys() == set()
    explained = (ROOT / "CONTRIBUTING.md").read_text().lower()
    assert {name for name in names if f"`{name}`" not in explained} == set()


def test_every_runtime_dependency_has_a_floor() -> None:
    assert [
        item for item in PYPROJECT["project"]["dependencies"] if not re.fullmatch(r"[\w.-]+>=[\d.]+", item)
    ] == []


def test_the_version_is_said_once() -> None:
    assert "version" not in PYPROJECT["project"]
    assert importlib.metadata.version("quarterdeck") == quarterdeck.__version__
    assert f"## [{quarterdeck.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


# What is built


def build(target: str, source: Path, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = into.iterdir()
    return built


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_and_source_archive_hold_the_whole_program(tmp_path: Path) -> None:
    wheel = names_in(build("wheel", ROOT, tmp_path / "wheel"))
    suffixes = {".py", ".pyi", ".tcss", ".proto"}
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in suffixes]
    wanted = {f"quarterdeck/{path.relative_to(ROOT)}" for path in files}
    wanted |= {"quarterdeck/__init__.py", "quarterdeck/py.typed"}
    assert wanted - wheel == set()
    assert {name for name in wheel if not re.match(r"quarterdeck(-[\w.]+\.dist-info)?/", name)} == set()

    with tarfile.open(build("sdist", ROOT, tmp_path / "sdist")) as archive:
        assert [member.name for member in archive if member.issym() or member.islnk()] == []
        archive.extractall(tmp_path)  # made above, by us
    (unpacked,) = tmp_path.glob("quarterdeck-*")
    assert names_in(build("wheel", unpacked, tmp_path / "again")) == wheel


def test_a_users_own_engine_module_never_clashes(tmp_path: Path) -> None:
    (tmp_path / "quarterdeck").mkdir()
    for planted in ("engine.py", "quarterdeck/engine.py"):
        (tmp_path / planted).write_text("raise SystemExit('the wrong one')")
    where = run_python("import quarterdeck.engine.model as model; print(model.__file__)", cwd=tmp_path)
    assert not Path(where.strip()).is_relative_to(tmp_path)
    assert os.path.samefile(where.strip(), ROOT / "engine/model.py")
