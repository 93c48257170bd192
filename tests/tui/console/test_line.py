"""The line to the engine: none, lost, found again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fakes.console import console
from tests.fakes.control import Act, FakeControl
from tests.fakes.fleets import pod, search_fleet

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import VersionMismatch
from quarterdeck.engine.model import Fleet, PodKey
from quarterdeck.widgets.logview import LogView

SIZES = [(80, 24), (120, 40), (160, 45)]


@pytest.mark.parametrize("size", SIZES)
async def test_no_engine_says_what_to_do(size: tuple[int, int]) -> None:
    async with console(FakeControl(alive=False), size, wait="no engine runs on this host") as seen:
        assert "qd demo" in seen.text
        assert "□ no engine" in seen.lines[0]
        assert seen.lines[-1].startswith(" r try now")
        assert "filter" not in seen.lines[-1]


async def test_one_that_starts_is_found() -> None:
    control = FakeControl(fleet=search_fleet(), alive=False)
    async with console(control, wait="no engine runs") as seen:
        await control.come_back()
        await seen.press("r")
        await seen.until("12/14 ready")


async def test_a_version_that_differs_is_said() -> None:
    async def connect() -> FakeControl:
        raise VersionMismatch("the engine is Quarterdeck 9, this is 1", "end the old one")

    control = FakeControl()
    control.connect = connect  # type: ignore[method-assign]
    async with console(control, wait="the engine is Quarterdeck 9, this is 1; end the old one") as seen:
        assert "can't be used" in seen.text
        assert "no engine runs" not in seen.text


@pytest.mark.parametrize("size", SIZES)
async def test_a_lost_engine_leaves_its_picture(size: tuple[int, int]) -> None:
    control = FakeControl(fleet=search_fleet())
    async with console(control, size) as seen:
        tree = seen.lines[2:15]
        await control.lose()
        await seen.until("lost the engine")
        assert seen.lines[0].startswith("▌gpubox-3  ◊ lost the engine")
        assert seen.lines[0].rstrip().rpartition("  ")[2].startswith("try ")
        assert [line.replace("backoff 8s", "backoff   ") for line in tree] == seen.lines[2:15]
        assert seen.lines[-1].startswith(" r try now")
        assert "restart" not in seen.lines[-1]


async def test_the_same_console_shows_the_new_engine() -> None:
    control = FakeControl(fleet=search_fleet())
    async with console(control, (120, 40)) as seen:
        await control.lose()
        await seen.until("lost the engine")
        fresh = Fleet(topologies=control.fleet.topologies[:1], pods=(pod("clean/rep-0", 60_001),))
        await control.come_back(fresh)
        await seen.press("r")
        await seen.until("60001")
        assert "lost" not in seen.text
        assert "backoff" not in seen.text
        assert "1/1 ready" in seen.lines[0]


async def test_it_dials_again_by_itself() -> None:
    control = FakeControl(fleet=search_fleet())
    async with console(control) as seen:
        await control.lose()
        await seen.until("lost the engine")
        dials = control.dials
        await seen.until(lambda: control.dials > dials + 1)
        await control.come_back()
        await seen.until(lambda: "lost" not in seen.text)


async def test_verbs_do_nothing_while_lost() -> None:
    control = FakeControl(fleet=search_fleet())
    async with console(control) as seen:
        await control.lose()
        await seen.until("lost the engine")
        await seen.press("x", "S", "K")
        await seen.never(lambda: "stop search?" in seen.text)
        assert control.acts == []


async def test_the_log_goes_on_where_it_stopped() -> None:
    control = FakeControl(fleet=search_fleet())
    key = PodKey("search", "gateway")
    control.write(key, "earlier words\n")
    async with console(control, (160, 45)) as seen:
        await seen.press("j")
        await seen.until(lambda: seen.main.query_one(LogView).pods == (key,) and "earlier words" in seen.text)
        await control.lose()
        await seen.until("lost the engine")
        control.write(key, "meanwhile\n")
        assert "earlier words" in seen.text
        await control.come_back()
        await seen.press("r")
        await seen.until("meanwhile")
        assert seen.text.count("earlier words") == 1


async def test_reconnect_hangs_up_and_dials() -> None:
    control = FakeControl(fleet=search_fleet())
    async with console(control) as seen:
        await seen.press("colon")
        await seen.type("reconnect")
        await seen.press("enter")
        await seen.until(lambda: control.dials == 2)
        await control.change(control.fleet.pods[0], restarts=77)
        await seen.until("77")


async def test_a_burst_ends_with_the_newest() -> None:
    control = FakeControl(fleet=search_fleet())
    async with console(control) as seen:
        gateway = control.fleet.pods[0]
        for n in range(200):
            await control.change(gateway, restarts=n)
        await seen.until("199")


async def test_a_verb_that_the_engine_refuses_is_told() -> None:
    control = FakeControl(fleet=search_fleet())
    async with console(control) as seen:
        control.refuse = VersionMismatch("not now", "later")
        await seen.press("j", "j", "j", "r")
        await seen.until("not now; later")
        await seen.press("r")
        await seen.until(lambda: control.acts)
        assert control.acts == [Act(Verb.RESTART, ("search/clean/rep-0",))]


async def test_an_idle_console_draws_nothing() -> None:
    fleet = search_fleet()
    steady = replace(fleet, pods=fleet.pods[:7])
    control = FakeControl(fleet=steady)
    async with console(control, (160, 45)) as seen:
        await seen.until("no output yet")
        written: list[str] = []
        driver = seen.app._driver
        assert driver is not None
        driver.write = written.append  # type: ignore[method-assign, assignment]
        await seen.quiet(written)
        for _ in range(5):
            seen.main.tick()
            await seen.pilot.pause()
        assert written == []
