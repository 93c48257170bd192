"""A deployment that can't start says why in one line: in `qd up`, in `qd ps`, and as Python's exception."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.engines import QD, Engine, until, write

from quarterdeck import Deployment
from quarterdeck.engine.errors import QuarterdeckError

MINE = """\
from quarterdeck import Executor, requests

class Mine(Executor):
    def __init__(self):
        %s

    @requests
    def work(self, tensors):
        return tensors
"""


@dataclass(frozen=True)
class Case:
    """One way not to start: what stands in `mine.py`, the deployment's keys, and why, as a pattern."""

    why: str
    code: str = MINE % "pass"
    keys: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    taken: bool = False
    """Whether the port is somebody's from the beginning."""
    accepted: bool = True
    """Whether the engine takes the topology at all, so that there are pods to be shown."""


TAKE = (
    "import socket; there = socket.create_connection(('127.0.0.1', UNWELL)); "
    "there.send(b'GET /take HTTP/1.0\\r\\n\\r\\n'); there.recv(99)"
)
QUOTED = re.compile(r'"(\d+)"')
"""A number that was a word before."""
CASES = {
    "import error": Case(
        r"mine\.py:1 in <module>: ModuleNotFoundError: No module named 'no_such_module'",
        "import no_such_module\n" + MINE % "pass",
    ),
    "exception in __init__": Case(
        r"mine\.py:5 in __init__: RuntimeError: no weights at /weights\.bin",
        MINE % "raise RuntimeError('no weights at /weights.bin')",
    ),
    "port taken": Case(
        rf"port PORT is taken by pid {os.getpid()} \(.*\)", keys={"port": "PORT"}, taken=True, accepted=False
    ),
    "port taken once it looks": Case(
        rf"port PORT of 127\.0\.0\.1 is taken by pid {os.getpid()} \(.*\)",
        MINE % TAKE,
        {"port": "PORT"},
    ),
    "interpreter without grpcio": Case(
        r"FOLDER/bare/bin/python\S*: No module named 'grpc'; pods need it, install it there: \S+ -m pip install grpcio",
        keys={"python": "bare"},
    ),
    "no device in the slice": Case(
        r"RR5:7. selects no device; devices found: 0, 1 \(CUDA_TOTAL_DEVICES\)",
        keys={"env": {"CUDA_VISIBLE_DEVICES": "RR5:7"}},
        env={"CUDA_TOTAL_DEVICES": "2"}, accepted=False,
    ),
    "never ready": Case(
        r"not ready (within|after) 1s", MINE % "__import__('time').sleep(600)", {"timeout_ready": 1}
    ),
    "a probe that answers wrongly": Case(
        r"not ready (within|after) 1s.*\(GET /health answered 503\)",
        keys={"timeout_ready": 1, "probe": {"http": "/health", "port": "UNWELL"}},
    ),
    "a probe that fails": Case(
        r"not ready (within|after) 1s.*\(sh: exit 3: no weights yet\)",
        keys={"timeout_ready": 1, "probe": {"exec": ["sh", "-c", "echo no weights yet; exit 3"]}},
    ),
}  # fmt: skip


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


class Places:
    """What the words in capitals stand for: a port, a server that is unwell, a folder."""

    def __init__(self, folder: Path) -> None:
        with _bound(0) as free:
            self.port = _bound(free.getsockname()[1])
            """Nobody else is given it; a pod can have it until we listen."""
        listen = self.port.listen

        class Unwell(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/take":
                    listen()
                self.send_error(503)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.unwell = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unwell)
        self.words = {
            "PORT": str(self.port.getsockname()[1]),
            "UNWELL": str(self.unwell.server_port),
            "FOLDER": str(folder),
        }

    def fill(self, text: str) -> str:
        for word, meaning in self.words.items():
            text = text.replace(word, meaning)
        return text

    def leave_the_port(self) -> None:
        with contextlib.suppress(OSError):  # nobody listened
            self.port.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    places = Places(tmp_path)
    with places.port, places.unwell:
        thread = threading.Thread(target=places.unwell.serve_forever)
        thread.start()
        yield places
        places.unwell.shutdown()
        thread.join()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_why_it_can_not_start_is_said_in_one_line(
    engine: Engine, places: Places, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in case.env.items():
        monkeypatch.setenv(name, value)
    if "python" in case.keys:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", "bare"], check=True)
    write(tmp_path / "mine.py", places.fill(case.code))
    keys = {
        "name": "a",
        "uses": "mine.py:Mine",
        **json.loads(QUOTED.sub(r"\1", places.fill(json.dumps(case.keys)))),
    }
    file = write(tmp_path / "d.yml", json.dumps({"name": "d", "gateway": "none", "deployments": [keys]}))
    why = re.compile(places.fill(case.why))

    def take() -> None:
        places.leave_the_port()
        if case.taken:
            places.port.listen()

    # `qd up` says it in its first line, and has closed all when it returns.
    take()
    up = [str(QD), "up", "-d", str(file)]
    said = subprocess.run(up, env=engine.env, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode in (1, 2)
    assert why.search(said.stderr.splitlines()[0]), said.stderr
    assert said.stdout == ""
    assert engine.ps() == {}

    # Left in the tree, the pod says the same as its reason.
    if case.accepted:
        take()
        engine.qd("up", "-d", "--no-wait", file)
        until(lambda: engine.ps()["d/a/rep-0"]["phase"] == "failed", "it has failed")
        row = engine.ps()["d/a/rep-0"]
        assert why.search(row["reason"]), row
        assert "\n" not in row["reason"]
        assert len(engine.processes()) == 2, "engine and keeper"

    # And Python raises it.
    take()
    with pytest.raises(QuarterdeckError) as raised:
        Deployment(**keys).start()
    assert why.search(raised.value.message), raised.value.message
    assert "\n" not in raised.value.message
