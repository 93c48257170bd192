"""Names on the wire: the service's, and the models' that stand for endpoints (`/search` is model `search`)."""

from __future__ import annotations

SERVICE = "inference.GRPCInferenceService"
INFER = f"/{SERVICE}/ModelInfer"
STREAM_INFER = f"/{SERVICE}/ModelStreamInfer"
DEFAULT_MODEL = "default"
"""Stands for the endpoint `/`."""


def model_of(endpoint: str) -> str:
    """Model name of an endpoint given with or without its slash."""
    return endpoint.removeprefix("/") or DEFAULT_MODEL


def endpoint_of(model: str) -> str:
    """Endpoint, with its slash, of a model name; a name that already has the slash is taken as it is."""
    bare = model.removeprefix("/")
    return "/" if bare in ("", DEFAULT_MODEL) else f"/{bare}"
