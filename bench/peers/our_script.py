"""Our own script for one topology, the counterpart of Jina's: `python our_script.py FD SHARDS REPLICAS`."""

import os
import sys
from pathlib import Path

from quarterdeck import Deployment, Topology

ECHO = f"{Path(__file__).parents[1] / 'executors.py'}:Echo"


def main(descriptor: int, shards: int, replicas: int) -> None:
    """Serve behind a gateway until standard input ends; one line to the descriptor once all is ready."""
    with Topology("bench", [Deployment(ECHO, name="e", shards=shards, replicas=replicas, grace=1.0)]):
        os.write(descriptor, b"ready\n")
        sys.stdin.read()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
