"""What a person wants done: verbs on pods, with the question that comes before what takes capacity away.

Nothing here changes what the screen shows; the engine's stream does.
"""

from __future__ import annotations

import signal as signals
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from quarterdeck.engine.control import Verb
from quarterdeck.engine.errors import QuarterdeckError
from quarterdeck.engine.model import Fleet, Phase, PodStatus, Role
from quarterdeck.widgets.measure import several

from .session import Session

CANCEL = "cancel"
LEAVE = "leave"
DO = "do"

SIGNALS: tuple[tuple[str, str], ...] = (
    ("TERM", "end, with grace for what is in flight"),
    ("INT", "as ^c would"),
    ("KILL", "end at once; what is in flight is lost"),
    ("HUP", "many read their settings anew, others end"),
    ("USR1", "what the program makes of it, others end"),
)


@dataclass(frozen=True, slots=True)
class Button:
    """A choice: what it answers and what it says."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A dialog. The first button is the default; `typed` must be typed before the last one works."""

    title: str
    body: tuple[str, ...]
    buttons: tuple[Button, ...]
    facts: tuple[tuple[str, str], ...] = ()
    typed: str = ""


Ask = Callable[[Question], Awaitable[str]]
Say = Callable[[str, str, bool], None]
"""Title, text, whether it is an error."""


def concerned(verb: Verb, pods: Sequence[PodStatus]) -> tuple[PodStatus, ...]:
    """The pods that a verb does something to."""
    match verb:
        case Verb.START:
            return tuple(pod for pod in pods if pod.phase in (Phase.STOPPED, Phase.FAILED, Phase.BACKOFF))
        case Verb.STOP:
            return tuple(pod for pod in pods if pod.phase not in (Phase.STOPPED, Phase.STOPPING))
        case Verb.KILL:
            return tuple(pod for pod in pods if pod.phase.alive)
        case Verb.RESTART:
            return tuple(pods)


def question_of(verb: Verb, name: str, pods: Sequence[PodStatus], fleet: Fleet) -> Question | None:
    """What to ask before the verb is done to `pods`; None where it takes no capacity away.

    Asked for: more than one pod, a head, a gateway, the last ready replica.
    """
    ending = [pod for pod in pods if pod.phase.alive]
    if verb is Verb.START or not ending:
        return None
    word = {Verb.STOP: "stop", Verb.RESTART: "restart", Verb.KILL: "signal", Verb.START: "start"}[verb]
    again = "until it is started again" if verb is Verb.STOP else "until it is ready again"
    if len(pods) > 1:
        does = "end" if verb is not Verb.RESTART else "end and start again"
        body = (
            f"{several(len(pods), 'pod')} of {name} {does};",
            f"{again.replace('it is', 'they are')}, requests wait or fail",
        )
        label = f"{word} {several(len(pods), 'pod')}"
    else:
        pod = ending[0]
        loss = _loss(pod, fleet)
        if not loss:
            return None
        body = (loss, f"{again}, requests wait or fail")
        label = f"{word} {pod.name.rpartition('/')[2]}"
    return Question(f"{word} {name}?", body, (Button(CANCEL, "cancel"), Button(DO, label)), _facts(pods))


def _loss(pod: PodStatus, fleet: Fleet) -> str:
    """What goes with a single pod; empty when others serve on."""
    if pod.role is Role.GATEWAY:
        return f"the gateway is the only way into {pod.topology}"
    if pod.role is Role.HEAD:
        return f"the head is the only way into {pod.deployment or pod.topology}"
    group = pod.name.rpartition("/")[0]
    if pod.replica is None or pod.name.startswith(f"{pod.deployment}/uses_"):
        return f"nothing else does the work of {pod.name}"
    others = (
        other
        for other in fleet.of(pod.topology)
        if other.deployment == pod.deployment and other.shard == pod.shard and other.replica is not None
    )
    if any(other.ready and other.key != pod.key for other in others):
        return ""
    return f"no other replica of {group or pod.topology} is ready"


def _facts(pods: Sequence[PodStatus]) -> tuple[tuple[str, str], ...]:
    if len(pods) < 2:
        return ()
    special = [
        pod.name.rpartition("/")[2] for pod in pods if pod.role is not Role.WORKER or pod.replica is None
    ]
    names = special[:4] + (["…"] if len(special) > 4 else [])
    return (("among them", ", ".join(names)),) if special else ()


def down_question(topology: str, count: int) -> Question:
    """Before a whole topology is closed."""
    return Question(
        f"stop {topology}?",
        (f"all {several(count, 'pod')} of it end; logs stay",),
        (Button(CANCEL, "cancel"), Button(DO, f"stop {several(count, 'pod')}")),
        typed=topology,
    )


def quit_question(topology: str, count: int) -> Question:
    """Before a console goes that owns a topology."""
    return Question(
        "quit the console?",
        (f"{topology} was started by this console: {several(count, 'pod')}",),
        (Button(LEAVE, "leave running"), Button(DO, "stop it"), Button(CANCEL, "cancel")),
    )


class Intents:
    """Does verbs through the session's line; asks with `ask`, tells errors and their hints with `say`."""

    def __init__(self, session: Session, ask: Ask, say: Say) -> None:
        self._session = session
        self._ask = ask
        self._say = say

    async def act(
        self, verb: Verb, name: str, pods: Sequence[PodStatus], fleet: Fleet, signal: str = ""
    ) -> bool:
        """A verb on pods, after its question. True when the engine has accepted it."""
        if self.refused():
            return False
        chosen = concerned(verb, pods)
        if not chosen:
            self._say(f"nothing to {verb.value}", f"{name} is {_state(pods)}", False)
            return False
        question = question_of(verb, name, chosen, fleet)
        if question is not None and await self._ask(question) != DO:
            return False
        number = int(signals.Signals[f"SIG{signal}"]) if signal else 0
        keys = [pod.key for pod in chosen]
        return await self._try(f"{verb.value} {name}", lambda: self._session.engine().act(verb, keys, number))

    async def down(self, topology: str, fleet: Fleet) -> bool:
        """Close a topology, after its name was typed."""
        if self.refused():
            return False
        pods = fleet.of(topology)
        if await self._ask(down_question(topology, len(pods))) != DO:
            return False
        return await self._try(f"stop {topology}", lambda: self._session.engine().down([topology]))

    async def quit(self, fleet: Fleet) -> bool:
        """Whether the console may go; an owned topology is left running or stopped first, as answered."""
        owns = self._session.owns
        if owns is None or self._session.control is None or not fleet.of(owns):
            return True
        match await self._ask(quit_question(owns, len(fleet.of(owns)))):
            case "leave":
                return True
            case "do":
                self._say(f"stopping {owns}", "the console goes when all its pods have ended", False)
                return await self._try(f"stop {owns}", lambda: self._session.engine().down([owns]))
            case _:
                return False

    def refused(self) -> bool:
        """Whether this console changes nothing; it says so."""
        if self._session.read_only:
            self._say("read only", "this console was opened with --read-only", True)
        return self._session.read_only

    async def _try(self, what: str, verb: Callable[[], Awaitable[None]]) -> bool:
        try:
            await verb()
        except QuarterdeckError as error:
            self._say(f"{what}: {error.title}", str(error), True)
            return False
        return True


def _state(pods: Sequence[PodStatus]) -> str:
    words = list(dict.fromkeys(pod.phase.value for pod in pods))
    return words[0] if len(words) == 1 else ", ".join(words) or "gone"
