"""Our copy of the protocol is the protocol, and lives beside others' copies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import DescriptorProto
from tritonclient.grpc import service_pb2

from quarterdeck.engine.wire import inference_pb2

ROOT = Path(__file__).parents[3]
OURS = inference_pb2.DESCRIPTOR
THEIRS = service_pb2.DESCRIPTOR


def signature(message: Descriptor) -> dict[str, tuple[int, int, int, str]]:
    """Fields by name: number, type, repeated or not, name of a message."""
    plain = DescriptorProto()
    message.CopyToProto(plain)
    return {field.name: (field.number, field.type, field.label, field.type_name) for field in plain.field}


@pytest.mark.parametrize("name", sorted(OURS.message_types_by_name))
def test_names_numbers_and_types_are_those_of_tritons_client(name: str) -> None:
    ours, theirs = OURS.message_types_by_name[name], THEIRS.message_types_by_name[name]
    assert signature(ours).items() <= signature(theirs).items()
    for inner in ours.nested_types_by_name:
        nested = signature(ours.nested_types_by_name[inner]), signature(theirs.nested_types_by_name[inner])
        assert nested[0].items() <= nested[1].items()


def test_every_call_is_there_with_its_messages() -> None:
    theirs = THEIRS.services_by_name["GRPCInferenceService"].methods_by_name
    for method in OURS.services_by_name["GRPCInferenceService"].methods:
        other = theirs[method.name]
        assert (method.input_type.full_name, method.output_type.full_name) == (
            other.input_type.full_name,
            other.output_type.full_name,
        )


def test_what_is_committed_is_what_the_generator_writes() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "protoc.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
