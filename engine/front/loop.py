"""An event loop on a thread of its own, for callers that have none, or one that must not be held up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundLoop:
    """Runs coroutines until `end`; may be used from every thread, with a running loop or without."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._workers = _Workers(thread_name_prefix="quarterdeck")
        self._loop.set_default_executor(self._workers)
        # A daemon, since the interpreter joins all others before it calls what would end this one.
        self._thread = threading.Thread(target=self._loop.run_forever, name="quarterdeck", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine; the future is for threads, `asyncio.wrap_future` makes it one for a loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for its result; what interrupts the wait cancels the coroutine."""
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def wait_async(self, work: Coroutine[Any, Any, T]) -> T:
        """The same for a caller with a loop of its own, which goes on meanwhile."""
        return await asyncio.wrap_future(self.submit(work))

    def end(self) -> None:
        """Cancel what still runs, then end loop and thread. Safe to call twice."""
        if self._loop.is_closed():
            return
        self.submit(_cancel_all()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._workers.shutdown()
        self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


class _Workers(ThreadPoolExecutor):
    """While the interpreter ends no thread can be had any more: then the work is done in place."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        try:
            return super().submit(fn, *args, **kwargs)
        except RuntimeError:
            done: Future[T] = Future()
            try:
                done.set_result(fn(*args, **kwargs))
            except BaseException as error:
                done.set_exception(error)
            return done
