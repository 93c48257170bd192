"""The command line: one table of commands, and what a typed line means. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.engine.errors import UsageError


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the command line."""

    name: str
    argument: str
    """What it takes, as shown: `TARGET`, `dark, light`; empty for nothing."""
    help: str
    changes: bool = False


COMMANDS: tuple[Command, ...] = (
    Command("restart", "[TARGET]", "end and start again", changes=True),
    Command("stop", "[TARGET]", "end, until started again", changes=True),
    Command("start", "[TARGET]", "start what is stopped or has failed", changes=True),
    Command("down", "[TOPOLOGY]", "close a topology; its name must be typed", changes=True),
    Command("go", "TARGET", "put the cursor on it"),
    Command("filter", "[REGEX]", "show matching pods; nothing shows all"),
    Command("logs", "", "the logs of what the cursor is on"),
    Command("details", "", "its details"),
    Command("events", "", "its events"),
    Command("theme", "dark, light, high-contrast", "other colours"),
    Command("reconnect", "", "drop the line and dial again"),
    Command("help", "", "all keys"),
    Command("quit", "", "leave the console"),
)
SHORT = {"q": "quit", "h": "help"}


def suggestions(typed: str, read_only: bool = False) -> tuple[Command, ...]:
    """Commands that what was typed can become."""
    word, blank, _ = typed.lstrip().partition(" ")
    usable = [command for command in COMMANDS if not (read_only and command.changes)]
    if blank or word in SHORT:
        return tuple(command for command in usable if command.name == SHORT.get(word, word))
    return tuple(command for command in usable if command.name.startswith(word))


def parse(typed: str) -> tuple[Command, str]:
    """Command and argument. Raises UsageError with what would do."""
    word, _, argument = typed.strip().partition(" ")
    word = SHORT.get(word, word)
    found = [command for command in COMMANDS if command.name == word]
    if not found:
        found = [command for command in COMMANDS if word and command.name.startswith(word)]
    if len(found) != 1:
        names = ", ".join(command.name for command in (found or COMMANDS))
        raise UsageError(
            f"`{word}` is no command" if not found else f"`{word}` is short for several", f"try: {names}"
        )
    command = found[0]
    argument = argument.strip()
    if argument and not command.argument:
        raise UsageError(f"`{command.name}` takes nothing", f"try: {command.name}")
    if not argument and command.argument and not command.argument.startswith("["):
        raise UsageError(f"`{command.name}` needs {command.argument}", command.help)
    return command, argument
