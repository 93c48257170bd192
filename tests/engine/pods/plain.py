"""A plain grpcio server, as somebody else would run one: knows nothing of us."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc import aio
from tests.fakes.certificates import Shown

from quarterdeck.engine.wire.way import server_credentials

Call = Callable[[Any, Any], Any]
"""Of bytes, or an iterator of them, and the context."""
BIG = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


def _unary(call: Call) -> grpc.RpcMethodHandler[bytes, bytes]:
    return grpc.unary_unary_rpc_method_handler(call)


def _stream(call: Call) -> grpc.RpcMethodHandler[bytes, bytes]:
    return grpc.stream_stream_rpc_method_handler(call)


class _Methods(grpc.GenericRpcHandler):
    def __init__(self, unary: Mapping[str, Call], streams: Mapping[str, Call]) -> None:
        self._found: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            name: grpc.unary_unary_rpc_method_handler(call) for name, call in unary.items()
        }
        self._found |= {name: _stream(call) for name, call in streams.items()}

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return self._found.get(handler_call_details.method)


@asynccontextmanager
async def plain_server(
    unary: Mapping[str, Call] | None = None,
    streams: Mapping[str, Call] | None = None,
    shown: Shown | None = None,
) -> AsyncIterator[str]:
    """Serve these methods by full name, under TLS where there is something to show; gives the address."""
    server = aio.server(handlers=(_Methods(unary or {}, streams or {}),), options=BIG)
    if shown is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", server_credentials(shown.cert, shown.key))
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
