"""The worker: gives requests to one executor's methods and answers with what they return."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc

from ..wire.datatypes import TensorError
from ..wire.inference_pb2 import ModelInferRequest, ModelInferResponse
from ..wire.join import join_parts, shards_of
from ..wire.names import STREAM_INFER, endpoint_of
from ..wire.scan import peek_model_name, request_as_response, streamed, streamed_error
from ..wire.tensors import inputs_of, parameters_of, parse_request, put_outputs, values_of, wants_raw
from .executor import DEFAULT, Executor, endpoints_of, taken_by
from .failure import Failure, to_log
from .load import Passthrough
from .streams import Context, Requests, Stream


@dataclass(frozen=True, slots=True)
class _Method:
    title: str
    call: Callable[..., Any]
    takes: frozenset[str]
    is_async: bool
    streams: bool
    """An async generator: each item is an answer."""


_END = object()


class Worker:
    """Serves one executor. `infer` takes and gives the bytes of the protocol's messages."""

    def __init__(self, executor: Executor, name: str) -> None:
        kind = type(executor)
        self._executor = executor
        self._name = name
        self._methods: dict[str, _Method] = {}
        for endpoint, attribute in endpoints_of(kind).items():
            call, title = getattr(executor, attribute), f"{kind.__name__}.{attribute}"
            is_async, streams = inspect.iscoroutinefunction(call), inspect.isasyncgenfunction(call)
            self._methods[endpoint] = _Method(title, call, taken_by(call, title), is_async, streams)
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
        return self._stream if method == STREAM_INFER else None

    async def infer(self, data: bytes, context: Context) -> bytes:
        """Answer one request; raises `Failure`."""
        if isinstance(self._executor, Passthrough):
            return self._passed(data)
        method, request, arguments = self._understood(data)
        if method.streams:
            details = f"{self._name}: {method.title} answers with a stream: call ModelStreamInfer"
            raise Failure(grpc.StatusCode.UNIMPLEMENTED, details)
        return self._answer(method, data, request, await self._run(method, arguments))

    async def _stream(self, requests: Requests, context: Context) -> None:
        """Answer one request after another; one that fails is told so, and the stream goes on."""
        async for data in requests:
            try:
                async for answer in self._answers(data):
                    await context.write(streamed(answer))
            except Failure as failure:
                await context.write(streamed_error(failure.details))

    async def _answers(self, data: bytes) -> AsyncIterator[bytes]:
        """Each answer to one request: one, or all that a method yields. Raises `Failure`."""
        if isinstance(self._executor, Passthrough):
            yield self._passed(data)
            return
        method, request, arguments = self._understood(data)
        if not method.streams:
            yield self._answer(method, data, request, await self._run(method, arguments))
            return
        async with contextlib.aclosing(method.call(**arguments)) as items:
            while (item := await self._next(method, items)) is not _END:
                yield self._answer(method, data, request, item)

    async def _next(self, method: _Method, items: AsyncIterator[Any]) -> Any:
        try:
            return await anext(items, _END)
        except (Exception, SystemExit) as error:
            to_log(error)
            raise self._fault(method, f"{type(error).__name__}: {error}") from None

    def _passed(self, data: bytes) -> bytes:
        try:
            return request_as_response(data)
        except TensorError as error:
            raise self._misunderstood(error) from None

    def _understood(self, data: bytes) -> tuple[_Method, ModelInferRequest, dict[str, Any]]:
        """Which method is asked for, and with what; raises `Failure`."""
        try:
            method = self._method(peek_model_name(data))
            request = parse_request(data)
            return method, request, _arguments(method, request)
        except TensorError as error:
            raise self._misunderstood(error) from None

    def _misunderstood(self, error: TensorError) -> Failure:
        return Failure(grpc.StatusCode.INVALID_ARGUMENT, f"{self._name}: {error}")

    def _answer(self, method: _Method, data: bytes, request: ModelInferRequest, result: object) -> bytes:
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

        # In the caller's context: whose the thread is shows there, and what a user keeps in it.
        call_in = partial(contextvars.copy_context().run, run)
        return await asyncio.get_running_loop().run_in_executor(self._thread, call_in)

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

    def join(self) -> None:
        """After `close`: wait, blocking, until the thread is out of the executor's code."""
        self._thread.shutdown(wait=True)


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
