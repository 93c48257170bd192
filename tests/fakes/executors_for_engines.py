"""Executors that misbehave in all the ways that an engine must survive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

from quarterdeck.engine.pods.executor import Executor, requests


class Fine(Executor):
    """Says who it is."""

    def __init__(self, word: str = "hello") -> None:
        self.word = word
        print(f"{word} from {self.name}")

    @requests
    def work(self, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"word": [self.word], "pid": [os.getpid()]}


class World(Fine):
    """Prints the world that it lives in."""

    def __init__(self) -> None:
        super().__init__()
        umask = os.umask(0)
        os.umask(umask)
        print(
            f"cwd={os.getcwd()} umask={umask:03o} hue={os.environ.get('HUE')} shard={self.shard}/{self.shards}"
        )


class Silent(Fine):
    """Prints nothing, and prints through a descriptor what a dying program does."""

    def __init__(self) -> None:
        os.write(1, b"out, no newline")
        os.write(2, b"; err, no newline")


class NeverReady(Fine):
    def __init__(self) -> None:
        print("loading for ever", flush=True)
        time.sleep(600)


class Fails(Fine):
    def __init__(self) -> None:
        raise RuntimeError("no weights at /weights.bin")


class Exits(Fine):
    def __init__(self, code: int = 3) -> None:
        print("last words")
        sys.stdout.flush()
        os._exit(code)


class Aborts(Fine):
    def __init__(self) -> None:
        print("about to abort")
        os.abort()


class AbortsOnce(Fine):
    """A fork of it crashes, an interpreter of its own does not."""

    def __init__(self) -> None:
        if "-c" not in sys.orig_argv:
            os.abort()
        super().__init__()


class Stubborn(Fine):
    """Ignores SIGTERM, whatever the pod does about it."""

    def __init__(self) -> None:
        super().__init__()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


class Clings(Fine):
    """Blocks its event loop when it is to end."""

    async def close(self) -> None:
        time.sleep(600)  # noqa: ASYNC251 -- blocking is the point


class Parent(Fine):
    """Starts a child, and a daemon that leaves its session and forks twice."""

    def __init__(self) -> None:
        super().__init__()
        subprocess.Popen(["sleep", "600"])
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execvp("sleep", ["sleep", "601"])
            os._exit(0)


class Patient(Fine):
    """Answers GET on a port of its own with the status that a file holds: 404 while it is not there."""

    def __init__(self, port: int, file: str) -> None:
        super().__init__()

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    with open(file) as status:
                        self.send_response(int(status.read()))
                except (OSError, ValueError):
                    self.send_response(404)
                self.end_headers()

        Thread(target=HTTPServer(("127.0.0.1", port), Answer).serve_forever, daemon=True).start()


class Eats(Fine):
    """Takes memory until somebody ends it."""

    def __init__(self) -> None:
        eaten = []
        while True:
            eaten.append(b"x" * 1_000_000)
