"""`reload: true`: pods serve edited code without being asked, one at a time; broken code stops at the first."""

from __future__ import annotations

import os
from pathlib import Path

from tests.fakes.worlds import World, fine

from quarterdeck.engine.model import Fleet, Phase
from quarterdeck.engine.spec.topology import DeploymentSpec
from quarterdeck.engine.supervise.reload import changed, folders_of, look

CODE = """\
from quarterdeck import Executor, requests

class Says(Executor):
    @requests
    def say(self):
        return {"word": ["WORD"]}
"""


def test_what_counts_as_code(tmp_path: Path) -> None:
    for name in ("a.py", "b.yml", "data.bin", "__pycache__/a.py", ".git/b.py", "deep/c.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    seen = look([str(tmp_path)])
    assert sorted(os.path.relpath(path, tmp_path) for path in seen) == ["a.py", "b.yml", "deep/c.py"]
    assert changed(seen, look([str(tmp_path)])) == ""
    (tmp_path / "a.py").write_text("longer")
    assert changed(seen, look([str(tmp_path)])) == str(tmp_path / "a.py")
    (tmp_path / "a.py").unlink()
    assert changed(seen, look([str(tmp_path)])) == str(tmp_path / "a.py")


def test_where_code_is_looked_for() -> None:
    spec = DeploymentSpec(
        "a", "/code/say.py:Says", uses_after="pkg.After", shards=2, py_modules=("/lib/more",)
    )
    assert folders_of(spec, "/top") == ("/code", "/top", "/lib/more")
    assert folders_of(DeploymentSpec("a"), "/top") == ()


async def test_edited_code_is_served_and_broken_code_stops_at_the_first_replica(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "say.py"
    file.write_text(CODE.replace("WORD", "one"))
    await world.up(fine(uses=f"{file}:Says", replicas=2, reload=True))
    first = (await world.ready()).pods
    assert [await world.ask(pod) for pod in first] == [{"word": ["one"]}] * 2
    file.write_text(CODE.replace("WORD", "two and more"))
    second = (await world.until(lambda fleet: _all_ready(fleet, 2))).pods
    assert [await world.ask(pod) for pod in second] == [{"word": ["two and more"]}] * 2
    assert [pod.port for pod in second] == [pod.port for pod in first]
    file.write_text("this is no Python")
    broken = (await world.until(lambda fleet: fleet.pods[0].phase is Phase.BACKOFF)).pods
    assert "SyntaxError" in broken[0].reason
    assert await world.ask(broken[1]) == {"word": ["two and more"]}
    told = [event.text for event in await world.events()]
    assert [text for text in told if "changed; restarting" in text] == [
        "a: say.py changed; restarting its pods"
    ] * 2


def _all_ready(fleet: Fleet, run: int) -> bool:
    return all(pod.ready and pod.run == run for pod in fleet.pods)
