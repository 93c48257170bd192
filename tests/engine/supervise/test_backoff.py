"""Restart policy: who starts again, and after how long."""

from __future__ import annotations

import pytest
from tests.engine.supervise.story import UP, after, comes_up, live, pod

from quarterdeck.engine.model import Phase
from quarterdeck.engine.spec.topology import Restart
from quarterdeck.engine.supervise.restart import age, backoff, ending, wants_restart
from quarterdeck.engine.supervise.state import Begin, HasExited, SetTimer, Stimulus, Timer, TimerFired


def test_backoff_doubles_from_half_a_second_to_thirty() -> None:
    assert [backoff(attempts) for attempts in range(1, 10)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert backoff(5_000) == 30


@pytest.mark.parametrize(
    ("policy", "code", "wanted"),
    [
        (Restart.NO, 0, False), (Restart.NO, 1, False), (Restart.NO, -9, False), (Restart.NO, None, False),
        (Restart.ON_FAILURE, 0, False), (Restart.ON_FAILURE, 1, True), (Restart.ON_FAILURE, -9, True),
        (Restart.ON_FAILURE, None, True), (Restart.ALWAYS, 0, True), (Restart.ALWAYS, 1, True),
        (Restart.ALWAYS, None, True),
    ],
)  # fmt: skip
def test_who_starts_again(policy: Restart, code: int | None, wanted: bool) -> None:
    assert wants_restart(policy, code) is wanted


def failing(runs: int, life: float) -> list[Stimulus | float]:
    """After the first start, `runs` runs that get ready and end `life` seconds later."""
    history: list[Stimulus | float] = [*UP]
    for run in range(1, runs + 1):
        history += [life, HasExited(run, 1), TimerFired(run, Timer.RETRY), *comes_up(run + 1)]
    return history


def waits(history: list[Stimulus | float]) -> list[float]:
    return [
        round(timer.at - moment.now, 3)
        for moment in live(pod(), *history)
        for timer in moment.told(SetTimer)
        if timer.timer is Timer.RETRY
    ]


def test_each_failure_in_a_row_waits_longer() -> None:
    assert waits(failing(8, life=1.0)) == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_life_of_a_minute_begins_anew() -> None:
    history = failing(4, life=1.0)
    stable: list[Stimulus | float] = [60.0, TimerFired(5, Timer.STABLE), 1.0, HasExited(5, 1)]
    assert waits([*history, *stable]) == [0.5, 1, 2, 4, 0.5]


def test_a_person_who_starts_it_begins_anew() -> None:
    history = failing(4, life=1.0)
    assert waits([*history, HasExited(5, 1), Begin(), *comes_up(6), HasExited(6, 1)]) == [
        0.5,
        1,
        2,
        4,
        8,
        0.5,
    ]


def test_says_when_it_tries_again() -> None:
    moment = after(pod(), *UP, HasExited(1, 1))
    assert moment.pod.phase is Phase.BACKOFF
    assert moment.pod.next_try_at == moment.now + 0.5
    assert after(pod(), *UP, HasExited(1, 1), TimerFired(1, Timer.RETRY)).pod.next_try_at is None


@pytest.mark.parametrize(
    ("code", "lived", "words"),
    [
        (0, None, "exit 0"), (3, 3.2, "exit 3 after 3s"), (-9, 130.0, "killed by SIGKILL after 2m"),
        (-40, 0.02, "killed by signal 40 after 20ms"), (None, 7200.0, "ended, nobody saw how after 2h"),
    ],
)  # fmt: skip
def test_how_it_ended_in_words(code: int | None, lived: float | None, words: str) -> None:
    assert ending(code, lived) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0ms"), (0, "0ms"), (0.0004, "0ms"), (0.5, "500ms"), (0.9994, "999ms"), (0.9996, "1s"), (1, "1s"),
     (59.9, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86400 * 3, "3d")],
)  # fmt: skip
def test_one_unit_of_age(seconds: float, words: str) -> None:
    assert age(seconds) == words
