"""What crosses the socket arrives as it left: values, differences of fleets, errors."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.engine import errors, model
from quarterdeck.engine.api import codec, faults
from quarterdeck.engine.api import control_pb2 as pb
from quarterdeck.engine.errors import EngineUnreachable, Mistake, QuarterdeckError, SpecError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INT32 = st.integers(0, 2**31 - 1)
TIME = st.floats(0, 4e9)
NAMES = st.sampled_from(["a/rep-0", "a/rep-1", "b/head", "gateway"])
pods = st.builds(
    model.PodStatus,
    topology=st.sampled_from(["one", "two"]), name=NAMES, deployment=TEXT, role=st.sampled_from(model.Role),
    shard=st.none() | INT32, replica=st.none() | INT32, runtime=st.sampled_from(model.Runtime),
    phase=st.sampled_from(model.Phase), reason=TEXT, host=TEXT, port=st.none() | INT32,
    port_monitoring=st.none() | INT32, gpu=st.none() | TEXT, pid=st.none() | INT32, run=INT32, restarts=INT32,
    exit_code=st.none() | st.integers(-64, 255), started_at=st.none() | TIME, ready_at=st.none() | TIME, since=TIME,
    next_try_at=st.none() | TIME, uses=TEXT,
)  # fmt: skip
deployments = st.builds(
    model.DeploymentStatus,
    topology=TEXT, name=TEXT, uses=TEXT, shards=INT32, replicas=INT32, needs=st.lists(TEXT, max_size=3).map(tuple),
    polling=TEXT, port=st.none() | INT32, restart=TEXT,
)  # fmt: skip
topologies = st.builds(
    model.TopologyStatus,
    name=TEXT,
    source=TEXT,
    digest=TEXT,
    created_at=TIME,
    gateway=st.booleans(),
    owner=TEXT,
)
infos = st.builds(
    model.EngineInfo,
    version=TEXT, pid=INT32, host=TEXT, started_at=TIME, socket=TEXT, home=TEXT, keeper_pid=st.none() | INT32,
    stays=st.booleans(), gpus=INT32, gpus_source=TEXT,
)  # fmt: skip
events = st.builds(
    model.Event,
    seq=st.integers(1, 2**62), time=TIME, level=st.sampled_from(model.Level), topology=TEXT, pod=TEXT, text=TEXT,
    phase=st.none() | st.sampled_from(model.Phase),
)  # fmt: skip
runs = st.builds(
    model.LogRun, run=INT32, path=TEXT, size=st.integers(0, 2**62), started_at=TIME, ended_at=st.none() | TIME,
    ending=TEXT,
)  # fmt: skip
chunks = st.builds(
    model.LogChunk, run=INT32, offset=st.integers(0, 2**62), data=st.binary(max_size=20),
    size=st.integers(0, 2**62), ended=st.booleans(),
)  # fmt: skip
keys = st.builds(model.PodKey, TEXT, TEXT)
details = st.builds(
    model.PodDetails,
    key=keys, command=TEXT, workspace=TEXT, env=st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple), probe=TEXT,
    restart=TEXT, limits=TEXT, attempts=TEXT, last_error=TEXT, log_end=st.lists(TEXT, max_size=3).map(tuple),
    history=st.lists(events, max_size=3).map(tuple), log_path=TEXT, blocked_by=TEXT, gpu_rule=TEXT,
    cannot=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
)  # fmt: skip
gpus = st.builds(
    model.Gpu,
    index=INT32, name=TEXT, uuid=TEXT, memory_used=st.none() | INT32, memory_total=st.none() | INT32,
    busy_percent=st.none() | TIME, pods=st.lists(keys, max_size=2).map(tuple), trouble=TEXT,
    processes=st.lists(
        st.builds(model.GpuProcess, INT32, st.none() | INT32, TEXT, TEXT, st.none() | keys), max_size=2
    ).map(tuple),
)  # fmt: skip
rounds = st.builds(
    model.Samples,
    time=TIME,
    host=st.just(model.HostSample()) | st.builds(model.HostSample, TIME, INT32, INT32),
    pods=st.dictionaries(keys, st.builds(model.Sample, st.none() | TIME, st.none() | INT32), max_size=3),
)
FLAT: list[tuple[st.SearchStrategy[Any], Any]] = [
    (pods, pb.PodStatus), (deployments, pb.DeploymentStatus), (topologies, pb.TopologyStatus),
    (infos, pb.EngineInfo), (events, pb.Event), (runs, pb.LogRun), (chunks, pb.LogChunk),
]  # fmt: skip


@pytest.mark.parametrize(("values", "message"), FLAT, ids=[kind.__name__ for _, kind in FLAT])
@given(data=st.data())
def test_flat_values(values: st.SearchStrategy[Any], message: Any, data: st.DataObject) -> None:
    value = data.draw(values)
    wire = codec.to_message(value, message).SerializeToString()
    back = codec.from_message(message.FromString(wire), type(value))
    assert back == value
    assert [type(getattr(back, name)) for name in value.__slots__] == [
        type(getattr(value, name)) for name in value.__slots__
    ]


@pytest.mark.parametrize(("values", "message"), FLAT, ids=[kind.__name__ for _, kind in FLAT])
def test_both_sides_have_the_same_fields(values: st.SearchStrategy[Any], message: Any) -> None:
    kind = getattr(model, message.__name__)
    assert [field.name for field in message.DESCRIPTOR.fields] == list(kind.__slots__)


@given(details)
def test_details(value: model.PodDetails) -> None:
    wire = codec.details_message(value).SerializeToString()
    assert codec.details_of(pb.PodDetails.FromString(wire)) == value


@given(gpus)
def test_gpus(value: model.Gpu) -> None:
    wire = codec.gpu_message(value).SerializeToString()
    assert codec.gpu_of(pb.Gpu.FromString(wire)) == value


@given(rounds)
def test_samples(value: model.Samples) -> None:
    wire = codec.samples_message(value).SerializeToString()
    assert codec.samples_of(pb.SampleRound.FromString(wire)) == value


# -- fleets


@st.composite
def fleets(draw: st.DrawFn) -> model.Fleet:
    return model.Fleet(
        draw(INT32),
        tuple(draw(st.lists(topologies, max_size=2))),
        tuple(draw(st.lists(deployments, max_size=2))),
        tuple(draw(st.lists(pods, max_size=5, unique_by=lambda pod: pod.key))),
    )


@st.composite
def successors(draw: st.DrawFn, fleet: model.Fleet) -> model.Fleet:
    """A later fleet: often with the same pods, some of which moved."""
    if draw(st.booleans()):
        return draw(fleets())
    moved = tuple(
        replace(pod, phase=draw(st.sampled_from(model.Phase)), port=draw(st.none() | INT32))
        if draw(st.booleans()) else pod
        for pod in fleet.pods
    )  # fmt: skip
    kept = draw(
        st.sampled_from([fleet.deployments, tuple(draw(st.lists(deployments, min_size=1, max_size=2)))])
    )
    return model.Fleet(fleet.revision + 1, fleet.topologies, kept, moved)


def sent(before: model.Fleet | None, after: model.Fleet) -> pb.FleetChange:
    return pb.FleetChange.FromString(codec.fleet_message(before, after).SerializeToString())


@given(st.data())
def test_applying_the_differences_gives_the_fleet(data: st.DataObject) -> None:
    fleet = data.draw(fleets())
    theirs = codec.apply(model.Fleet(), sent(None, fleet))
    assert theirs == fleet
    for _ in range(3):
        later = data.draw(successors(fleet))
        theirs = codec.apply(theirs, sent(fleet, later))
        assert theirs == later
        fleet = later


POD = model.PodStatus(
    "one", "a/rep-0", "a", model.Role.WORKER, 0, 0, model.Runtime.PROCESS, model.Phase.READY
)


def test_only_what_changed_is_sent_and_the_rest_keeps_its_objects() -> None:
    before = model.Fleet(1, (), (), (POD, replace(POD, name="a/rep-1")))
    after = replace(before, revision=2, pods=(POD, replace(POD, name="a/rep-1", phase=model.Phase.UNREADY)))
    change = sent(before, after)
    assert (change.whole, [pod.name for pod in change.pods]) == (False, ["a/rep-1"])
    theirs = codec.apply(before, change)
    assert theirs.pods[0] is before.pods[0]


def test_an_order_that_changed_is_sent_whole() -> None:
    other = replace(POD, name="a/rep-1")
    before, after = model.Fleet(1, pods=(POD, other)), model.Fleet(2, pods=(other, POD))
    assert codec.apply(codec.apply(model.Fleet(), sent(None, before)), sent(before, after)) == after


# -- errors

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, QuarterdeckError) and kind is not SpecError
]


def crossed(error: QuarterdeckError) -> QuarterdeckError:
    return faults.unpack(faults.pack(error))


@pytest.mark.parametrize("kind", KINDS)
@given(TEXT, TEXT)
def test_errors_keep_class_message_and_hint(kind: type[QuarterdeckError], message: str, hint: str) -> None:
    back = crossed(kind(message, hint))
    assert (type(back), back.message, back.hint, back.exit_code) == (kind, message, hint, kind.exit_code)


@given(
    st.lists(st.builds(Mistake, TEXT, TEXT, TEXT, st.none() | INT32, TEXT, TEXT), min_size=1, max_size=4).map(
        tuple
    )
)
def test_a_spec_error_keeps_its_mistakes(mistakes: tuple[Mistake, ...]) -> None:
    back = crossed(SpecError(mistakes))
    assert isinstance(back, SpecError)
    assert back.mistakes == mistakes
    assert back.message == SpecError(mistakes).message


def test_more_than_a_header_holds_is_cut_and_says_so() -> None:
    assert len(faults.pack(QuarterdeckError("ü" * 9_000, "漢" * 9_000))) < 8_192
    back = crossed(SpecError(tuple(Mistake(f"mistake {number}", "ü" * 50) for number in range(500))))
    assert isinstance(back, SpecError)
    kept = len(back.mistakes) - 1
    assert kept >= 10
    assert back.mistakes[-1] == Mistake(f"and {500 - kept} mistakes more")


def test_an_error_of_another_version_is_still_an_error() -> None:
    told = faults.pack(QuarterdeckError("it broke", "do this")).replace(b"QuarterdeckError", b"FutureError")
    back = faults.unpack(told)
    assert (type(back), back.message, back.hint) == (QuarterdeckError, "it broke", "do this")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, EngineUnreachable),
        (grpc.StatusCode.CANCELLED, EngineUnreachable),
        (grpc.StatusCode.UNIMPLEMENTED, EngineUnreachable),
        (grpc.StatusCode.INTERNAL, QuarterdeckError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, QuarterdeckError),
    ],
)
def test_what_a_broken_call_means(code: grpc.StatusCode, kind: type[QuarterdeckError]) -> None:
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "details")
    assert type(faults.translate(error)) is kind
