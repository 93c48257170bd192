"""The main screen by its keys, on a fake engine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fakes.console import console
from tests.fakes.control import FakeControl
from tests.fakes.fleets import NOW, search_fleet

from quarterdeck.engine.model import Fleet, PodKey

SIZES = [(80, 24), (120, 40), (160, 45)]
KEY = PodKey("search", "index/shard-1/rep-1")


@pytest.mark.parametrize("size", SIZES)
async def test_the_tree_is_there_at_every_size(control: FakeControl, size: tuple[int, int]) -> None:
    async with console(control, size) as seen:
        await seen.until("llm")
        assert seen.lines[0].startswith(" gpubox-3  12/14 ready  ▲ 1 backoff  ○ 1 starting")
        assert seen.lines[1].startswith(" name ")
        assert "▲ backoff 8s  52208    3  CUDA out of memory" in seen.text
        assert seen.lines[-1].startswith(" enter open  l logs")
        assert ("logs  details  events" in seen.text) is (size[0] >= 118)
        assert all(len(line) <= size[0] for line in seen.lines)


async def test_moving(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.press("j", "down", "j")
        assert seen.cursor == "search/clean/rep-0"
        await seen.press("k")
        assert seen.cursor == "search/clean"
        await seen.press("G")
        assert seen.cursor == "llm/chat/rep-2"
        await seen.press("g")
        assert seen.cursor == "search"
        await seen.press("k")
        assert seen.cursor == "search"
        await seen.press("ctrl+d", "ctrl+u")
        assert seen.cursor == "search"


async def test_the_cursor_passes_over_gaps_and_stays_on_the_screen(control: FakeControl) -> None:
    async with console(control, (80, 12)) as seen:
        for _ in range(len(seen.main.pods.rows)):
            await seen.press("j")
            assert any(line.startswith("▌") for line in seen.lines)
        assert seen.cursor == "llm/chat/rep-2"
        for _ in range(6):
            await seen.press("k")
        assert seen.cursor == "search/index/shard-1/rep-1"


async def test_folding(control: FakeControl) -> None:
    async with console(control, (160, 45)) as seen:
        await seen.go("index")
        await seen.press("left")
        assert "shard-0" not in "\n".join(line[:90] for line in seen.lines)
        assert "└+index" in seen.text
        await seen.press("right")
        assert "├ shard-0" in seen.text
        await seen.go("index/shard-0/rep-1")
        await seen.press("left")
        assert seen.cursor == "search/index/shard-0"
        await seen.press("minus", "asterisk")
        assert "│ └ rep-1" in seen.text


async def test_filtering_as_one_types(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await seen.press("slash")
        await seen.type("backoff")
        await seen.until(lambda: "clean" not in seen.text)
        assert "shard-1" in seen.text
        assert seen.lines[-1].startswith(" /backoff")
        await seen.press("enter")
        assert seen.lines[-1].endswith("filter backoff")
        await seen.press("escape")
        assert "clean" in seen.text
        await seen.press("f4")
        await seen.type("zzz")
        await seen.until(lambda: "gateway" not in seen.text)
        await seen.press("escape")
        assert "gateway" in seen.text


async def test_what_is_typed_does_nothing_else(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.go("clean/rep-0")
        await seen.press("slash")
        await seen.type("rxqS")
        await seen.press("backspace", "delete")
        assert control.acts == []
        assert seen.app.is_running


async def test_the_cursor_stays_on_its_pod(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.go("index/shard-0/rep-0")
        y = next(n for n, line in enumerate(seen.lines) if line.startswith("▌"))
        fleet = control.fleet
        await control.set(replace(fleet, pods=tuple(pod for pod in fleet.pods if pod.deployment != "clean")))
        await seen.until(lambda: "clean" not in seen.text)
        assert seen.cursor == "search/index/shard-0/rep-0"
        await control.set(fleet)
        await seen.until("clean")
        assert seen.cursor == "search/index/shard-0/rep-0"
        assert seen.lines[y].startswith("▌")
        await seen.press("f6")
        assert seen.cursor == "search/index/shard-0/rep-0"


async def test_when_its_pod_goes_the_cursor_is_on_what_is_above(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.go("index/shard-1/rep-1")
        fleet = control.fleet
        await control.set(replace(fleet, pods=tuple(pod for pod in fleet.pods if pod.key != KEY)))
        await seen.until(lambda: "backoff" not in seen.text)
        assert seen.cursor == "search/index/shard-1"


async def test_details_say_why_first(control: FakeControl) -> None:
    async with console(control, (160, 45)) as seen:
        await seen.go("index/shard-1/rep-1")
        await seen.press("d")
        await seen.until("blocked by")
        pane = [line[91:].strip() for line in seen.lines]
        assert pane.index("why") < pane.index("pod") < pane.index("env") < pane.index("history")
        assert "next try    in 8s; r tries now" in pane
        assert any("s3://corpora/news-2026" in line for line in pane)
        await seen.press("escape")
        await seen.press("g")
        await seen.until("not ready")
        assert "2 deployments" not in seen.text
        assert "clean, index" in seen.text


async def test_events_of_what_the_cursor_is_on(control: FakeControl) -> None:
    await control.emit("started", "search", "clean/rep-0")
    await control.emit("other words", "llm", "chat/rep-0")
    async with console(control, (160, 45)) as seen:
        await seen.press("alt+3")
        await seen.until("started")
        assert "other words" not in seen.text
        await control.emit("and more", "search", "index/head")
        await seen.until("and more")
        await seen.go("clean/rep-0")
        await seen.until(lambda: "and more" not in seen.text)
        assert "1 event" in seen.text


async def test_tabs_and_regions_at_80(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await seen.press("tab")
        assert "logs  details  events" in seen.lines[1]
        assert "name" not in seen.lines[1]
        assert seen.lines[2].startswith("▌search")
        await seen.press("right_square_bracket")
        await seen.until("deployments")
        await seen.press("left_square_bracket")
        await seen.press("tab")
        assert seen.lines[1].startswith(" name")


async def test_full_screen(control: FakeControl) -> None:
    async with console(control, (160, 45)) as seen:
        await seen.press("l")
        assert seen.lines[1].startswith(" logs")
        await seen.press("escape")
        assert seen.lines[1].startswith(" name")
        await seen.press("escape", "tab", "z")
        assert seen.lines[1].startswith(" logs")
        await seen.press("tab")
        assert seen.lines[1].startswith(" name")


@pytest.mark.parametrize("size", SIZES)
async def test_help(control: FakeControl, size: tuple[int, int]) -> None:
    async with console(control, size) as seen:
        await seen.press("question_mark")
        await seen.until("quit the console")
        assert "half a page" in seen.text
        await seen.press("escape")
        await seen.until("12/14 ready")
        assert seen.lines[1].startswith(" name")


async def test_it_begins_where_it_was_asked_to(control: FakeControl) -> None:
    async with console(control, target="index/shard-1") as seen:
        await seen.until(lambda: seen.cursor == "search/index/shard-1")


async def test_ages_tick_only_where_their_text_changes(control: FakeControl) -> None:
    now = NOW
    async with console(control, (80, 24), clock=lambda: now) as seen:
        await seen.until("backoff 8s")
        seen.main.tick()  # from here on the tree knows what stands on the screen
        await seen.pilot.pause()
        painted: list[int] = []
        original = seen.main.pods.render_line
        seen.main.pods.render_line = lambda y: painted.append(y) or original(y)  # type: ignore[func-returns-value, method-assign]
        await seen.quiet(painted)
        now = NOW + 3
        seen.main.tick()
        await seen.until("backoff 5s")
        rows = {seen.main.pods.rows[y - 1].label for y in painted}
        assert rows == {"rep-1"}
        assert len(set(painted)) == 2
        painted.clear()
        seen.main.tick()
        await seen.never(lambda: painted)


async def test_only_visible_rows_are_drawn(control: FakeControl) -> None:
    many = [replace(control.fleet.pods[1], name=f"clean/rep-{n}") for n in range(5_000)]
    await control.set(replace(control.fleet, pods=tuple(many)))
    async with console(control, (80, 24), wait="5000 ready".replace("5000", "5000/5000")) as seen:
        await seen.press("G")
        assert "rep-4999" in seen.text
        assert len(seen.main.pods._painted) <= 24


async def test_an_empty_engine(control: FakeControl) -> None:
    await control.set(Fleet())
    async with console(control, wait="nothing runs here yet") as seen:
        assert "qd up FILE" in seen.text
        await control.set(search_fleet())
        await seen.until("12/14 ready")
        assert "nothing runs" not in seen.text


@pytest.mark.parametrize(
    "keys", [["j"], ["d"], ["G", "alt+3"], ["question_mark"], ["x"], ["K"], ["colon", "r"], ["l"]]
)
async def test_plain_characters_are_plain_everywhere(control: FakeControl, keys: list[str]) -> None:
    async with console(control, ascii=True) as seen:
        await seen.press(*keys)
        await seen.pilot.pause()
        assert seen.text.isascii(), [line for line in seen.lines if not line.isascii()]


async def test_no_color(control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(control) as seen:
        styles = [segment.style for strip in seen.app.screen._compositor.render_strips() for segment in strip]
        assert all(style is None or style.color is None or style.color.is_default for style in styles)
        assert any(style is not None and style.reverse for style in styles)
