"""A program that is not ours: `program.py WHAT PORT [WORDS]`. Standard library only; it knows nothing of pods."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time


def serve(port: int, reuse: bool = True) -> None:
    """Take connections, and say `hello` to each."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
    listener.bind(("127.0.0.1", port))
    listener.listen()
    print(f"serving on {port}", flush=True)
    while True:
        with listener.accept()[0] as connection:
            connection.sendall(b"hello")


def daemon(mark: str = "") -> None:
    """Leave a process behind that has left our group and our session; without our environment where `mark` says."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            env = {"PATH": os.environ["PATH"]} if mark else dict(os.environ)
            os.execvpe("sleep", ["sleep", "601"], env)
        os._exit(0)


def stuck(port: int) -> None:
    """Ignore every signal that can be, fork daemons and flood the log."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for _ in range(3):
        daemon()
    print(f"serving on {port}", flush=True)
    while True:
        os.write(1, b"nothing new\n" * 1000)


def hydra(port: int) -> None:
    """Leave two processes behind, each in a session of its own, that raise each other again when one ends."""
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        watch(0)
    serve(port)


def watch(other: int) -> None:
    """See that another process lives; 0: there is none yet."""
    while True:
        try:
            if not other:
                raise ProcessLookupError
            os.kill(other, 0)
        except ProcessLookupError:
            me = os.getpid()
            other = os.fork()
            if other == 0:
                os.setsid()
                other = me
        time.sleep(0.001)


def main(what: str, port: int) -> None:
    match what:
        case "serve":
            serve(port)
        case "parent":
            subprocess.Popen(["sleep", "600"])
            daemon()
            serve(port)
        case "strict":
            serve(port, reuse=False)
        case "exit":
            print("last words", flush=True)
            sys.exit(int(sys.argv[3]))
        case "abort":
            print("about to abort", flush=True)
            os.abort()
        case "world":
            print(*(f"{name}={os.environ.get(name)}" for name in sys.argv[3:]), flush=True)
            umask = os.umask(0)
            print(f"cwd={os.getcwd()} umask={umask:03o} session={os.getsid(0) == os.getpid()}", flush=True)
            serve(port)
        case "stuck":
            stuck(port)
        case "eat":
            eaten = []
            while True:
                eaten.append(b"x" * 1_000_000)
        case "busy":
            print("busy", flush=True)
            while True:
                pass
        case "files":
            held: list[object] = []
            try:
                while True:
                    held.append(os.dup(0))
            except OSError as error:
                print(f"{len(held)} files: {error.strerror}", flush=True)
        case "sleepers":
            count = 0
            try:
                while True:
                    subprocess.Popen(["sleep", "600"])
                    count += 1
            except OSError as error:
                print(f"{count} children: {error.strerror}", flush=True)
                serve(port)
        case "hydra":
            hydra(port)
        case "bare":
            child = subprocess.Popen(["/bin/sleep", "602"], env={}, start_new_session=True)
            print(f"child {child.pid}", flush=True)
            serve(port)
        case "escape":
            daemon("without")
            serve(port)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
