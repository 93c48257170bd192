"""`@requests`: which method serves an endpoint."""

from __future__ import annotations

from typing import Any

import pytest

from quarterdeck import Executor, requests
from quarterdeck.engine.pods.executor import endpoints_of, taken_by


class Base(Executor):
    @requests(on="/search")
    def search(self) -> None: ...

    @requests(on=["a", "/b"])
    async def both(self) -> None: ...

    @requests
    def rest(self) -> None: ...


class Derived(Base):
    @requests(on="/b")
    def own(self) -> None: ...

    def search(self) -> None: ...


def test_endpoints_have_a_slash_and_the_unmarked_rest_is_a_star() -> None:
    assert endpoints_of(Base) == {"/search": "search", "/a": "both", "/b": "both", "*": "rest"}


def test_a_subclass_goes_before_its_bases() -> None:
    assert endpoints_of(Derived) == {"/search": "search", "/a": "both", "/b": "own", "*": "rest"}


def test_one_method_may_carry_several_marks() -> None:
    class Twice(Executor):
        @requests(on="/x")
        @requests(on="/y")
        def f(self) -> None: ...

    assert endpoints_of(Twice) == {"/x": "f", "/y": "f"}


def test_an_endpoint_served_twice_is_refused() -> None:
    class Clash(Executor):
        @requests(on="/x")
        def f(self) -> None: ...

        @requests(on="x")
        def g(self) -> None: ...

    with pytest.raises(TypeError, match="Clash: both f and g serve /x"):
        endpoints_of(Clash)


def test_an_endpoint_without_its_name_is_refused() -> None:
    with pytest.raises(TypeError, match="write @requests\\(on='/x'\\)"):
        requests("/x")  # type: ignore[call-overload]


def test_a_method_gets_what_its_signature_names() -> None:
    def some(parameters: object, extra: int = 1) -> None: ...
    def everything(tensors: object, **rest: object) -> None: ...
    def odd(documents: object) -> None: ...

    assert taken_by(some, "some") == {"parameters"}
    assert taken_by(everything, "everything") == {"tensors", "parameters", "shards"}
    with pytest.raises(TypeError, match="odd takes 'documents'"):
        taken_by(odd, "odd")


def test_an_executor_can_be_made_without_a_pod() -> None:
    class Plain(Executor):
        @requests
        def f(self, tensors: dict[str, Any]) -> dict[str, Any]:
            return {"shard": [self.shard], "of": [self.shards]}

    assert Plain().f({}) == {"shard": [0], "of": [1]}
