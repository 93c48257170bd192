"""The engine as a process of its own: one for each home, how it is found, and how it ends."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.engine.api.conftest import served
from tests.fakes.homes import eventually, ours
from tests.fakes.worlds import World, fine, uses

from quarterdeck import __version__
from quarterdeck.engine.api.client import Client, connect
from quarterdeck.engine.api.launch import answers, ensure, require
from quarterdeck.engine.errors import EngineUnreachable, QuarterdeckError, VersionMismatch
from quarterdeck.engine.home import Home
from quarterdeck.engine.model import EngineInfo, Fleet
from quarterdeck.engine.supervise.supervisor import Supervisor

ENSURE = """
import sys
from pathlib import Path
from quarterdeck.engine.api.launch import ensure
from quarterdeck.engine.home import Home
sys.stdin.readline()
print(ensure(Home(Path(sys.argv[1]))))
"""


def locked(home: Home) -> bool:
    """Whether an engine holds its lock."""
    descriptor = os.open(home.lock, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


async def pid_of(home: Home) -> int:
    async with await connect(str(home.socket)) as client:
        return (await client.info()).pid


def test_twenty_callers_at_once_start_one_engine(home: Home) -> None:
    callers = [
        subprocess.Popen(
            [sys.executable, "-c", ENSURE, str(home.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(20)
    ]
    for caller in callers:
        assert caller.stdin is not None
        caller.stdin.write("go\n")
        caller.stdin.flush()
    said = [caller.communicate()[0].strip() for caller in callers]
    assert sorted(said) == ["False"] * 19 + ["True"]
    engines = [p for p in ours(home) if b"api.daemon" in Path(f"/proc/{p.pid}/cmdline").read_bytes()]
    assert [engine.pid for engine in engines] == [asyncio.run(pid_of(home))]
    assert "Traceback" not in home.engine_log.read_text()


def test_its_socket_is_for_its_owner_alone(home: Home) -> None:
    assert ensure(home)
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.engine_log.stat().st_mode) == 0o600
    assert "qd logs --path" in (home.folder / "README").read_text()


async def test_pods_through_a_real_engine(home: Home, tmp_path: Path) -> None:
    assert ensure(home)
    assert not ensure(home)
    async with await connect(str(home.socket), __version__) as client:
        world = World(client, tmp_path)
        await world.up(fine(uses=uses("Parent")))
        assert (await world.ask((await world.ready()).pods[0]))["word"] == ["hello"]
        await client.shutdown()
    eventually(lambda: not locked(home), "the engine's end")
    assert ours(home) == []
    assert sorted(path.name for path in home.folder.iterdir()) == [
        "README", "engine.log", "logs", "qd.lock", "qd.start.lock", "workspaces",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_closes_everything(home: Home, tmp_path: Path, number: signal.Signals) -> None:
    ensure(home)
    async with await connect(str(home.socket)) as client:
        world = World(client, tmp_path)
        await world.up(fine())
        await world.ready()
        os.kill((await client.info()).pid, number)
        eventually(lambda: not locked(home), "the engine's end")
    assert ours(home) == []
    assert not home.socket.exists()


def test_an_engine_that_nobody_uses_ends_by_itself(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_IDLE", "0.2")
    ensure(home)
    eventually(lambda: not answers(home) and not ours(home), "the idle engine's end")
    assert "nothing runs and nobody watches" in home.engine_log.read_text()


async def test_a_topology_or_a_console_keeps_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTERDECK_IDLE", "0.4")
    ensure(home)
    pid = None
    async with await connect(str(home.socket)) as client:
        world = World(client, tmp_path)
        await world.up(fine())
        await world.ready()
        pid = (await client.info()).pid
        await outlive(client, 1.0)  # the topology keeps it
        stream = client.watch()
        await anext(stream)
        await client.down(["top"])
        await outlive(client, 1.0)  # the console that watches keeps it
        assert (await client.info()).pid == pid
    eventually(lambda: not ours(home), "the idle engine's end")


async def outlive(client: Client, seconds: float) -> None:
    """Let an engine have the time in which, idle, it would end."""
    end = time.monotonic() + seconds
    async for _ in client.samples():
        if time.monotonic() > end:
            return


def test_one_that_stays_does_not_end(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_IDLE", "0.1")
    ensure(home, stays=True)

    async def watch() -> bool:
        async with await connect(str(home.socket)) as client:
            await outlive(client, 1.0)
            return (await client.info()).stays

    assert asyncio.run(watch())


def test_a_socket_that_was_removed_is_put_back(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_IDLE", "2")
    ensure(home, stays=True)
    before = asyncio.run(pid_of(home))
    home.socket.unlink()
    eventually(lambda: answers(home), "the socket's return")
    assert asyncio.run(pid_of(home)) == before
    eventually(lambda: stat.S_IMODE(home.socket.stat().st_mode) == 0o600, "its mode")


def test_a_second_engine_at_one_home_says_so(home: Home) -> None:
    ensure(home)
    read, write = os.pipe()
    second = subprocess.run(
        [sys.executable, "-m", "quarterdeck.engine.api.daemon", str(home.socket), str(write), "leaves"],
        pass_fds=(write,),
        check=False,
        timeout=30,
    )
    os.close(write)
    assert second.returncode == 1
    assert os.read(read, 4096).decode() == f"an engine runs at {home.socket} already"
    os.close(read)
    assert answers(home)


def test_an_engine_that_can_not_start_says_why(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_IDLE", "soon")
    with pytest.raises(QuarterdeckError, match=r"the engine did not start: .*'soon'"):
        ensure(home)
    assert not ours(home)


# -- nobody there, somebody else there


async def test_nobody_answers(home: Home) -> None:
    home.prepare()
    with pytest.raises(
        EngineUnreachable, match=r"no engine answers at .*qd\.sock; one starts with: qd up FILE"
    ):
        await connect(str(home.socket))
    with pytest.raises(EngineUnreachable):
        require(home)
    async with Client(str(home.socket)) as client:
        with pytest.raises(EngineUnreachable):
            await client.info()
        with pytest.raises(EngineUnreachable):
            await anext(client.watch())
        with pytest.raises(EngineUnreachable):
            await anext(client.events())
        with pytest.raises(EngineUnreachable):
            await client.shutdown()


async def test_a_socket_left_by_one_that_was_killed_is_nobody(home: Home) -> None:
    ensure(home)
    for process in ours(home):
        os.kill(process.pid, signal.SIGKILL)
    # The last thread of a process gives its sockets back, a moment after the first has gone.
    eventually(lambda: not ours(home) and not answers(home), "the end of all")
    assert home.socket.exists()
    assert ensure(home)
    assert answers(home)


async def test_another_version_says_so_and_what_would_do(home: Home) -> None:
    home.prepare()
    async with served(Supervisor(home, "9.9"), home):
        with pytest.raises(VersionMismatch, match=r"the engine is Quarterdeck 9\.9, this is 1\.0") as caught:
            await connect(str(home.socket), "1.0")
        assert "qd engine stop" in caught.value.hint
        assert caught.value.exit_code == 3
        await (await connect(str(home.socket), "9.9")).close()


async def test_a_stream_that_breaks_is_an_engine_that_went(home: Home) -> None:
    ensure(home)
    async with await connect(str(home.socket)) as client:
        streams: list[AsyncIterator[object]] = [client.watch(), client.events(), client.samples()]
        await anext(streams[0])
        await anext(streams[2])
        os.kill((await client.info()).pid, signal.SIGKILL)

        async def drain(stream: AsyncIterator[object]) -> None:
            async for _ in stream:
                pass

        ends = await asyncio.wait_for(asyncio.gather(*map(drain, streams), return_exceptions=True), 10)
        assert [type(end) for end in ends] == [EngineUnreachable] * 3


async def test_streams_of_an_engine_that_ends_well_end_well(home: Home) -> None:
    ensure(home)
    async with await connect(str(home.socket)) as client:
        async with await connect(str(home.socket)) as other:
            fleets: list[Fleet] = []

            async def watch() -> None:
                async for fleet in client.watch():
                    fleets.append(fleet)

            watcher = asyncio.create_task(watch())
            await anext(client.watch())
            await other.shutdown()
            await asyncio.wait_for(watcher, 10)
            assert fleets


async def test_a_fault_of_ours_is_told_without_a_traceback(home: Home) -> None:
    home.prepare()

    class Faulty(Supervisor):
        async def info(self) -> EngineInfo:
            raise ZeroDivisionError("division by zero")

    async with served(Faulty(home, "1"), home) as client:
        with pytest.raises(
            QuarterdeckError, match="the engine failed: ZeroDivisionError: division by zero"
        ) as caught:
            await client.info()
        assert "engine.log" in caught.value.hint
