"""`qd send`: one request and its answer, or a steady load and what became of it."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quarterdeck.engine.errors import RequestError, TargetError, UsageError
from quarterdeck.engine.model import Fleet, PodStatus, Role
from quarterdeck.engine.target import find

from .session import add_socket, home_of, present, with_engine

if TYPE_CHECKING:
    from quarterdeck.engine.api.client import Client
    from quarterdeck.engine.wire.client import InferenceClient

EXAMPLE = """\
  qd send search --endpoint /search --data '{"query": ["context manager"]}'
  qd send search --endpoint /search --data - --rate 50 --for 10 < request.json"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "qd send TARGET [options]"
    parser.add_argument("target", help="a topology (its gateway), a deployment (its head), or a pod")
    parser.add_argument("--endpoint", default="/", metavar="/X", help="which of the executor's (default: /)")
    parser.add_argument(
        "--data", default="{}", metavar="JSON", help="an object of named tensors; @FILE, or - for stdin"
    )
    parser.add_argument("--timeout", type=float, default=30.0, metavar="S", help="seconds (default: 30)")
    parser.add_argument("--ca", metavar="FILE", help="speak TLS; whom to trust, or the pod's own certificate")
    parser.add_argument("--tls", action="store_true", help="speak TLS; whom to trust, the system knows")
    parser.add_argument("--tls-name", default="", metavar="NAME", help="what the certificate must be for")
    parser.add_argument("--token", metavar="TOKEN", help="what the pod asks for; @FILE reads it from a file")
    parser.add_argument(
        "--metadata", action="append", default=[], metavar="K=V", help="send this too (may be repeated)"
    )
    parser.add_argument("--rate", type=float, metavar="R", help="requests a second, with --for")
    parser.add_argument("--for", dest="seconds", type=float, metavar="S", help="seconds of load")
    add_socket(parser)


def run(args: argparse.Namespace) -> int:
    if (args.rate is None) != (args.seconds is None):
        raise UsageError("--rate and --for go together", "for example: --rate 20 --for 10")
    if args.rate is not None and not 0 < args.rate <= 100_000:
        raise UsageError(f"--rate {args.rate:g} is not a rate", "say requests a second, above 0")
    for option, seconds in (("--for", args.seconds), ("--timeout", args.timeout)):
        if seconds is not None and not seconds > 0:
            raise UsageError(f"{option} {seconds:g} is no time", "say seconds, above 0")
    args.token, args.metadata = _token(args.token), _metadata(args.metadata)
    tensors = read_tensors(args.data)
    return with_engine(home_of(args), lambda client: _deliver(client, tensors, args))


def read_tensors(text: str) -> dict[str, Any]:
    """The named tensors of `--data`. Raises UsageError for what is no JSON object, or no tensor."""
    from quarterdeck.engine.wire.tensors import from_json

    where = "--data"
    try:
        if text == "-":
            where, text = "standard input", sys.stdin.read()
        elif text.startswith("@"):
            where = text[1:]
            text = Path(where).read_text()
        return dict(from_json(json.loads(text)))
    except OSError as error:
        raise UsageError(f"--data: {where}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        message = f"{where}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise UsageError(message, 'say for example: {"query": ["context manager"]}') from None
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None


def _token(text: str | None) -> str | None:
    if text is None or not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not text"
        raise UsageError(f"--token: {text[1:]}: {why}") from None


def _metadata(entries: list[str]) -> dict[str, str]:
    found = {}
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not (
            equals and re.fullmatch(r"[a-z0-9_.-]+", key.lower()) and value.isascii() and value.isprintable()
        ):
            raise UsageError(
                f"--metadata {entry!r} is not an entry",
                "say KEY=VALUE, in plain letters: --metadata team=search",
            )
        found[key.lower()] = value
    return found


async def _deliver(client: Client, tensors: dict[str, Any], args: argparse.Namespace) -> int:
    return await _send(front_door(await present(client), args.target), tensors, args)


def front_door(fleet: Fleet, target: str) -> str:
    """The address that a request to `target` goes to. Raises TargetError where there is no single one."""
    pods = find(fleet, target)
    front = _front(fleet, pods)
    if front is None:
        names = ", ".join(pod.name for pod in pods[:6])
        raise TargetError(
            f"{target} has no single address: {names}", "send to one of these, or to its gateway"
        )
    if front.address is None or not front.phase.alive:
        raise TargetError(
            f"{front.topology}/{front.name} is {front.phase.value}"
            + (f": {front.reason}" if front.reason else ""),
            f"see: qd wait {front.topology}",
        )
    return front.address


def _front(fleet: Fleet, pods: tuple[PodStatus, ...]) -> PodStatus | None:
    if len(pods) == 1:
        return pods[0]
    if pods == fleet.of(pods[0].topology):
        gateway = next((pod for pod in pods if pod.role is Role.GATEWAY), None)
        if gateway is not None:
            return gateway
    if len({(pod.topology, pod.deployment) for pod in pods}) == 1:
        head = next((pod for pod in pods if pod.role is Role.HEAD), None)
        if head is not None:
            return head
        return next((pod for pod in pods if pod.ready), None)
    return None


async def _send(address: str, tensors: dict[str, Any], args: argparse.Namespace) -> int:
    from quarterdeck.engine.wire.client import InferenceClient
    from quarterdeck.engine.wire.tensors import to_json

    async with InferenceClient(
        address, tls=args.tls, ca=args.ca or "", name=args.tls_name, token=args.token, metadata=args.metadata
    ) as client:
        if args.rate is not None:
            return await _load(client, tensors, args)
        answer = await client.infer(args.endpoint, tensors, timeout=args.timeout)
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(to_json(answer), indent=indent, ensure_ascii=not sys.stdout.isatty()))
    return 0


@dataclass(slots=True)
class Tally:
    """What became of a load."""

    seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def report(self, elapsed: float) -> str:
        """Two lines for a person; a line more for each kind of error."""
        sent = len(self.seconds) + self.errors.total()
        lines = [f"{sent} sent in {elapsed:.1f}s, {len(self.seconds)} answered, {self.errors.total()} failed"]
        if self.seconds:
            ordered = sorted(self.seconds)
            p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * q))] for q in (0.5, 0.99))
            rate = len(ordered) / elapsed
            lines.append(f"{rate:.1f} answers/s, p50 {p50 * 1e3:.1f}ms, p99 {p99 * 1e3:.1f}ms")
        lines += [f"{count} x {text}" for text, count in self.errors.most_common(5)]
        return "\n".join(lines)


async def _load(client: InferenceClient, tensors: dict[str, Any], args: argparse.Namespace) -> int:
    tally, running = Tally(), set[asyncio.Task[None]]()
    start = time.monotonic()

    async def one() -> None:
        began = time.monotonic()
        try:
            await client.infer(args.endpoint, tensors, timeout=args.timeout)
            tally.seconds.append(time.monotonic() - began)
        except RequestError as error:
            tally.errors[str(error)] += 1

    for number in range(round(args.rate * args.seconds)):
        await asyncio.sleep(start + number / args.rate - time.monotonic())
        task = asyncio.create_task(one())
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    print(tally.report(time.monotonic() - start))
    return 1 if tally.errors else 0
