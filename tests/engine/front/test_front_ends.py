"""However a script ends, nothing of it goes on: no process, no port, no file."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.homes import eventually, kill_all

from quarterdeck.engine.home import ENGINE_MARK, Home
from quarterdeck.engine.keeper.processes import marked

EXECUTOR = """
import sys, time
from quarterdeck import Deployment, Executor, Topology, requests

class Mine(Executor):
    @requests
    def work(self, tensors):
        return {"word": ["mine"]}

class Slow(Executor):
    def __init__(self):
        time.sleep(600)

def say(deployment):
    print("up", *(pod.pid for pod in deployment.pods), flush=True)
"""
GUARDED = EXECUTOR + "\nif __name__ == '__main__':\n"


class Script:
    """A script that runs in a folder of its own, its engine's home below `TMPDIR`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "t"
        self.temporary.mkdir()

    def begin(self, text: str) -> subprocess.Popen[str]:
        (self.folder / "script.py").write_text(text)
        return subprocess.Popen(
            [sys.executable, "script.py"],
            cwd=self.folder,
            env={**os.environ, "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, body: str, code: int = 0) -> tuple[str, str]:
        """Standard output and standard error of what stands below `if __name__ == '__main__':`."""
        script = self.begin(GUARDED + "".join(f"    {line}\n" for line in body.strip().splitlines()))
        out, err = script.communicate(timeout=60)
        assert script.returncode == code, (script.returncode, out, err)
        return out, err

    def start(self, body: str) -> tuple[subprocess.Popen[str], list[int]]:
        """A script that goes on, and the pids of its pods."""
        script = self.begin(GUARDED + "".join(f"    {line}\n" for line in body.strip().splitlines()))
        assert script.stdout is not None
        said = script.stdout.readline()
        assert said.startswith("up"), (said, script.communicate()[1])
        return script, [int(pid) for pid in said.split()[1:]]

    @property
    def homes(self) -> list[Path]:
        return list(self.temporary.glob("quarterdeck-*"))

    @property
    def ended(self) -> bool:
        return not [process for path in self.homes for process in marked(ENGINE_MARK, Home(path).mark)]


@pytest.fixture
def script() -> Iterator[Script]:
    with tempfile.TemporaryDirectory(prefix="qd-s-") as name:
        made = Script(Path(name))
        yield made
        for path in made.homes:
            kill_all(Home(path))


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def nothing_left(script: Script, pids: list[int]) -> None:
    assert pids
    assert [pid for pid in pids if alive(pid)] == []
    assert script.homes == []


def pids_in(out: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", out)]


def test_a_script_that_forgets_to_close(script: Script) -> None:
    out, err = script.run("d = Deployment(Mine, replicas=2).start()\nsay(d)")
    assert err == ""
    nothing_left(script, pids_in(out))


def test_a_script_that_exits_in_the_middle(script: Script) -> None:
    out, err = script.run(
        "d = Topology('t', [Deployment(Mine, name='m')]).start()\nsay(d)\nsys.exit(7)", code=7
    )
    assert err == ""
    nothing_left(script, pids_in(out))


def test_a_script_that_fails_in_the_middle(script: Script) -> None:
    out, err = script.run("d = Deployment(Mine)\nd.start()\nsay(d)\n1 / 0", code=1)
    assert err.splitlines()[-1] == "ZeroDivisionError: division by zero"
    nothing_left(script, pids_in(out))


def test_a_loop_that_ends_without_closing(script: Script) -> None:
    out, err = script.run("""
import asyncio
async def main():
    say(await Deployment(Mine).start_async())
asyncio.run(main())
""")
    assert err == ""
    nothing_left(script, pids_in(out))


IN_A_LOOP = """
import asyncio
async def main():
    async with Deployment(Mine) as d:
        say(d)
        await d.join_async()
asyncio.run(main())
"""
WHILE_IT_STARTS = """
with Deployment(Slow, noblock_on_start=True) as d:
    while not d.pods or not d.pods[0].pid:
        time.sleep(0.01)
    say(d)
    d.wait_start_success()
"""


@pytest.mark.parametrize(
    "body",
    [
        "with Deployment(Mine) as d:\n    say(d)\n    time.sleep(600)",
        "with Deployment(Mine) as d:\n    say(d)\n    d.join()",
        IN_A_LOOP,
        WHILE_IT_STARTS,
    ],
    ids=["in the body", "in join", "in a loop", "while it starts"],
)
def test_an_interrupt(script: Script, body: str) -> None:
    running, pids = script.start(body)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    assert running.returncode in (1, -signal.SIGINT, 130)
    nothing_left(script, pids)


def test_a_script_that_is_killed_takes_its_pods_along(script: Script) -> None:
    running, pids = script.start("d = Deployment(Mine, shards=2).start()\nsay(d)\ntime.sleep(600)")
    assert len(pids) == 3
    running.kill()
    running.communicate(timeout=60)
    eventually(lambda: script.ended and not [pid for pid in pids if alive(pid)], "the keeper ended all")
    assert [path.name for home in script.homes for path in home.iterdir() if path.is_socket()] == []


def test_a_fork_of_the_script_closes_nothing(script: Script) -> None:
    body = """
import os
d = Deployment(Mine).start()
if os.fork() == 0:
    sys.exit(0)
os.wait()
print(d.post("/", {"x": [1]})["word"][0], flush=True)
"""
    out, err = script.run(body)
    assert (out.strip(), err) == ("b'mine'", "")
    assert script.homes == []


def test_a_script_without_a_guard_starts_no_avalanche(script: Script) -> None:
    running = script.begin(EXECUTOR + "\nwith Deployment(Mine) as d:\n    say(d)\n")
    out, err = running.communicate(timeout=60)
    assert running.returncode == 1
    assert out == ""
    assert "put what starts it below: if __name__ == '__main__':" in err
    assert script.homes == []
