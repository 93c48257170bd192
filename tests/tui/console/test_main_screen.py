"""The main screen by its keys, on a fake engine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fakes.console import Console, console
from tests.fakes.control import Act, FakeControl
from tests.fakes.fleets import NOW, failing_details, search_fleet, search_samples

from quarterdeck.engine.control import Verb
from quarterdeck.engine.model import Fleet, Phase, PodKey

SIZES = [(80, 24), (120, 40), (160, 45)]
KEY = PodKey("search", "index/shard-1/rep-1")


@pytest.fixture
def control() -> FakeControl:
    fleet = search_fleet()
    made = FakeControl(fleet=fleet, samples_now=search_samples(fleet))
    for pod in fleet.pods:
        made.write(pod.key, f"14:00:00 INFO words of {pod.name}\n")
    made.found[KEY] = failing_details()
    return made


def cursor(seen: Console) -> str:
    row = seen.main.row
    return row.id if row is not None else ""


async def go(seen: Console, name: str) -> None:
    """Put the cursor on a row."""
    await seen.press("colon")
    await seen.type(f"go {name}")
    await seen.press("enter")
    await seen.until(lambda: cursor(seen).endswith(name))


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
        assert cursor(seen) == "search/clean/rep-0"
        await seen.press("k")
        assert cursor(seen) == "search/clean"
        await seen.press("G")
        assert cursor(seen) == "llm/chat/rep-2"
        await seen.press("g")
        assert cursor(seen) == "search"
        await seen.press("k")
        assert cursor(seen) == "search"
        await seen.press("ctrl+d", "ctrl+u")
        assert cursor(seen) == "search"


async def test_the_cursor_passes_over_gaps_and_stays_on_the_screen(control: FakeControl) -> None:
    async with console(control, (80, 12)) as seen:
        for _ in range(len(seen.main.pods.rows)):
            await seen.press("j")
            assert any(line.startswith("▌") for line in seen.lines)
        assert cursor(seen) == "llm/chat/rep-2"
        for _ in range(6):
            await seen.press("k")
        assert cursor(seen) == "search/index/shard-1/rep-1"


async def test_folding(control: FakeControl) -> None:
    async with console(control, (160, 45)) as seen:
        await go(seen, "index")
        await seen.press("left")
        assert "shard-0" not in "\n".join(line[:90] for line in seen.lines)
        assert "└+index" in seen.text
        await seen.press("right")
        assert "├ shard-0" in seen.text
        await go(seen, "index/shard-0/rep-1")
        await seen.press("left")
        assert cursor(seen) == "search/index/shard-0"
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
        await go(seen, "clean/rep-0")
        await seen.press("slash")
        await seen.type("rxqS")
        await seen.press("backspace", "delete")
        assert control.acts == []
        assert seen.app.is_running


async def test_the_cursor_stays_on_its_pod(control: FakeControl) -> None:
    async with console(control) as seen:
        await go(seen, "index/shard-0/rep-0")
        y = next(n for n, line in enumerate(seen.lines) if line.startswith("▌"))
        fleet = control.fleet
        await control.set(replace(fleet, pods=tuple(pod for pod in fleet.pods if pod.deployment != "clean")))
        await seen.until(lambda: "clean" not in seen.text)
        assert cursor(seen) == "search/index/shard-0/rep-0"
        await control.set(fleet)
        await seen.until("clean")
        assert cursor(seen) == "search/index/shard-0/rep-0"
        assert seen.lines[y].startswith("▌")
        await seen.press("f6")
        assert cursor(seen) == "search/index/shard-0/rep-0"


async def test_when_its_pod_goes_the_cursor_is_on_what_is_above(control: FakeControl) -> None:
    async with console(control) as seen:
        await go(seen, "index/shard-1/rep-1")
        fleet = control.fleet
        await control.set(replace(fleet, pods=tuple(pod for pod in fleet.pods if pod.key != KEY)))
        await seen.until(lambda: "backoff" not in seen.text)
        assert cursor(seen) == "search/index/shard-1"


async def test_restarting_one_replica_of_several(control: FakeControl) -> None:
    async with console(control) as seen:
        await go(seen, "clean/rep-1")
        await seen.press("r")
        await seen.until(lambda: control.acts)
        assert control.acts == [Act(Verb.RESTART, ("search/clean/rep-1",))]


async def test_a_branch_asks_and_cancel_is_the_default(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await go(seen, "index")
        await seen.press("x")
        await seen.until("stop index?")
        assert "stop 7 pods" in seen.text
        await seen.press("enter")
        await seen.until(lambda: "stop index?" not in seen.text)
        assert control.acts == []
        await seen.press("x")
        await seen.until("stop index?")
        await seen.press("tab", "enter")
        await seen.until(lambda: control.acts)
        assert control.acts[0].verb is Verb.STOP
        assert len(control.acts[0].pods) == 7


async def test_esc_closes_a_dialog_and_never_quits(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.press("x")
        await seen.until("stop search?")
        await seen.press("escape")
        await seen.until(lambda: "stop search?" not in seen.text)
        await seen.press("escape", "escape", "escape")
        assert seen.app.is_running
        assert control.acts == []


async def test_behind_a_dialog_colours_go_and_come_back(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.press("x")
        await seen.until("stop search?")
        assert seen.main.has_class("-behind")
        await seen.press("escape")
        await seen.until(lambda: not seen.main.has_class("-behind"))


async def test_stopping_and_starting(control: FakeControl) -> None:
    async with console(control, (160, 45)) as seen:
        await go(seen, "clean/rep-1")
        assert "S start" not in seen.lines[-1]
        await control.change(
            control.fleet.by_key[PodKey("search", "clean/rep-1")], phase=Phase.STOPPED, pid=None
        )
        await seen.until("□ stopped")
        assert "S start" in seen.lines[-1]
        assert "x stop" not in seen.lines[-1]
        await seen.press("S")
        await seen.until(lambda: control.acts)
        assert control.acts == [Act(Verb.START, ("search/clean/rep-1",))]


async def test_signals(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await go(seen, "clean/rep-1")
        await seen.press("K")
        await seen.until("signal clean/rep-1")
        await seen.press("down", "down", "enter")
        await seen.until(lambda: control.acts)
        assert control.acts == [Act(Verb.KILL, ("search/clean/rep-1",), 9)]


async def test_marks(control: FakeControl) -> None:
    async with console(control, (160, 45)) as seen:
        await go(seen, "clean/rep-0")
        await seen.press("space", "space")
        assert "2 marked" in seen.lines[-1]
        await seen.press("r")
        await seen.until("restart 2 marked?")
        await seen.press("tab", "enter")
        await seen.until(lambda: control.acts)
        assert control.acts == [Act(Verb.RESTART, ("search/clean/rep-0", "search/clean/rep-1"))]
        await seen.until(lambda: "marked" not in seen.lines[-1])
        await go(seen, "index/head")
        await seen.press("space", "j", "ctrl+@")
        assert "3 marked" in seen.lines[-1]
        await seen.press("U")
        assert "marked" not in seen.lines[-1]


async def test_down_must_be_typed(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.press("colon")
        await seen.type("down search")
        await seen.press("enter")
        await seen.until("type search to confirm")
        await seen.type("wrong")
        await seen.press("enter", "tab", "right", "enter")
        assert control.downs == []
        await seen.press("escape")
        await seen.until(lambda: "type search" not in seen.text)
        await seen.press("colon")
        await seen.type("down search")
        await seen.press("enter")
        await seen.until("type search to confirm")
        await seen.type("search")
        await seen.press("enter")
        await seen.until(lambda: control.downs)
        assert control.downs == [("search",)]


async def test_the_command_line_suggests_completes_and_tells_mistakes(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.press("colon")
        await seen.type("res")
        await seen.until("end and start again")
        await seen.press("tab")
        await seen.type("clean/rep")
        await seen.press("tab")
        assert ":restart clean/rep-" in seen.text
        await seen.type("0")
        await seen.press("enter")
        await seen.until(lambda: control.acts)
        assert control.acts == [Act(Verb.RESTART, ("search/clean/rep-0",))]
        await seen.press("colon")
        await seen.type("go clen")
        await seen.press("enter")
        await seen.until("did you mean")


async def test_themes(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.press("colon")
        await seen.type("theme light")
        await seen.press("enter")
        await seen.until(lambda: seen.app.theme == "light")
        await seen.press("colon")
        await seen.type("theme pink")
        await seen.press("enter")
        await seen.until("there is no theme `pink`")


async def test_read_only(control: FakeControl) -> None:
    async with console(control, (160, 45), read_only=True) as seen:
        await go(seen, "clean/rep-1")
        assert "r restart" not in seen.lines[-1]
        assert seen.lines[-1].endswith("read only")
        await seen.press("r", "x", "K")
        await seen.press("colon")
        await seen.type("stop clean")
        await seen.press("enter")
        await seen.until("--read-only")
        assert control.acts == []


async def test_details_say_why_first(control: FakeControl) -> None:
    async with console(control, (160, 45)) as seen:
        await go(seen, "index/shard-1/rep-1")
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
        await go(seen, "clean/rep-0")
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


@pytest.mark.parametrize("key", ["q", "f10", "ctrl+c"])
async def test_leaving(control: FakeControl, key: str) -> None:
    async with console(control) as seen:
        await seen.press(key)
        await seen.until(lambda: not seen.app.is_running)
        assert seen.app.return_value == 0


async def test_ctrl_c_clears_a_prompt_first(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.press("slash")
        await seen.type("abc")
        await seen.press("ctrl+c")
        assert seen.main.prompt.input.value == ""
        await seen.press("ctrl+c")
        assert seen.main.prompt.asking is None
        assert seen.app.is_running


@pytest.mark.parametrize(("keys", "downs"), [(["enter"], []), (["tab", "enter"], [("search",)])])
async def test_quitting_what_one_owns(control: FakeControl, keys: list[str], downs: list[tuple[str]]) -> None:
    async with console(control, (80, 24), owns="search") as seen:
        await seen.press("q")
        await seen.until("leave running")
        await seen.press("escape")
        await seen.until(lambda: "leave running" not in seen.text)
        assert seen.app.is_running
        await seen.press("q")
        await seen.until("leave running")
        await seen.press(*keys)
        await seen.until(lambda: not seen.app.is_running)
        assert control.downs == downs


async def test_it_begins_where_it_was_asked_to(control: FakeControl) -> None:
    async with console(control, target="index/shard-1") as seen:
        await seen.until(lambda: cursor(seen) == "search/index/shard-1")


async def test_ages_tick_only_where_their_text_changes(control: FakeControl) -> None:
    now = NOW
    async with console(control, (80, 24), clock=lambda: now) as seen:
        await seen.until("backoff 8s")
        painted: list[int] = []
        original = seen.main.pods.render_line
        seen.main.pods.render_line = lambda y: painted.append(y) or original(y)  # type: ignore[func-returns-value, method-assign]
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
