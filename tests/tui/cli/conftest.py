"""`qd` with a home of its own, and one with a topology that is up, for tests that leave it as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fakes.homes import temporary_home
from tests.tui.cli.command import Qd

ALPHA = """\
name: alpha
gateway: {}
deployments:
- {name: clean, uses: work.py:Talks, replicas: 2, restart: "no", grace: 2}
- {name: quiet, needs: clean, env: {CUDA_VISIBLE_DEVICES: RR}}
"""
BETA = """\
name: beta
gateway: none
deployments:
- {name: clean, uses: work.py:Talks}
"""


@pytest.fixture
def qd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qd]:
    """An engine's home without an engine."""
    with temporary_home() as home:
        yield Qd(home, tmp_path_factory.mktemp("qd"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qd]:
    """Two topologies up: `alpha` with gateway, `clean` twice and `quiet`; `beta` with another `clean`."""
    with temporary_home() as home:
        qd = Qd(home, tmp_path_factory.mktemp("shared"), {"CUDA_TOTAL_DEVICES": "2"})
        qd.done("up", "-d", qd.write("alpha.yml", ALPHA))
        qd.done("up", "-d", qd.write("beta.yml", BETA))
        yield qd
