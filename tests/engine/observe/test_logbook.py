"""Logs of runs: one file each, read by byte offset."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.engine.errors import TargetError
from quarterdeck.engine.model import LogChunk, PodKey
from quarterdeck.engine.observe.logs import KEEP_RUNS, LARGEST_CHUNK, LogBook

KEY = PodKey("top", "a/shard-0/rep-1")
TEN = b"0123456789"


@pytest.fixture
def book(tmp_path: Path) -> LogBook:
    return LogBook(tmp_path)


def write(book: LogBook, run: int, data: bytes) -> None:
    Path(book.open_run(KEY, run, 100.0 + run)).write_bytes(data)


def test_a_run_has_a_file_of_its_own(book: LogBook, tmp_path: Path) -> None:
    assert book.open_run(KEY, 1, 5.0) == str(tmp_path / "top" / "a" / "shard-0" / "rep-1" / "run-1.log")
    assert book.read(KEY, 1, 0, 10) == LogChunk(1, 0, b"", 0, False)  # nothing printed yet
    assert [(run.run, run.size, run.started_at, run.ended_at) for run in book.runs(KEY)] == [
        (1, 0, 5.0, None)
    ]


@pytest.mark.parametrize(
    ("offset", "limit", "start", "data"),
    [
        (0, 99, 0, TEN), (0, 4, 0, b"0123"), (4, 3, 4, b"456"), (9, 99, 9, b"9"), (10, 99, 10, b""),
        (11, 99, 11, b""), (1 << 40, 99, 1 << 40, b""), (-1, 99, 9, b"9"), (-4, 2, 6, b"67"), (-10, 99, 0, TEN),
        (-11, 99, 0, TEN), (0, 0, 0, b""), (0, -5, 0, b""),
    ],
)  # fmt: skip
def test_offsets(book: LogBook, offset: int, limit: int, start: int, data: bytes) -> None:
    write(book, 1, TEN)
    assert book.read(KEY, 1, offset, limit) == LogChunk(1, start, data, 10, False)


def test_a_chunk_is_never_larger_than_a_message_may_be(book: LogBook) -> None:
    write(book, 1, b"x" * (LARGEST_CHUNK + 7))
    chunk = book.read(KEY, 1, 0, 1 << 30)
    assert (len(chunk.data), chunk.size) == (LARGEST_CHUNK, LARGEST_CHUNK + 7)


def test_runs_are_kept_apart_and_zero_is_the_newest(book: LogBook) -> None:
    write(book, 1, b"first")
    book.close_run(KEY, 1, 103.0, "exit 1")
    write(book, 2, b"second")
    assert (book.read(KEY, 0, 0, 99).data, book.read(KEY, 0, 0, 99).ended) == (b"second", False)
    assert (book.read(KEY, 1, 0, 99).data, book.read(KEY, 1, 0, 99).ended) == (b"first", True)
    assert [(run.run, run.ending, run.ended_at) for run in book.runs(KEY)] == [
        (1, "exit 1", 103.0), (2, "", None),
    ]  # fmt: skip


def test_a_run_without_a_log_is_an_error_that_lists_the_others(book: LogBook) -> None:
    with pytest.raises(TargetError, match="has no log of run any; runs with a log: none"):
        book.read(KEY, 0, 0, 9)
    write(book, 3, b"")
    with pytest.raises(TargetError, match="has no log of run 2; runs with a log: 3"):
        book.read(KEY, 2, 0, 9)


def test_the_oldest_runs_are_forgotten(book: LogBook) -> None:
    for run in range(1, KEEP_RUNS + 4):
        write(book, run, b"x")
    kept = [run.run for run in book.runs(KEY)]
    assert kept == list(range(4, KEEP_RUNS + 4))
    assert sorted(path.name for path in book.folder_of(KEY).iterdir()) == [f"run-{run}.log" for run in kept]


def test_another_engine_finds_the_runs_and_goes_on_with_their_numbers(book: LogBook, tmp_path: Path) -> None:
    write(book, 1, b"first")
    write(book, 12, b"twelfth")
    (book.folder_of(KEY) / "run-x.log").write_text("not ours")
    later = LogBook(tmp_path)
    assert later.last_run(KEY) == 12
    assert [(run.run, run.size, run.ending) for run in later.runs(KEY)] == [
        (1, 5, "ended earlier"), (12, 7, "ended earlier"),
    ]  # fmt: skip
    assert later.read(KEY, 0, 0, 99).ended
    assert later.last_run(PodKey("top", "b/rep-0")) == 0


def test_a_file_that_was_deleted_reads_as_empty(book: LogBook) -> None:
    write(book, 1, b"gone")
    (book.folder_of(KEY) / "run-1.log").unlink()
    assert book.read(KEY, 1, 0, 9) == LogChunk(1, 0, b"", 0, False)
    assert book.runs(KEY)[0].size == 0


def test_the_tail_is_the_last_lines_that_say_something(book: LogBook) -> None:
    write(book, 1, b"one\n\ntwo \r\nthree\xff\n   \n\n")
    assert book.tail(KEY, 1, 2) == ("two", "three\N{REPLACEMENT CHARACTER}")
    assert book.tail(KEY, 1, 9) == ("one", "two", "three\N{REPLACEMENT CHARACTER}")
    assert book.tail(KEY, 7, 2) == ()


@given(st.binary(max_size=400), st.integers(1, 60))
def test_chunks_in_order_are_the_file(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, limit: int
) -> None:
    book = LogBook(tmp_path_factory.mktemp("logs"))
    write(book, 1, data)
    read = b""
    while (chunk := book.read(KEY, 1, len(read), limit)).data:
        assert chunk.offset == len(read)
        read += chunk.data
    assert read == data
