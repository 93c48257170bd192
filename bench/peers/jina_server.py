"""Jina's own script for one topology: a Flow, or a Deployment without gateway; runs in Jina's environment.

`python jina_server.py FD KIND SHARDS REPLICAS POLLING`: writes one JSON line to FD once all is ready, with the port,
the method and a request to send there, and serves until its standard input ends.
"""

# mypy: ignore-errors

import json
import os
import sys

from jina import Deployment, Executor, Flow, requests


class Echo(Executor):
    @requests
    def run(self, docs, **kwargs):
        return docs


def one_request():
    """One document with a text of twelve bytes, as bytes."""
    from docarray import DocList
    from docarray.documents import TextDoc
    from jina.types.request.data import DataRequest

    request = DataRequest()
    request.document_array_cls = DocList[TextDoc]
    request.data.docs = DocList[TextDoc]([TextDoc(text="twelve bytes")])
    request.header.exec_endpoint = "/"
    return request.to_bytes() if hasattr(request, "to_bytes") else request.SerializeToString()


def main(descriptor, kind, shards, replicas, polling):
    settings = {"name": "e", "uses": Echo, "shards": shards, "replicas": replicas, "polling": polling}
    front = Flow().add(**settings) if kind == "flow" else Deployment(**settings)
    with front:
        port = front.port[0] if isinstance(front.port, list) else front.port
        answer = {"port": port, "method": "/jina.JinaSingleDataRequestRPC/process_single_data"}
        if kind != "flow":
            answer["port"] = (
                front.head_args.port[0] if isinstance(front.head_args.port, list) else front.head_args.port
            )
            answer["request"] = one_request().hex()
            answer["head"] = front.head_pod.worker.pid
        os.write(descriptor, json.dumps(answer).encode() + b"\n")
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
