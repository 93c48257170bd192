"""What each kind of probe makes of what it finds: real sockets and real files."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from quarterdeck.engine.model import LogChunk, PodKey
from quarterdeck.engine.observe.logs import LogBook
from quarterdeck.engine.supervise import health
from quarterdeck.engine.supervise.probing.lines import Scan
from quarterdeck.engine.supervise.probing.sockets import http, tcp
from quarterdeck.engine.wire.health_pb2 import HealthCheckRequest

KEY = PodKey("top", "a/rep-0")


@asynccontextmanager
async def answering(
    answer: bytes | None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that says the same to everybody (None: nothing, and stays); its port, and what it was asked."""
    asked: list[bytes] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError:
            return
        if answer is not None:
            writer.write(answer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


@pytest.mark.parametrize(
    ("answer", "ok", "said"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True, "GET /health answered 200"),
        (b"HTTP/1.0 204\r\n\r\n", True, "GET /health answered 204"),
        (b"HTTP/1.1 399 Odd\r\n\r\n", True, "GET /health answered 399"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\nloading", False, "GET /health answered 503"),
        (b"HTTP/1.1 404 Not Found", False, "GET /health answered 404"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False, "GET /health answered something that is not HTTP"),
        (b"HTTP/1.1 ok\r\n", False, "GET /health answered something that is not HTTP"),
        (b"x" * 100_000, False, "GET /health answered something that is not HTTP"),
        (b"", False, "GET /health: the connection was closed without an answer"),
    ],
)
async def test_http(answer: bytes, ok: bool, said: str) -> None:
    async with answering(answer) as (port, asked):
        found = await http("127.0.0.1", port, "/health", 20)
        assert (found.ok, found.answer) == (ok, said)
        assert asked[0].startswith(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % port)


async def test_http_asks_for_the_root_unless_told_and_repeats_no_query() -> None:
    async with answering(b"HTTP/1.1 500 x\r\n") as (port, asked):
        assert (await http("127.0.0.1", port, "", 20)).answer == "GET / answered 500"
        found = await http("127.0.0.1", port, "/live?token=hush hush", 20)
        assert found.answer == "GET /live answered 500"
        assert asked[1].startswith(b"GET /live?token=hush%20hush HTTP/1.1\r\n")


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """What a server has whose certificate nobody but itself has signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=pod", "-keyout", key, "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_http_under_tls_asks_a_pod_with_a_certificate_of_its_own(tls: ssl.SSLContext) -> None:
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", tls) as (port, _):
        assert (await http("127.0.0.1", port, "/", 20, tls=True)).ok
        assert not (await http("127.0.0.1", port, "/", 0.3)).ok


async def test_who_says_nothing_is_waited_for_no_longer_than_allowed() -> None:
    async with answering(None) as (port, _):
        begin = time.monotonic()
        assert (await http("127.0.0.1", port, "/slow", 0.2)).answer == "GET /slow: no answer within 0.2s"
        assert 0.2 <= time.monotonic() - begin < 0.2 * 5


async def test_tcp_and_nobody_there() -> None:
    async with answering(None) as (port, _):
        assert (await tcp("127.0.0.1", port, 20)).ok
    assert (await tcp("127.0.0.1", port, 20)).answer == f"port {port}: connection refused"
    assert (await http("127.0.0.1", port, "/", 20)).answer == "GET /: connection refused"


@pytest.mark.parametrize(
    ("service", "length"), [("", 0), ("a.B", 3), ("x" * 200, 200), ("y" * 20_000, 20_000)]
)
def test_the_service_asked_about_is_in_the_request(service: str, length: int) -> None:
    message = HealthCheckRequest(service=service).SerializeToString()
    assert len(message) >= length
    assert health.request("h:1", service).endswith(b"\0" + len(message).to_bytes(4) + message)


# -- the log


class Log:
    """A run's log that a test writes."""

    def __init__(self, folder: Path, pattern: str) -> None:
        book = LogBook(folder)
        self.path = Path(book.open_run(KEY, 1, 0.0))
        self.reads: list[int] = []

        def read(offset: int, limit: int) -> LogChunk:
            self.reads.append(offset)
            return book.read(KEY, 1, offset, limit)

        self.scan = Scan(pattern, read)

    def say(self, text: str) -> None:
        with self.path.open("a") as file:
            file.write(text)

    async def ok(self) -> bool:
        return (await self.scan.look()).ok


async def test_a_line_that_matches_stays_found_and_nothing_is_read_twice(tmp_path: Path) -> None:
    log = Log(tmp_path, r"listening on port \d+$")
    assert (await log.scan.look()).answer == "no line of its log matches 'listening on port \\\\d+$' yet"
    log.say("loading\nlisten")
    assert not await log.ok()
    log.say("ing on port 70")
    assert not await log.ok()
    log.say("00\nmore\n")
    assert await log.ok()
    reads = list(log.reads)
    log.path.write_text("")
    assert await log.ok()
    assert log.reads == reads == sorted(reads)


async def test_colours_do_not_hide_a_line_and_one_without_an_end_counts_once_nothing_follows(
    tmp_path: Path,
) -> None:
    log = Log(tmp_path, "^Ready to serve$")
    log.say("\x1b[32mReady\x1b[0m to serve")
    assert not await log.ok()
    assert await log.ok()


async def test_lines_are_matched_one_by_one_and_bytes_may_be_no_text(tmp_path: Path) -> None:
    log = Log(tmp_path, r"a\s+b")
    log.path.write_bytes(b"a\nb\n\xff\xfe\n")
    assert not await log.ok()
    log.say("a  b\r\n")
    assert await log.ok()


async def test_a_flood_is_taken_in_parts_and_holds_up_nobody(tmp_path: Path) -> None:
    log = Log(tmp_path, "^needle$")
    log.path.write_bytes(b"hay hay hay hay\n" * 1_250_000)  # 20 MB
    log.say("needle\n")
    turns = 0
    answers: list[bool] = []
    ticking = True

    async def tick() -> None:
        nonlocal turns
        while ticking:
            turns += 1
            await asyncio.sleep(0)

    ticker = asyncio.create_task(tick())
    while not answers or not answers[-1]:
        answers.append(await log.ok())
        assert len(answers) < 10
    ticking = False
    await ticker
    assert answers == [False, False, True]
    assert turns > 100


async def test_a_pattern_that_is_none_says_so(tmp_path: Path) -> None:
    found = await Log(tmp_path, "(").scan.look()
    assert not found.ok
    assert found.answer.startswith("the pattern '(' is no regular expression: ")
