"""What a typed command means."""

from __future__ import annotations

import pytest

from quarterdeck.engine.errors import UsageError
from quarterdeck.tui.commands import COMMANDS, parse, suggestions


@pytest.mark.parametrize(
    ("typed", "name", "argument"),
    [
        ("q", "quit", ""),
        ("quit", "quit", ""),
        ("restart index/shard-0", "restart", "index/shard-0"),
        ("  stop  ", "stop", ""),
        ("the light", "theme", "light"),
        ("down search", "down", "search"),
        ("filter !ready", "filter", "!ready"),
    ],
)
def test_parsing(typed: str, name: str, argument: str) -> None:
    command, found = parse(typed)
    assert (command.name, found) == (name, argument)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("frobnicate", "is no command"),
        ("st", "short for several"),
        ("quit now", "takes nothing"),
        ("theme", "needs"),
    ],
)
def test_mistakes_say_what_would_do(typed: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(typed)
    assert message in error.value.message
    assert error.value.hint


def test_suggestions() -> None:
    assert [command.name for command in suggestions("re")] == ["restart", "reconnect"]
    assert [command.name for command in suggestions("restart ind")] == ["restart"]
    assert suggestions("zzz") == ()
    assert len(suggestions("")) == len(COMMANDS)
    assert [command.name for command in suggestions("re", read_only=True)] == ["reconnect"]
