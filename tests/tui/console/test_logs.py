"""The logs tab: following, pausing, searching, filtering, runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.console import Console, console
from tests.fakes.control import FakeControl
from tests.fakes.fleets import search_fleet

from quarterdeck.engine.model import PodKey
from quarterdeck.widgets.logview import LogView

KEY = PodKey("search", "gateway")
SIZES = [(80, 24), (120, 40), (160, 45)]


@pytest.fixture
def control() -> FakeControl:
    made = FakeControl(fleet=search_fleet())
    made.write(KEY, "".join(f"line {n:04d}\n" for n in range(3_000)))
    return made


async def open_log(seen: Console) -> None:
    """The gateway's log, with the keys."""
    await seen.press("j", "l")
    await seen.until("line 2999")


def view(seen: Console) -> LogView:
    return seen.main.query_one(LogView)


def shown(seen: Console) -> list[str]:
    return [line.strip() for line in seen.lines if line.strip().startswith("line ")]


def first(seen: Console) -> int:
    """Number of the first line on the screen."""
    return int(shown(seen)[0].split()[1])


@pytest.mark.parametrize("size", SIZES)
async def test_it_opens_at_the_end_and_follows(control: FakeControl, size: tuple[int, int]) -> None:
    async with console(control, size) as seen:
        await open_log(seen)
        assert shown(seen)[-1] == "line 2999"
        assert seen.lines[2].endswith("following")
        control.write(KEY, "line new\n")
        await seen.until("line new")
        assert shown(seen)[-1] == "line new"


