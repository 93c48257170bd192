"""What the benchmarks' pods serve: as little as an executor can do, in a user's file as any other."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck import Executor, requests


class Echo(Executor):
    """Answers with what it was given."""

    @requests
    async def echo(self, tensors: Mapping[str, object]) -> Mapping[str, object]:
        return tensors
