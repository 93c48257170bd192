"""`Executor` and `@requests`: what a user derives from and marks; knows nothing of servers and messages."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

_Method = TypeVar("_Method", bound=Callable[..., Any])

_MARK = "__quarterdeck_endpoints__"
DEFAULT = "*"
"""Stands for every endpoint that has no method of its own."""
PASSED = frozenset({"tensors", "parameters", "shards"})
"""What a method may take, by name."""


class Executor:
    """A class that serves requests: derive from it and mark methods with `@requests`.

    The constructor gets the arguments of `uses_with`; the attributes below are there before it runs. Methods
    may take, by name, `tensors` (dict of arrays, or of nested lists where numpy is not installed; text is
    bytes), `parameters` (dict), and in a `uses_after` also `shards` (a dict of tensors for each shard, in
    order). They return a dict of named tensors, or None to pass their input through; an async generator yields
    these, and is asked for with `ModelStreamInfer`.

    Async methods run side by side. The others run one at a time, in a thread of their own, so that a slow one
    does not keep the pod from answering health checks. `close` runs once, after the last request.
    """

    shard: int = 0
    """Which slice of the data this is, from 0."""
    replica: int = 0
    """Which copy of the shard this is, from 0."""
    shards: int = 1
    """How many slices there are."""
    name: str = ""
    """The pod's name within its topology: `index/shard-0/rep-1`."""
    workspace: Path = Path(".")
    """A folder of this pod's own."""
    logger: logging.Logger = logging.getLogger("executor")

    def close(self) -> Any:
        """Give back what the executor holds; may be async."""


@overload
def requests(method: _Method, /) -> _Method: ...
@overload
def requests(*, on: str | Sequence[str] | None = None) -> Callable[[_Method], _Method]: ...


def requests(
    method: Callable[..., Any] | None = None, /, *, on: str | Sequence[str] | None = None
) -> Callable[..., Any]:
    """Mark a method with the endpoints it serves; without `on`, with all that no other method serves."""
    if method is not None and not callable(method):
        raise TypeError(f"write @requests(on={method!r})")
    names = (DEFAULT,) if on is None else (on,) if isinstance(on, str) else tuple(on)
    endpoints = tuple(name if name == DEFAULT else "/" + name.removeprefix("/") for name in names)

    def mark(function: _Method) -> _Method:
        setattr(function, _MARK, getattr(function, _MARK, ()) + endpoints)
        return function

    return mark if method is None else mark(method)


def endpoints_of(kind: type[Executor]) -> dict[str, str]:
    """Endpoint (or `*`) to the name of the method that serves it; a subclass goes before its bases.

    Raises `TypeError` where a class serves one endpoint twice.
    """
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        own: dict[str, str] = {}
        for name, value in vars(base).items():
            for endpoint in getattr(value, _MARK, ()):
                if endpoint in own:
                    what = "requests that no other method serves" if endpoint == DEFAULT else endpoint
                    raise TypeError(f"{base.__name__}: both {own[endpoint]} and {name} serve {what}")
                own[endpoint] = name
        found.update(own)
    return found


def taken_by(method: Callable[..., Any], name: str) -> frozenset[str]:
    """Which of `PASSED` the bound method takes; raises `TypeError` if it asks for more."""
    wanted: set[str] = set()
    for parameter in inspect.signature(method).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            return PASSED
        if parameter.name in PASSED and parameter.kind is not parameter.POSITIONAL_ONLY:
            wanted.add(parameter.name)
        elif parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL:
            raise TypeError(f"{name} takes {parameter.name!r}; a method may take {', '.join(sorted(PASSED))}")
    return frozenset(wanted)
