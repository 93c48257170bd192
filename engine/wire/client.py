"""A client of pods: tensors in, the response out; every failure is a `RequestError`."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import grpc
from grpc import aio

from ..errors import RequestError
from .channel import bytes_call, open_channel
from .datatypes import TensorError
from .inference_pb2 import ModelInferRequest, ModelInferResponse
from .names import INFER, endpoint_of, model_of
from .tensors import Parameter, parse_response, put_inputs, put_parameters

_HINTS = {
    grpc.StatusCode.UNAVAILABLE: "see with `qd ps` whether its pods are ready",
    grpc.StatusCode.DEADLINE_EXCEEDED: "give it more time",
    grpc.StatusCode.INTERNAL: "the pod's log has the traceback",
}


class InferenceClient:
    """Sends requests to one pod; as an async context manager it closes its channel."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._channel = open_channel(address)
        self._infer = bytes_call(self._channel, INFER)

    async def infer(
        self,
        endpoint: str,
        tensors: Mapping[str, Any],
        parameters: Mapping[str, Parameter] | None = None,
        timeout: float | None = None,
        *,
        raw: bool = True,
        id: str = "",
    ) -> ModelInferResponse:
        """Answer to one request; `timeout` in seconds, None waits for ever. Raises `RequestError`."""
        request = ModelInferRequest(model_name=model_of(endpoint), id=id)
        where = f"{self.address}{endpoint_of(endpoint)}"
        try:
            put_inputs(request, tensors, raw)
            put_parameters(request.parameters, parameters or {})
            return parse_response(await self._infer(request.SerializeToString(), timeout=timeout))
        except TensorError as error:
            raise RequestError(f"{where}: {error}") from None
        except aio.AioRpcError as error:
            message = f"{where}: {error.code().name}: {error.details()}"
            raise RequestError(message, _HINTS.get(error.code(), "")) from None

    async def close(self) -> None:
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
