"""The example for Python, run as its page says."""

from __future__ import annotations

import subprocess
import sys

from tests.e2e.pages import ROOT


def test_the_script_counts_words_in_both_shards_and_leaves_nothing() -> None:
    script = ROOT / "examples" / "python" / "words.py"
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, *others = done.stdout.splitlines()
    assert first.startswith("8 pods answer at 127.0.0.1:")
    assert others == ["THE, gateway: 4 2", "a, head, pod: 3 2 2"]
