"""The process that forks pods must have one thread, and leave nothing for them to import but users' code."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import json, os, signal, sys
from quarterdeck.engine.plan.job import Job
from quarterdeck.engine.pods.preload import preload

preload()
heavy = {"numpy", "grpc_reflection.v1alpha", "textual", "docker", "psutil", "ruamel"} & set(sys.modules)
print(len(os.listdir("/proc/self/task")), sorted(heavy), flush=True)

before = set(sys.modules)
ready, told = os.pipe()
child = os.fork()
if not child:
    from quarterdeck.engine.pods.main import run
    code = run(Job("0" * 16, "t", "rep-0", "d", "worker", "127.0.0.1", 0), told)
    print(code, sorted(set(sys.modules) - before), flush=True)
    os._exit(code)
os.close(told)
print(sorted(json.loads(os.read(ready, 4096))), flush=True)
os.kill(child, signal.SIGTERM)
os.waitpid(child, 0)
"""


def test_preloading_starts_no_thread_and_leaves_nothing_to_import() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == ["1 []", "['port']", "0 []"], done.stderr
