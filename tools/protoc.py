"""Generate the code of our .proto files, or with `--check` tell whether what is committed is up to date.

The generators' output is changed before it is written, so that it works in a user's environment: messages
of protocols that others generate too get a descriptor pool of their own, and no file insists on the very
version of protobuf or grpcio that generated it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Proto:
    """One source: where it stands under the import root, and what is made of it."""

    path: str
    service: bool
    """Whether client and server classes are wanted beside the messages."""
    private_pool: bool
    """Whether others may load messages of the same names into the same process."""

    @property
    def outputs(self) -> tuple[str, ...]:
        stem = self.path.removesuffix(".proto")
        names = ("_pb2.py", "_pb2.pyi") + (("_pb2_grpc.py", "_pb2_grpc.pyi") if self.service else ())
        return tuple(stem + name for name in names)


PROTOS = (
    Proto("quarterdeck/engine/wire/inference.proto", service=False, private_pool=True),
    Proto("quarterdeck/engine/wire/health.proto", service=False, private_pool=True),
    Proto("quarterdeck/engine/api/control.proto", service=True, private_pool=False),
)


def generate(proto: Proto, source: Path, target: Path) -> None:
    """Write the outputs of one source below `target`; raises `SystemExit` with the generator's words."""
    kinds = ["python_out", "mypy_out"] + (["grpc_python_out", "mypy_grpc_out"] if proto.service else [])
    beside = str(Path(sys.executable).parent)  # the mypy plugins are programs of the same environment
    done = subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{source}"]
        + [f"--{kind}={target}" for kind in kinds]
        + [str(source / proto.path)],
        env={**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{proto.path}: {done.stderr.strip()}")
    for output in proto.outputs:
        if output.endswith(".py"):
            file = target / output
            file.write_text(loosened(file.read_text(), proto))


def loosened(text: str, proto: Proto) -> str:
    """Generated Python without its version checks and, where wanted, with a pool of its own."""
    if "_pb2_grpc" in text and "GRPC_GENERATED_VERSION" in text:
        text = cut(text, r"^GRPC_GENERATED_VERSION = .*?^    \)\n", proto)
        return cut(text, r"^import warnings\n", proto)
    text = cut(text, r"^from google\.protobuf import runtime_version as _runtime_version\n", proto)
    text = cut(text, r"^_runtime_version\.ValidateProtobufRuntimeVersion\(.*?^\)\n", proto)
    if proto.private_pool:
        text = cut(text, r"_descriptor_pool\.Default\(\)", proto, "_descriptor_pool.DescriptorPool()")
    return text


def cut(text: str, pattern: str, proto: Proto, instead: str = "") -> str:
    """Replace the one match; a generator that writes otherwise must not go unseen."""
    text, count = re.subn(pattern, instead, text, flags=re.MULTILINE | re.DOTALL)
    if count != 1:
        raise SystemExit(f"{proto.path}: the generator's output has {count} matches for {pattern!r}, not 1")
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if something is stale")
    check: bool = parser.parse_args().check
    source = ROOT / ".src"
    stale: list[str] = []
    for proto in PROTOS:
        if not (source / proto.path).exists():
            continue
        with tempfile.TemporaryDirectory() as folder:
            generate(proto, source, Path(folder))
            for output in proto.outputs:
                new = (Path(folder) / output).read_text()
                old = source / output
                if not old.exists() or old.read_text() != new:
                    stale.append(output)
                    if not check:
                        old.write_text(new)
    for output in stale:
        print(f"{output} {'is stale; run tools/protoc.py' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
