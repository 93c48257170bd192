"""From `uses` to an executor: finds the user's file or module, imports it, makes the object."""

from __future__ import annotations

import importlib
import inspect
import logging
import sys
import sysconfig
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from ..plan.job import Job
from .executor import Executor, endpoints_of, taken_by

FILES = "executor_files"
"""Package that a user's file becomes a module of, so that `from .beside import x` works in it."""


class LoadError(Exception):
    """`uses` can't be made an executor; says what is wrong and what would do."""


def load(job: Job) -> Executor:
    """The job's executor; `LoadError` if `uses` is at fault, else whatever the user's code raises."""
    extend_path(job)
    kind = Passthrough if job.uses is None else find(job.uses)
    executor = kind.__new__(kind)
    executor.shard, executor.replica, executor.shards = job.shard, job.replica, job.shards
    executor.name, executor.workspace = job.name, Path(job.workspace or job.cwd)
    executor.workspace.mkdir(parents=True, exist_ok=True)
    executor.logger = logging.getLogger(kind.__name__)
    _check_methods(kind, executor)
    _check_arguments(kind, executor, job)
    kind.__init__(executor, **job.uses_with)
    return executor


def _check_methods(kind: type[Executor], executor: Executor) -> None:
    try:
        endpoints = endpoints_of(kind)
        for method in endpoints.values():
            taken_by(getattr(executor, method), f"{kind.__name__}.{method}")
    except TypeError as error:
        raise LoadError(str(error)) from None
    if not endpoints and kind is not Passthrough:
        executor.logger.warning("%s serves nothing; mark a method with @requests", kind.__name__)


def _check_arguments(kind: type[Executor], executor: Executor, job: Job) -> None:
    try:
        inspect.signature(executor.__init__).bind(**job.uses_with)  # type: ignore[misc]
    except TypeError as error:
        given = ", ".join(job.uses_with) or "nothing"
        raise LoadError(f"{kind.__name__}: {error}; uses_with gives {given}") from None


class Passthrough(Executor):
    """The default executor: what comes in goes out. The worker answers it without looking inside."""


def extend_path(job: Job) -> None:
    """Put the user's folders before others on the import path: the file's, `py_modules`, the job's own."""
    folders = []
    if job.uses is not None and ":" in job.uses:
        folders.append(Path(job.uses.rpartition(":")[0]).parent)
    for name in job.py_modules:
        path = Path(name)
        is_package = path.is_file() or (path / "__init__.py").exists()
        folders.append(path.parent if is_package else path)
    folders.append(Path(job.cwd))
    sys.path[:0] = [text for text in dict.fromkeys(map(str, folders)) if text not in sys.path]


def find(uses: str) -> type[Executor]:
    """The class that `/abs/file.py:Class` or `module.Class` names."""
    if ":" in uses:
        place, _, name = uses.rpartition(":")
        module = _import_file(Path(place))
    else:
        place, _, name = uses.rpartition(".")
        if not place:
            raise LoadError(f"{uses!r} names no module; write module.Class or file.py:Class")
        module = _import_module(place)
    kind = getattr(module, name, None)
    if kind is None:
        raise LoadError(f"{place} has no class {name!r}{_others(module)}")
    if not isinstance(kind, type) or not issubclass(kind, Executor):
        raise LoadError(f"{place}: {name} is not an executor; derive it from quarterdeck.Executor")
    return kind


def _others(module: ModuleType) -> str:
    names = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Executor) and value is not Executor
    ]
    return f"; it has {', '.join(names)}" if names else ""


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise LoadError(f"there is no module {error.name!r}; py_modules puts folders on its path") from None


def _import_file(path: Path) -> ModuleType:
    known = sys.modules.get(f"{FILES}.{path.stem}")
    if known is not None and known.__file__ == str(path):
        return known  # another thread's pod has it already
    if not path.is_file():
        raise LoadError(f"there is no file {path}")
    package = ModuleType(FILES)
    package.__path__ = [str(path.parent)]
    sys.modules[FILES] = package
    spec = spec_from_file_location(f"{FILES}.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]  # the next who wants it is to see what is wrong too
        raise
    return module


def reason(error: BaseException) -> str:
    """One line: where in the user's code it happened, what it is, and its message."""
    text = " ".join(str(error).split())
    if isinstance(error, LoadError):
        return text
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return what
    frame = next((frame for frame in reversed(frames) if _is_users(frame.filename)), frames[-1])
    return f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}: {what}"


def _is_users(filename: str) -> bool:
    """Whether the file is neither Python's, nor installed, nor ours."""
    ours = str(Path(__file__).parent)
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    return not filename.startswith((ours, "<frozen", *libraries))
