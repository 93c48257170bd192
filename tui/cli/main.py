"""`qd`: picks the verb, and turns whatever goes wrong into one message and an exit code.

Exit codes: 0 done, 1 it failed, 2 your input, 3 no engine, 130 interrupted. Only the module of the chosen verb
is imported.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from quarterdeck import __version__
from quarterdeck.engine.errors import QuarterdeckError, SpecError

VERBS: dict[str, str] = {
    "up": "start a topology from its file",
    "attach": "open the console on what runs",
    "demo": "run a full-text search in two shards, with traffic, and watch it",
    "ps": "list pods",
    "logs": "show what pods printed",
    "diff": "show what `up` of a changed file would change",
    "scale": "give deployments another number of replicas",
    "restart": "restart pods, with --rolling one replica at a time",
    "stop": "stop pods",
    "start": "start pods that were stopped or have failed",
    "kill": "send a signal to pods (KILL when none is named)",
    "down": "close topologies",
    "plan": "show what a file would start; starts nothing",
    "send": "send a request, or a steady load",
    "exec": "run a command in a pod's environment and folder",
    "gpus": "show this host's GPUs, and who uses them",
    "wait": "wait until pods are ready or stopped",
    "events": "show what happened",
    "engine": "start, stop or look at the engine",
    "doctor": "look for what is wrong on this host, and say what would help",
}
DESCRIPTION = "Quarterdeck: a terminal console for model-serving deployments."
EXAMPLE = """\
first steps:
  qd demo                        a search engine in nine pods, with traffic
  qd up topology.yml             start a topology and watch it

`qd VERB --help` shows a verb's options and an example."""


def verb_module(verb: str) -> ModuleType:
    """The module of a verb."""
    return import_module(f".{verb}", __package__)


def overview() -> str:
    """The page of `qd --help`."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {line}" for verb, line in VERBS.items())
    return (
        f"usage: qd [VERB] [options]\n\n{DESCRIPTION}\nWithout a verb it opens the console.\n\n"
        f"verbs:\n{verbs}\n\n{EXAMPLE}"
    )


def parse(verb: str, arguments: Sequence[str]) -> argparse.Namespace:
    """The verb's options; argparse ends the program with code 2 on a wrong one."""
    module = verb_module(verb)
    parser = argparse.ArgumentParser(
        prog=f"qd {verb}",
        description=VERBS[verb][0].upper() + VERBS[verb][1:] + ".",
        epilog=f"example:\n{module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.configure(parser)
    parser.set_defaults(run=module.run)
    return parser.parse_args(arguments)


def unknown(verb: str) -> int:
    """Say that there is no such verb."""
    from difflib import get_close_matches

    close = get_close_matches(verb, VERBS, n=1)
    hint = f"did you mean {close[0]}?" if close else "see: qd --help"
    print(f"qd: {verb} is not a verb; {hint}", file=sys.stderr)
    return 2


def dispatch(arguments: Sequence[str]) -> int:
    """Run one verb; QuarterdeckErrors pass through."""
    match list(arguments):
        case ["--version" | "-V", *_]:
            print(f"quarterdeck {__version__}")
            return 0
        case ["--help" | "-h" | "help"]:
            print(overview())
            return 0
        case [verb, *rest] if verb in VERBS:
            args = parse(verb, rest)
        case [option, *_] if not option.startswith("-"):
            return unknown(option)
        case rest:
            args = parse("attach", rest)
    return int(args.run(args))


def complain(error: QuarterdeckError) -> None:
    """One line a mistake, on standard error."""
    if isinstance(error, SpecError):
        for mistake in error.mistakes:
            print(f"qd: {mistake}", file=sys.stderr)
        return
    print(f"qd: {error}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `qd` and `quarterdeck`."""
    try:
        try:
            return dispatch(sys.argv[1:] if arguments is None else arguments)
        except QuarterdeckError as error:
            complain(error)
            return error.exit_code
        except KeyboardInterrupt:
            return 130
        finally:
            print(end="", flush=True)  # here, where a reader that has gone can still be told from a fault
    except BrokenPipeError:
        # Whoever read our output has gone; flushing at exit must not complain of that again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
