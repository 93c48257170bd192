"""Verbs by keys and by the command line: what asks, what is done, and how one leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fakes.console import console
from tests.fakes.control import Act, FakeControl

from quarterdeck.engine.control import Verb
from quarterdeck.engine.model import Phase, PodKey


async def test_restarting_one_replica_of_several(control: FakeControl) -> None:
    async with console(control) as seen:
        await seen.go("clean/rep-1")
        await seen.press("r")
        await seen.until(lambda: control.acts)
        assert control.acts == [Act(Verb.RESTART, ("search/clean/rep-1",))]


async def test_a_branch_asks_and_cancel_is_the_default(control: FakeControl) -> None:
    async with console(control, (80, 24)) as seen:
        await seen.go("index")
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
        await seen.go("clean/rep-1")
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
        await seen.go("clean/rep-1")
        await seen.press("K")
        await seen.until("signal clean/rep-1")
        await seen.press("down", "down", "enter")
        await seen.until(lambda: control.acts)
        assert control.acts == [Act(Verb.KILL, ("search/clean/rep-1",), 9)]


async def test_marks(control: FakeControl) -> None:
    async with console(control, (160, 45)) as seen:
        await seen.go("clean/rep-0")
        await seen.press("space", "space")
        assert "2 marked" in seen.lines[-1]
        await seen.press("r")
        await seen.until("restart 2 marked?")
        await seen.press("tab", "enter")
        await seen.until(lambda: control.acts)
        assert control.acts == [Act(Verb.RESTART, ("search/clean/rep-0", "search/clean/rep-1"))]
        await seen.until(lambda: "marked" not in seen.lines[-1])
        await seen.go("index/head")
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
        await seen.go("clean/rep-1")
        assert "r restart" not in seen.lines[-1]
        assert seen.lines[-1].endswith("read only")
        await seen.press("r", "x", "K")
        await seen.press("colon")
        await seen.type("stop clean")
        await seen.press("enter")
        await seen.until("--read-only")
        assert control.acts == []


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


async def test_what_another_engine_runs_is_not_owned(control: FakeControl) -> None:
    async with console(control, (80, 24), owns="search") as seen:
        await seen.until("ready")
        await control.lose()
        await seen.until("lost the engine")
        control.info_now = replace(control.info_now, pid=control.info_now.pid + 1)
        await control.come_back()
        await seen.press("r")
        await seen.until(lambda: "lost the engine" not in seen.text)
        await seen.press("q")
        await seen.until(lambda: not seen.app.is_running)
        assert control.downs == []


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