async def test_scrolling_up_stops_following_and_the_end_starts_it(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        await seen.press("k", "k", "k")
        assert seen.lines[2].endswith("paused, 3 below")
        before = shown(seen)
        control.write(KEY, "line 3000\nline 3001\n")
        await seen.until("paused, 5 below")
        assert shown(seen) == before
        await seen.press("j", "j", "j", "j", "j", "j")
        await seen.until("following")
        assert shown(seen)[-1] == "line 3001"


async def test_new_lines_never_move_what_is_read_however_many(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        await seen.press("pageup")
        before = shown(seen)
        for n in range(20):
            control.write(KEY, "".join(f"later {n} {m}\n" for m in range(1_000)))
            view(seen).wake()
            await seen.pilot.pause()
        await seen.until(lambda: view(seen).state.below > 15_000)
        assert shown(seen) == before
        await seen.press("G")
        await seen.until("later 19 999")
        assert view(seen).following


async def test_the_top_pages_in(control: FakeControl) -> None:
    control.write(KEY, "x" * 40 + "\n" + "".join(f"line {n:06d}\n" for n in range(60_000)))
    async with console(control, (80, 24)) as seen:
        await seen.press("j", "l")
        await seen.until("line 059999")
        reads = control.reads
        tops = [first(seen)]
        for _ in range(3):
            await seen.press("g")
            await seen.until(lambda: shown(seen) and first(seen) < tops[-1])
            tops.append(first(seen))
        assert len(view(seen).lines) <= 6_000
        assert control.reads > reads


async def test_follow_is_a_key_too(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        await seen.press("f")
        assert seen.lines[2].endswith("paused")
        await seen.press("f")
        assert seen.lines[2].endswith("following")


async def test_searching_goes_up_and_reads_on(control: FakeControl) -> None:
    control.write(KEY, "".join(f"filler {n}\n" for n in range(50_000)))
    async with console(control, (80, 24)) as seen:
        await seen.press("j", "l")
        await seen.until("filler 49999")
        await seen.press("slash")
        await seen.type("line 1234")
        await seen.press("enter")
        await seen.until(lambda: "line 1234" in shown(seen))
        assert "/ line 1234" in seen.lines[2]
        assert not view(seen).following
        await seen.press("n")
        await seen.until("no match below")
        await seen.press("escape")
        assert "/ line" not in seen.lines[2]


async def test_next_and_before(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        await seen.press("slash")
        await seen.type("00$")
        await seen.press("enter")
        await seen.until(lambda: "line 2900" in shown(seen))
        await seen.press("N")
        await seen.until(lambda: "line 2800" in shown(seen))
        await seen.press("n")
        await seen.until(lambda: "line 2900" in shown(seen))


async def test_filtering_lines(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        await seen.press("ampersand")
        await seen.type("99$")
        await seen.press("enter")
        await seen.until(lambda: len(shown(seen)) > 15)
        assert all(line.endswith("99") for line in shown(seen))
        control.write(KEY, "line 5000\nline 5099\n")
        await seen.until("line 5099")
        assert "line 5000" not in seen.text
        await seen.press("escape")
        await seen.until("line 5000")
        await seen.press("ampersand")
        await seen.type("!line")
        await seen.press("enter")
        await seen.until("nothing in it passes the filter")


async def test_a_restart_is_a_line_and_the_run_before_stays_readable(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        gateway = control.fleet.pods[0]
        control.end_run(KEY, "exit 1 after 3s")
        control.write(KEY, "line of the second run\n")
        await control.change(gateway, run=2, restarts=1)
        await seen.until("line of the second run")
        assert "─── exit 1 after 3s ──" in seen.text
        await seen.press("p")
        await seen.until("run 1 of 2")
        assert shown(seen)[-1] == "line 2999"
        await seen.press("p")
        await seen.until("this is the first run")
        await seen.press("G")
        await seen.until("line of the second run")
        assert view(seen).following


async def test_text_is_data(control: FakeControl) -> None:
    control.logs[KEY][0].data = (
        b"[bold red]not markup[/]\n\x1b[31mcoloured\x1b[0m\x1b[2J\x1b]0;title\x07\nbad \xff utf\n"
        + "日本語\n".encode()
    )
    async with console(control, (80, 24)) as seen:
        await seen.press("j", "l")
        await seen.until("日本語")
        assert "[bold red]not markup[/]" in seen.text
        assert "coloured" in seen.text
        assert "title" not in seen.text
        assert "bad \ufffd utf" in seen.text


async def test_times_wrap_and_sideways(control: FakeControl) -> None:
    control.logs[KEY][0].data = b"2026-03-04 14:02:08 INFO " + b"0123456789" * 20 + b"\n"
    async with console(control, (80, 24)) as seen:
        await seen.press("j", "l")
        await seen.until("14:02:08 0123456789")
        assert "…" in seen.line("0123")
        await seen.press("t")
        assert seen.line("0123").startswith(" 0123456789")
        await seen.press("w")
        assert len([line for line in seen.lines if "0123456789" in line]) == 3
        await seen.press("w", "right")
        assert seen.line("0123").startswith(" 6789012345")
        await seen.press("left")
        assert seen.line("0123").startswith(" 0123456789")


async def test_a_mark_and_a_clear_screen(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        await seen.press("m")
        await seen.until("─── mark ")
        control.write(KEY, "line after\n")
        await seen.until("line after")
        mark = next(n for n, line in enumerate(seen.lines) if "mark" in line and "───" in line)
        assert "line after" in seen.lines[mark + 1]
        await seen.press("C")
        await seen.until(lambda: "line 2999" not in seen.text)
        control.write(KEY, "line fresh\n")
        await seen.until("line fresh")
        assert shown(seen) == ["line fresh"]


async def test_a_branch_is_merged_in_order_with_tags(control: FakeControl) -> None:
    for n, name in enumerate(("clean/rep-0", "clean/rep-1")):
        key = PodKey("search", name)
        control.write(
            key, "".join(f"2026-03-04 14:00:{second + n:02d} INFO at {second + n}\n" for second in (1, 3, 5))
        )
    async with console(control, (160, 45)) as seen:
        await seen.press("j", "j")
        await seen.until("2 pods merged")
        await seen.until("at 6")
        lines = [line[91:].strip() for line in seen.lines if " at " in line]
        assert lines == [f"14:00:0{n} rep-{1 - n % 2} at {n}" for n in range(1, 7)]


async def test_copying_what_is_on_screen(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        await seen.press("c")
        await seen.until("copied")
        assert seen.app.clipboard.splitlines()[-1] == "line 2999"


async def test_saving(control: FakeControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        await seen.press("ctrl+s")
        await seen.until("search-gateway-run1.log")
        assert (tmp_path / "search-gateway-run1.log").read_bytes() == control.logs[KEY][0].data
        await seen.press("ctrl+s")
        await seen.until("search-gateway-run1-2.log")


async def test_a_folder_that_can_t_be_written_is_told(
    control: FakeControl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "search-gateway-run1.log").symlink_to(tmp_path / "nowhere" / "x")
    monkeypatch.chdir(tmp_path)
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        await seen.press("ctrl+s")
        await seen.until("not saved")


async def test_a_pod_without_a_word(control: FakeControl) -> None:
    async with console(control, (160, 45)) as seen:
        await seen.press("j", "j", "j")
        await seen.until("no output yet")
        control.write(PodKey("search", "clean/rep-0"), "first words\n")
        await control.change(control.fleet.pods[1], run=2)
        await seen.until("first words")


async def test_moving_on_quickly_reads_only_where_the_cursor_rests(control: FakeControl) -> None:
    fleet = control.fleet
    many = tuple(replace(fleet.pods[1], name=f"clean/rep-{n}") for n in range(60))
    await control.set(replace(fleet, pods=many))
    for pod in many:
        control.write(pod.key, f"words of {pod.name}\n")
    async with console(control, (160, 45), wait="60/60 ready") as seen:
        await seen.until("60 pods merged")
        before = control.reads
        await seen.press(*["j"] * 50)
        await seen.until("words of clean/rep-48")
        assert control.reads - before < 500


async def test_selecting_with_the_mouse_and_copying(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await open_log(seen)
        log = view(seen)
        await seen.pilot.mouse_down(log, offset=(1, 0))
        await seen.pilot.hover(log, offset=(8, 1))
        await seen.pilot.mouse_up(log, offset=(8, 1))
        await seen.press("ctrl+c")
        await seen.until("copied")
        lines = shown(seen)
        assert seen.app.clipboard.split("\n") == [lines[0], lines[1][:8]]
        assert seen.app.is_running


async def test_another_engine_s_runs_are_found(control: FakeControl) -> None:
    control.end_run(KEY, "exit 1 after 3s")
    control.write(KEY, "line of the second run\n")
    async with console(control, (80, 24)) as seen:
        await seen.press("j", "l")
        await seen.until("line of the second run")
        await control.lose()
        await seen.until("lost the engine")
        control.logs[KEY] = []
        control.logs.pop(KEY)
        control.write(KEY, "line of another engine\n")
        await control.come_back()
        await seen.until("line of another engine")
        assert "second run" not in seen.text
