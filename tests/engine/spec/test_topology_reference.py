"""The reference in docs/topology.md says what the key table says, and its example is right."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.certificates import self_signed

from quarterdeck.engine.spec.compose import MAX_DEPTH, MAX_NODES
from quarterdeck.engine.spec.file import load
from quarterdeck.engine.spec.keys import (
    DEPLOYMENT,
    EXECUTOR,
    GATEWAY,
    LIMITS,
    MAX_PODS,
    PROBE,
    RESERVED_DEPLOYMENT,
    RESERVED_GATEWAY,
    RESERVED_TOPOLOGY,
    TOPOLOGY,
    Key,
)
from quarterdeck.engine.spec.texts import MAX_BYTES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "topology.md").read_text()
TABLES = [
    ("a topology", TOPOLOGY),
    ("a gateway", GATEWAY),
    ("a deployment", DEPLOYMENT),
    ("a probe", PROBE),
    ("limits", LIMITS),
    ("an executor's file", EXECUTOR),
]
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("owner", "table"), TABLES, ids=[owner for owner, _ in TABLES])
def test_the_tables_agree(owner: str, table: tuple[Key, ...]) -> None:
    section = PAGE.partition(f"## Keys of {owner}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{key.name}` | {key.kind} | {key.default} | {key.help} |" for key in table]


def test_the_first_example_is_right(tmp_path: Path) -> None:
    (tmp_path / "topology.yml").write_text(EXAMPLES[0])
    (tmp_path / "executors.py").write_text("class Clean: ...\nclass Index: ...\nclass Merge: ...\n")
    assert load(tmp_path / "topology.yml", {}).name == "search"


@pytest.mark.parametrize("example", EXAMPLES[1:])
def test_every_other_example_is_right(tmp_path: Path, example: str) -> None:
    (tmp_path / "tls").mkdir()
    for name in ("gateway", "pods"):
        self_signed(tmp_path / "tls", name)
    (tmp_path / "topology.yml").write_text(example)
    tokens = {"GATEWAY_TOKEN": "a", "POD_TOKEN": "b", "EMBED_TOKEN": "c"}
    names = re.findall(r"- name: (\w+)", example)
    assert [spec.name for spec in load(tmp_path / "topology.yml", tokens).deployments] == names


def test_the_limits_are_those_of_the_code() -> None:
    assert f"at most {MAX_PODS} pods" in PAGE
    assert f"at most {MAX_BYTES >> 20} MiB of UTF-8, nested at most {MAX_DEPTH} deep" in PAGE
    assert f"at most {MAX_NODES:,} keys and values".replace(",", " ") in PAGE


def test_no_key_is_both_built_and_reserved() -> None:
    pairs = [(TOPOLOGY, RESERVED_TOPOLOGY), (GATEWAY, RESERVED_GATEWAY), (DEPLOYMENT, RESERVED_DEPLOYMENT)]
    assert [{key.name for key in table} & reserved for table, reserved in pairs] == [set()] * 3


def test_reading_and_planning_load_nothing_heavy() -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from quarterdeck.engine.plan import gpus, mermaid, planner, routing, status\n"
        "from quarterdeck.engine.spec import document, file\n"
        "assert 'ruamel.yaml' not in sys.modules\n"
        "try: file.load(Path(sys.argv[1]), {})\n"
        "finally: print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    example = Path(__file__).parents[3] / "pyproject.toml"
    done = subprocess.run(
        [sys.executable, "-c", program, str(example)], capture_output=True, text=True, timeout=60, check=False
    )
    loaded = set(done.stdout.split())
    assert "ruamel" in loaded, done.stderr
    assert not loaded & {"asyncio", "grpc", "numpy", "psutil", "pynvml", "rich", "textual"}
