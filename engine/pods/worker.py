"""The worker: gives requests to one executor's methods and answers with what they return."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from grpc import aio

from ..wire.datatypes import TensorError
from ..wire.inference_pb2 import ModelInferRequest, ModelInferResponse
from ..wire.join import join_parts, shards_of
from ..wire.names import endpoint_of
from ..wire.scan import peek_model_name, request_as_response
from ..wire.tensors import inputs_of, parameters_of, parse_request, put_outputs, values_of, wants_raw
from .executor import DEFAULT, Executor, endpoints_of, taken_by
from .failure import Failure, to_log
from .load import Passthrough
from .streams import Stream


@dataclass(frozen=True, slots=True)
class _Method:
    title: str
    call: Callable[..., Any]
    takes: frozenset[str]
    is_async: bool


class Worker:
    """Serves one executor. `infer` takes and gives the bytes of the protocol's messages."""

    def __init__(self, executor: Executor, name: str) -> None:
        kind = type(executor)
        self._executor = executor
        self._name = name
        self._methods: dict[str, _Method] = {}
        for endpoint, attribute in endpoints_of(kind).items():
            call, title = getattr(executor, attribute), f"{kind.__name__}.{attribute}"
            is_async = inspect.iscoroutinefunction(call)
            self._methods[endpoint] = _Method(title, call, taken_by(call, title), is_async)
        self._thread = ThreadPoolExecutor(1, "requests")
        self._busy = False
        """Whether the thread is in the executor's code now."""

    def ready(self) -> bool:
        return True

    def serves(self, model: str) -> bool:
        """Whether a request to this model would find a method."""
        known = self._methods
        return isinstance(self._executor, Passthrough) or endpoint_of(model) in known or DEFAULT in known

    def stream(self, method: str) -> Stream | None:
        """Of calls that not every pod has, the protocol's own stream is served."""
        return None

    async def infer(self, data: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        """Answer one request; raises `Failure`."""
        try:
            if isinstance(self._executor, Passthrough):
                return request_as_response(data)
            method = self._method(peek_model_name(data))
            request = parse_request(data)
            arguments = _arguments(method, request)
        except TensorError as error:
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, f"{self._name}: {error}") from None
        result = await self._run(method, arguments)
        if result is None:
            return request_as_response(data)
        return self._response(method, request, result).SerializeToString()

    def _method(self, model: str) -> _Method:
        endpoint = endpoint_of(model)
        method = self._methods.get(endpoint) or self._methods.get(DEFAULT)
        if method is None:
            known = ", ".join(sorted(self._methods)) or "none"
            what = f"{type(self._executor).__name__} has no endpoint {endpoint}; it has {known}"
            raise Failure(grpc.StatusCode.NOT_FOUND, f"{self._name}: {what}")
        return method

    async def _run(self, method: _Method, arguments: Mapping[str, Any]) -> Any:
        try:
            if method.is_async:
                return await method.call(**arguments)
            return await self._in_thread(partial(method.call, **arguments))
        except (Exception, SystemExit) as error:
            to_log(error)
            raise self._fault(method, f"{type(error).__name__}: {error}") from None

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        def run() -> Any:
            self._busy = True
            try:
                return call()
            finally:
                self._busy = False

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _fault(self, method: _Method, what: str) -> Failure:
        return Failure(grpc.StatusCode.INTERNAL, f"{self._name}: {method.title}: {what}")

    def _response(self, method: _Method, request: ModelInferRequest, result: object) -> ModelInferResponse:
        if not isinstance(result, Mapping):
            raise self._fault(method, f"returned {type(result).__name__}, not a dict of named tensors")
        if request.outputs:
            result = self._chosen(method, request, result)
        response = ModelInferResponse(model_name=request.model_name, id=request.id)
        try:
            put_outputs(response, result, wants_raw(request))
        except TensorError as error:
            raise self._fault(method, f"returned what can't be sent: {error}") from None
        return response

    def _chosen(
        self, method: _Method, request: ModelInferRequest, result: Mapping[str, Any]
    ) -> dict[str, Any]:
        wanted = [output.name for output in request.outputs]
        for name in wanted:
            if name not in result:
                message = f"{self._name}: {method.title} has no output {name!r}; it has {', '.join(result)}"
                raise Failure(grpc.StatusCode.INVALID_ARGUMENT, message)
        return {name: result[name] for name in wanted}

    async def close(self) -> bool:
        """Run the executor's `close`; whatever it raises ends in the log.

        False where the thread is still in a method that did not end in time: nothing can stop it, `close`
        would have to wait for it, and so would the interpreter's own exit.
        """
        ended = not self._busy
        try:
            if inspect.iscoroutinefunction(self._executor.close):
                await self._executor.close()
            elif ended:
                await self._in_thread(self._executor.close)
            else:
                self._executor.logger.warning("close() is not run: a request is still being served")
        except Exception as error:
            to_log(error)
        self._thread.shutdown(wait=False, cancel_futures=True)
        return ended


def _arguments(method: _Method, request: ModelInferRequest) -> dict[str, Any]:
    """What the method takes of the request; raises `TensorError`."""
    arguments: dict[str, Any] = {}
    if "parameters" in method.takes:
        arguments["parameters"] = parameters_of(request.parameters)
    shards = shards_of(request)
    if "shards" in method.takes:
        one_each = [inputs_of(request)] if shards is None else [values_of(parts) for _, parts in shards]
        arguments["shards"] = one_each
    if "tensors" in method.takes:
        arguments["tensors"] = inputs_of(request) if shards is None else values_of(join_parts(shards))
    return arguments
