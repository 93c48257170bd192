"""An executor's own YAML file behind `uses`: what it says, and mistakes in it with its own line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.spec.test_spec_mistakes import only, written

from quarterdeck.engine.errors import Mistake, SpecError
from quarterdeck.engine.spec.file import load
from quarterdeck.engine.spec.topology import DeploymentSpec

CONFIG = """\
jtype: Encoder
with: {dim: 64, device: cpu}
py_modules:
  - encoder.py
  - more
metas:
  name: Encoder
  description: of texts
"""


def one(folder: Path, config: str, keys: str = "") -> DeploymentSpec:
    """A deployment that uses `sub/config.yml` with this text."""
    sub = folder / "sub"
    (sub / "more").mkdir(parents=True, exist_ok=True)
    (sub / "pack").mkdir(exist_ok=True)
    (sub / "pack" / "__init__.py").write_text("from .inner import Packed\n")
    (sub / "encoder.py").write_text("class Encoder: ...\n")
    (sub / "bad.py").write_text("x = 1\ndef f(:\n")
    (sub / "config.yml").write_text(config)
    path = written(folder, f"deployments:\n- name: a\n  uses: sub/config.yml\n{keys}")
    return load(path, {}).deployments[0]


def test_what_it_says(tmp_path: Path) -> None:
    spec = one(tmp_path, CONFIG, "  uses_with: {device: cuda}\n  py_modules: [sub]\n")
    sub = tmp_path / "sub"
    assert spec == DeploymentSpec(
        "a",
        uses=f"{sub}/encoder.py:Encoder",
        uses_with={"dim": 64, "device": "cuda"},
        py_modules=(str(sub), f"{sub}/more"),
    )


def test_a_class_of_a_package(tmp_path: Path) -> None:
    spec = one(tmp_path, "jtype: Packed\nmetas: {py_modules: pack}\n")
    assert (spec.uses, spec.py_modules) == ("pack.Packed", (f"{tmp_path}/sub/pack",))


def test_a_class_of_a_module(tmp_path: Path) -> None:
    spec = one(tmp_path, "jtype: encoder.Encoder\npy_modules: [encoder.py]\nwith:\n")
    assert (spec.uses, spec.py_modules) == ("encoder.Encoder", (f"{tmp_path}/sub/encoder.py",))


def test_before_and_after(tmp_path: Path) -> None:
    spec = one(
        tmp_path, "jtype: Encoder\npy_modules: encoder.py\n", "  shards: 2\n  uses_after: sub/config.yml\n"
    )
    assert spec.uses_after == f"{tmp_path}/sub/encoder.py:Encoder"


@pytest.mark.parametrize(
    ("config", "line", "message"),
    [
        ("jtype: Encoder\nwith: 7\npy_modules: encoder.py", 2, "with: must be a map of arguments, not `7`"),
        (
            "jtype: Encoder\npy_module: encoder.py",
            2,
            "py_module: `py_module` is not a key of an executor's file",
        ),
        ("with: {}\n", 1, "jtype: an executor's file needs the key `jtype`"),
        ("jtype: ''\n", 1, "jtype: `jtype` has no value"),
        ("jtype: [a]\n", 1, "jtype: must be a class, not a list"),
        ("jtype: Encoder\npy_modules: [gone.py]", 2, "py_modules[0]: there is no file or folder"),
        ("jtype: Encoder\nrequests: {/: f}", 2, "requests: `requests` is not built yet"),
        ("jtype: Encoder\nmetas: {workspace: x}", 2, "metas.workspace: `workspace` is not read here"),
        ("jtype: Encoder\nmetas: 7", 2, "metas: must be a map, not `7`"),
        ("jtype: Encoder\nwith: {a: *b}", 2, "`*b` stands for nothing"),
        ("jtype: Encoder\nwith: {a: '${NOPE}'}", 2, "with.a: the variable `NOPE` is not set"),
    ],
)
def test_a_mistake_at_its_own_line(tmp_path: Path, config: str, line: int, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        one(tmp_path, config)
    (found,) = caught.value.mistakes
    assert (found.file, found.line) == (f"{tmp_path}/sub/config.yml", line)
    assert found.key == "deployments[0].uses"
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("- a\n", "is not a map of keys"),
        ("jtype: Encoder\n", "`py_modules` is missing, so nothing says where `Encoder` is"),
        ("jtype: Encodr\npy_modules: [more, encoder.py]\n", "no file of `py_modules` has a class `Encodr`"),
        ("jtype: a b\npy_modules: encoder.py\n", "no file of `py_modules` has a class `a b`"),
        ("jtype: a..b\n", "`a..b` names no executor"),
        ("jtype: encoder.Encodr\npy_modules: [encoder.py]\n", "has no class `Encodr`"),
    ],
)
def test_a_mistake_at_the_line_of_uses(tmp_path: Path, config: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        one(tmp_path, config)
    (found,) = caught.value.mistakes
    assert (found.file, found.line) == (f"{tmp_path}/topology.yml", 3)
    assert message in found.message


def test_a_source_that_is_not_python(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"sub/bad\.py:2: .*not Python"):
        one(tmp_path, "jtype: X\npy_modules: bad.py\n")


def test_before_takes_no_arguments(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="`uses_before` takes no arguments"):
        one(tmp_path, CONFIG, "  shards: 2\n  uses_before: sub/config.yml\n")


def test_no_such_file(tmp_path: Path) -> None:
    found = only(tmp_path, "deployments:\n- name: a\n  uses: gone.yml\n")
    assert (found.line, found.message) == (3, f"{tmp_path}/gone.yml: there is no such file")


PIECES = st.lists(
    st.sampled_from(["jtype: Encoder", "jtype: ", "with: ", "py_modules: ", "encoder.py", "bad.py", "pack", "more",
                     "metas: ", "\n", "- ", "{", "}", "[", "]", "a: 1", "${A}", "x.Y", "name"]),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PIECES)
def test_any_text_ends_well(tmp_path: Path, config: str) -> None:
    told: list[Mistake] = []
    try:
        told.append(Mistake("it loads", file=one(tmp_path, config).uses or ""))
    except SpecError as error:
        told += error.mistakes
    assert told
    assert all(mistake.message and mistake.file for mistake in told)
