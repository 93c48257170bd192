"""docs/json.md says which fields the commands print, and of which types."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.engines import EXAMPLE, Engine
from tests.e2e.pages import ROOT, rows, section
from tests.fakes.nvml import FakeNvml, gpu

from quarterdeck.engine.model import Level, Phase, Role

PAGE = (ROOT / "docs" / "json.md").read_text()
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "whole": (int,),
    "number": (int, float),
    "truth": (bool,),
    "list": (list,),
}


def compare(title: str, found: dict[str, Any]) -> None:
    """The fields of one object, in their order, with the types that the page gives."""
    documented = {cells[0].strip("`"): cells[1] for cells in rows(section(PAGE, title))}
    assert list(found) == list(documented)
    for name, kind in documented.items():
        word, _, null = kind.partition(" or ")
        value = found[name]
        assert null in ("", "null")
        if value is None:
            assert null, f"{name} is null"
        else:
            assert isinstance(value, TYPES[word]), f"{name}: {value!r} is not {kind}"
            assert isinstance(value, bool) is (word == "truth"), f"{name}: {value!r} is not {kind}"


@pytest.fixture
def busy(engine: Engine) -> Engine:
    """The example, with a pod that was killed and one that is stopped."""
    engine.qd("up", "-d", EXAMPLE, CUDA_TOTAL_DEVICES="4")
    engine.qd("kill", "index/shard-0/rep-0")
    engine.qd("stop", "index/shard-1/rep-0")
    return engine


def test_every_field_is_as_documented(busy: Engine) -> None:
    pods = json.loads(busy.qd("ps", "--json").stdout)
    assert len(pods) == 9
    for pod in pods:
        compare("qd ps --json", pod)
    for pod in json.loads(busy.qd("plan", EXAMPLE, "--json").stdout):
        compare("qd ps --json", pod)
        assert (pod["phase"], pod["port"], pod["pid"]) == ("pending", None, None)
    events = [json.loads(line) for line in busy.qd("events", "--json").stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    for event in events:
        compare("qd events --json", event)
    compare("qd engine status --json", busy.status())
    for finding in json.loads(busy.qd("doctor", "--json", code=None).stdout):
        compare("qd doctor --json", finding)


def test_every_field_of_a_device_is_as_documented(engine: Engine, tmp_path: Path) -> None:
    nvml = FakeNvml(tmp_path)
    nvml.set(gpu(0), gpu(1), f"process 0 {os.getpid()} 7", "error 1 15")
    engine.qd("up", "-d", EXAMPLE, code=0, **nvml.env)
    pod = engine.ps()["search/index/shard-0/rep-0"]["pid"]
    nvml.set(gpu(0), gpu(1), f"process 0 {os.getpid()} 7", f"process 0 {pod} 9", "error 1 15")
    devices = json.loads(engine.qd("gpus", "--json").stdout)
    for device in devices:
        compare("qd gpus --json", device)
    holders = devices[0]["processes"]
    for holder in holders:
        compare("Each of its processes", holder)
    assert {holder["pod"] for holder in holders} == {None, "search/index/shard-0/rep-0"}


def test_the_words_for_phases_and_roles_are_the_models() -> None:
    for words, title, field in (
        (Phase, "qd ps --json", "phase"),
        (Role, "qd ps --json", "role"),
        (Level, "qd events --json", "level"),
    ):
        said = next(cells[2] for cells in rows(section(PAGE, title)) if cells[0] == f"`{field}`")
        assert said.replace(" or ", ", ").replace("`", "").split(", ") == [word.value for word in words]
