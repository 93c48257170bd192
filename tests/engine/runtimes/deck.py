"""`Deck`: pods that are threads of one process, and an executor that can be told to do what goes wrong."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from tests.engine.runtimes.bench import Bench

from quarterdeck.engine.plan.job import Job
from quarterdeck.engine.runtimes.runtime import Bound, Exited
from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.tensors import from_json, to_json

CODE = """\
import asyncio, ctypes, faulthandler, logging, os, sys, threading, time
from quarterdeck import Executor, requests

print("imported WORD")

class Voices(Executor):
    def __init__(self, wait="", fails=False):
        print(f"made {self.name}")
        while wait and not os.path.exists(wait):
            time.sleep(0.005)
        if fails:
            raise RuntimeError("no weights")
        self.served = 0

    @requests(on="/sync")
    def sync(self, tensors):
        self.served += 1
        print("sync", self.name)
        logging.getLogger("user").warning("logged %s", self.name)
        sys.stderr.write("err " + self.name + "\\n")
        return {"word": ["WORD"], "served": [self.served]}

    @requests(on="/async")
    async def answer(self, tensors):
        await asyncio.create_task(self.tell())
        await asyncio.to_thread(print, "thread", self.name)
        return {}

    async def tell(self):
        print("task", self.name)

    @requests(on="/stray")
    def stray(self, tensors):
        thread = threading.Thread(target=print, args=["stray"])
        thread.start()
        thread.join()
        os.system("echo child")
        return {}

    @requests(on="/hang")
    def hang(self, tensors):
        print("hangs", flush=True)
        time.sleep(600)

    @requests(on="/waits")
    def waits(self, tensors):
        print("waits", flush=True)
        while not os.path.exists("go"):
            time.sleep(0.005)
        return {"word": ["waited"]}

    @requests(on="/crash")
    def crash(self, tensors):
        ctypes.string_at(0)
"""


class Deck:
    """One deployment's pods, in threads."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.file = folder / "voices.py"
        self.write("one")

    def write(self, word: str) -> None:
        self.file.write_text(CODE.replace("WORD", word))

    def start(self, replica: int = 0, **more: Any) -> Job:
        name = f"index/rep-{replica}"
        return self.bench.thread(None, uses=f"{self.file}:Voices", name=name, replica=replica, **more)

    async def ready(self, replica: int = 0, **more: Any) -> Job:
        job = self.start(replica, **more)
        await self.bench.fact(job, Bound)
        return job

    async def ask(self, job: Job, endpoint: str = "/sync", timeout: float = 10.0) -> dict[str, Any]:
        port = (await self.bench.fact(job, Bound)).port
        async with InferenceClient(f"127.0.0.1:{port}") as client:
            return to_json(await client.infer(endpoint, from_json({"x": [1]}), timeout=timeout))

    def stop(self, job: Job) -> None:
        self.bench.threads.signal(job.mark, signal.SIGTERM)

    async def stopped(self, job: Job) -> Exited:
        self.stop(job)
        return await self.bench.fact(job, Exited)

    def log(self, job: Job) -> list[str]:
        return self.bench.log(job).read_text().splitlines()

    def has_ended(self, job: Job) -> bool:
        return any(isinstance(fact, Exited) for fact in self.bench.facts[job.mark])
