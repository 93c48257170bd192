"""The same engine twice: as it stands in this process, and as a client sees it through a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest
from tests.fakes.homes import temporary_home
from tests.fakes.worlds import World

from quarterdeck import __version__
from quarterdeck.engine.api.client import Client
from quarterdeck.engine.api.control_pb2_grpc import add_ControlServicer_to_server
from quarterdeck.engine.api.servicer import Servicer
from quarterdeck.engine.control import Control
from quarterdeck.engine.home import Home
from quarterdeck.engine.supervise.supervisor import Supervisor


@pytest.fixture
def home() -> Iterator[Home]:
    with temporary_home() as home:
        yield home


@asynccontextmanager
async def served(control: Control, home: Home) -> AsyncIterator[Client]:
    """A client of `control` behind a server in this process."""
    server = grpc.aio.server()
    add_ControlServicer_to_server(Servicer(control, lambda: None), server)  # type: ignore[no-untyped-call,unused-ignore]
    server.add_insecure_port(f"unix:{home.socket}")
    await server.start()
    try:
        async with Client(str(home.socket)) as client:
            yield client
    finally:
        await server.stop(0)


@pytest.fixture(params=["in process", "through a socket"])
async def control(request: pytest.FixtureRequest, home: Home) -> AsyncIterator[Control]:
    supervisor = Supervisor(home, __version__)
    await supervisor.open()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(supervisor.close)
        if request.param == "in process":
            yield supervisor
        else:
            yield await stack.enter_async_context(served(supervisor, home))


@pytest.fixture
def world(control: Control, tmp_path: Path) -> World:
    return World(control, tmp_path)
