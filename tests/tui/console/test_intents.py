"""What is asked before capacity goes, and what is done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fakes.control import Act, FakeControl
from tests.fakes.fleets import NOW, search_fleet

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import Conflict
from quarterdeck.engine.model import Fleet, Phase, PodStatus
from quarterdeck.tui.intents import DO, LEAVE, Intents, Question, concerned, question_of
from quarterdeck.tui.session import Session

FLEET = search_fleet()


def pods(*names: str, fleet: Fleet = FLEET) -> tuple[PodStatus, ...]:
    return tuple(pod for pod in fleet.pods if pod.name in names and pod.topology == "search")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["clean/rep-0"], None),
        (["index/shard-0/rep-1"], None),
        (["index/shard-1/rep-1"], None),
        (["index/shard-0/rep-0"], "no other replica of index/shard-0 is ready"),
        (["index/head"], "the head is the only way into index"),
        (["gateway"], "the gateway is the only way into search"),
        (["index/uses_after-0"], "nothing else does the work of index/uses_after-0"),
        (["clean/rep-0", "clean/rep-1"], "2 pods of it end;"),
    ],
)
@pytest.mark.parametrize("verb", [Verb.STOP, Verb.KILL])
def test_what_takes_capacity_away_asks(names: list[str], said: str | None, verb: Verb) -> None:
    question = question_of(verb, "it", pods(*names), FLEET)
    if said is None:
        assert question is None
    else:
        assert question is not None
        assert question.body[0] == said
        assert question.buttons[0].id == "cancel"


def test_starting_never_asks() -> None:
    assert question_of(Verb.START, "search", FLEET.pods, FLEET) is None


def test_what_does_not_run_takes_nothing_away() -> None:
    dead = tuple(replace(pod, phase=Phase.FAILED) for pod in pods("index/head", "gateway"))
    assert question_of(Verb.RESTART, "it", dead, FLEET) is None


def test_a_question_names_its_object_and_a_button_its_effect() -> None:
    found = question_of(Verb.STOP, "index", tuple(p for p in FLEET.pods if p.deployment == "index"), FLEET)
    assert found is not None
    assert found.title == "stop index?"
    assert found.buttons[1].text == "stop 7 pods"
    assert found.facts == (("among them", "head, uses_before-0, uses_after-0"),)


@pytest.mark.parametrize(
    ("verb", "phases"),
    [
        (Verb.START, {"stopped", "failed", "backoff"}),
        (Verb.STOP, {"pending", "starting", "ready", "unready", "backoff", "failed"}),
        (Verb.KILL, {"starting", "ready", "unready", "stopping"}),
        (Verb.RESTART, {phase.value for phase in Phase}),
    ],
)
def test_whom_a_verb_concerns(verb: Verb, phases: set[str]) -> None:
    one = pods("clean/rep-0")[0]
    every = [replace(one, phase=phase) for phase in Phase]
    assert {pod.phase.value for pod in concerned(verb, every)} == phases


class Desk:
    """Intents with scripted answers, and what they said."""

    def __init__(self, answer: str = "cancel", **options: bool | str) -> None:
        self.control = FakeControl(fleet=FLEET)
        self.session = Session(clock=lambda: NOW, **options)  # type: ignore[arg-type]
        self.session.control = self.control
        self.asked: list[Question] = []
        self.said: list[tuple[str, str, bool]] = []
        self.answer = answer
        self.intents = Intents(self.session, self._ask, lambda *words: self.said.append(words))

    async def _ask(self, question: Question) -> str:
        self.asked.append(question)
        return self.answer


async def test_one_replica_of_several_is_restarted_at_once() -> None:
    desk = Desk()
    assert await desk.intents.act(Verb.RESTART, "rep-0", pods("clean/rep-0"), FLEET)
    assert desk.asked == []
    assert desk.control.acts == [Act(Verb.RESTART, ("search/clean/rep-0",))]


@pytest.mark.parametrize(("answer", "acts"), [("cancel", 0), (DO, 1)])
async def test_the_answer_decides(answer: str, acts: int) -> None:
    desk = Desk(answer)
    await desk.intents.act(Verb.STOP, "index/head", pods("index/head"), FLEET)
    assert len(desk.asked) == 1
    assert len(desk.control.acts) == acts


async def test_a_signal_goes_by_its_number() -> None:
    desk = Desk()
    await desk.intents.act(Verb.KILL, "rep-0", pods("clean/rep-0"), FLEET, "USR1")
    assert desk.control.acts == [Act(Verb.KILL, ("search/clean/rep-0",), 10)]


async def test_an_error_becomes_a_toast_with_its_hint() -> None:
    desk = Desk()
    desk.control.refuse = Conflict("it is being closed", "wait for it")
    assert not await desk.intents.act(Verb.RESTART, "rep-0", pods("clean/rep-0"), FLEET)
    assert desk.said == [("restart rep-0: conflict", "it is being closed; wait for it", True)]


async def test_without_an_engine_nothing_is_done_and_it_says_so() -> None:
    desk = Desk()
    desk.session.control = None
    assert not await desk.intents.act(Verb.RESTART, "rep-0", pods("clean/rep-0"), FLEET)
    assert desk.said[0][0] == "restart rep-0: no engine"


async def test_read_only_refuses() -> None:
    desk = Desk(DO, read_only=True)
    assert not await desk.intents.act(Verb.RESTART, "rep-0", pods("clean/rep-0"), FLEET)
    assert not await desk.intents.down("search", FLEET)
    assert desk.control.acts == []
    assert desk.control.downs == []
    assert desk.said[0][0] == "read only"


async def test_nothing_to_do_is_said() -> None:
    desk = Desk()
    assert not await desk.intents.act(Verb.START, "clean", pods("clean/rep-0", "clean/rep-1"), FLEET)
    assert desk.said == [("nothing to start", "clean is ready", False)]


@pytest.mark.parametrize(
    ("owns", "answer", "goes", "downs"),
    [
        (None, "cancel", True, []),
        ("search", "cancel", False, []),
        ("search", LEAVE, True, []),
        ("search", DO, True, [("search",)]),
        ("gone", "cancel", True, []),
    ],
)
async def test_quitting(owns: str | None, answer: str, goes: bool, downs: list[tuple[str]]) -> None:
    desk = Desk(answer, **({"owns": owns} if owns else {}))
    assert await desk.intents.quit(FLEET) is goes
    assert desk.control.downs == downs
    if desk.asked:
        assert [button.text for button in desk.asked[0].buttons] == ["leave running", "stop it", "cancel"]


async def test_a_topology_that_could_not_be_stopped_keeps_the_console() -> None:
    desk = Desk(DO, owns="search")
    desk.control.refuse = Conflict("no", "")
    assert not await desk.intents.quit(FLEET)
