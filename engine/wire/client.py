"""A client of pods: tensors in, the response out; every failure is a `RequestError`."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import grpc
from grpc import aio

from ..errors import RequestError
from .channel import bytes_call, host_of, open_channel
from .datatypes import TensorError
from .inference_pb2 import ModelInferRequest, ModelInferResponse
from .names import INFER, endpoint_of, model_of
from .tensors import Parameter, parse_response, put_inputs, put_parameters
from .way import Way, WayError, distrust, name_in, way_of

_HINTS = {
    grpc.StatusCode.UNAVAILABLE: "see with `qd ps` whether its pods are ready",
    grpc.StatusCode.DEADLINE_EXCEEDED: "give it more time",
    grpc.StatusCode.INTERNAL: "the pod's log has the traceback",
    grpc.StatusCode.UNAUTHENTICATED: "send the token that it was started with: qd send --token",
}

_TRUST = "say with --ca which certificate to trust"


class InferenceClient:
    """Sends requests to one pod; as an async context manager it closes its channel."""

    def __init__(
        self,
        address: str,
        *,
        tls: bool = False,
        ca: str = "",
        token: str | None = None,
        metadata: Mapping[str, str] | None = None,
        options: Mapping[str, int | str] | None = None,
        name: str = "",
        way: Way | None = None,
    ) -> None:
        """`ca` is the path of the file that says whom to trust, which means TLS; with `tls` alone it is the system.

        The certificate must be for `name`; without one for the address, or where `ca` is itself the certificate of
        a server, for the name in it. `token` goes along with every request, as does `metadata`; `options` are the
        channel's. A `way` says all of this at once. Raises `RequestError` where `ca` is no good.
        """
        self.address = address
        try:
            if way is None:
                name = name or (name_in(ca, host_of(address)) if ca else "")
                way = way_of(tls or bool(ca), ca, "", metadata, options, token, name)
            self._channel = open_channel(address, way)
        except WayError as error:
            raise RequestError(f"{address}: TLS: {error}") from None
        self._metadata = way.pairs
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
            data = request.SerializeToString()
            return parse_response(await self._infer(data, timeout=timeout, metadata=self._metadata))
        except TensorError as error:
            raise RequestError(f"{where}: {error}") from None
        except aio.AioRpcError as error:
            reason = distrust(error.details() or "")
            if reason:
                raise RequestError(f"{where}: TLS: {reason}", _TRUST) from None
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
