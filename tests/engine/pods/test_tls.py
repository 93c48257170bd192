"""TLS at every hop: who is trusted, by which name, and what is said where nobody is."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.engine.pods.house import DEADLINE, House, LivePod, node
from tests.fakes.certificates import Authority, Shown, self_signed

from quarterdeck.engine.errors import RequestError
from quarterdeck.engine.plan.routes import Node
from quarterdeck.engine.supervise import health
from quarterdeck.engine.wire.client import InferenceClient
from quarterdeck.engine.wire.tensors import outputs_of, to_json
from quarterdeck.engine.wire.way import way_of


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    return self_signed(tmp_path, "pods.test")


def under(shown: Shown, name: str, pods: list[LivePod], **more: Any) -> Node:
    """A node whose pods are ours and show this."""
    return node(name, [pods], **{"tls": True, "ca": shown.cert, "cert": shown.cert, **more})


def client(pod: LivePod, shown: Shown, **more: Any) -> InferenceClient:
    name = {"grpc.ssl_target_name_override": shown.name}
    return InferenceClient(pod.address, ca=shown.cert, options=name, **more)


async def test_sixty_four_mebibytes_pass_every_hop_under_tls_with_a_token(house: House, shown: Shown) -> None:
    guarded: dict[str, Any] = {**shown.served, "token": "s3cret"}
    gateway, head = (
        house.start(name, role=name.rpartition("/")[2], **guarded) for name in ("gateway", "big/head")
    )
    workers = [
        house.start(f"big/shard-{number}/rep-0", shard=number, shards=2, **guarded) for number in range(2)
    ]
    speech: dict[str, Any] = {
        "tls": True, "ca": shown.cert, "cert": shown.cert, "metadata": {"authorization": "Bearer s3cret"},
    }  # fmt: skip
    await house.route(head, node("big", [[worker] for worker in workers], **speech))
    await house.route(gateway, node("big", [[head]], **speech))
    sent = np.frombuffer(np.random.default_rng(7).bytes(64 << 20), dtype=np.uint8)
    async with client(gateway, shown, token="s3cret") as asked:
        answer = await asked.infer("/", {"x": sent}, timeout=DEADLINE)
    assert np.array_equal(outputs_of(answer)["x"], sent)


async def test_a_pod_whose_certificate_is_signed_by_nobody_trusted_is_named_at_once(
    house: House, shown: Shown, tmp_path: Path
) -> None:
    head, worker = house.start("echo/head", role="head"), house.start("echo/rep-0", "Echo", **shown.served)
    other = Authority.new(tmp_path)
    await house.route(head, under(shown, "echo", [worker], ca=other.ca))
    async with head.client() as asked:
        began = time.monotonic()
        with pytest.raises(RequestError) as caught:
            await asked.infer("/", {"x": [1]}, timeout=DEADLINE)
        assert time.monotonic() - began < DEADLINE / 5
        words = "UNAVAILABLE: echo: echo/rep-0: TLS: the certificate is not trusted: self signed certificate"
        assert words in caught.value.message
        await house.route(head, under(shown, "echo", [worker]))
        assert to_json(await asked.infer("/", {"x": [1]}, timeout=DEADLINE))["x"] == [1]


async def test_a_name_that_is_not_the_expected_one_is_refused(house: House, tmp_path: Path) -> None:
    authority = Authority.new(tmp_path)
    mine, another = authority.sign("pods.test"), authority.sign("another.test")
    head, worker = house.start("echo/head", role="head"), house.start("echo/rep-0", "Echo", **another.served)
    for cert in (mine.cert, ""):  # the name in the file; the address itself
        await house.route(head, under(mine, "echo", [worker], ca=authority.ca, cert=cert))
        async with head.client() as asked:
            with pytest.raises(
                RequestError, match="echo: echo/rep-0: TLS: the certificate is for another name"
            ):
                await asked.infer("/", {"x": [1]}, timeout=DEADLINE)
    await house.route(head, under(another, "echo", [worker], ca=authority.ca))
    async with head.client() as asked:
        assert to_json(await asked.infer("/", {"x": [1]}, timeout=DEADLINE))["x"] == [1]


async def test_a_pod_that_speaks_no_tls_is_named(house: House, shown: Shown) -> None:
    head, worker = house.start("echo/head", role="head"), house.start("echo/rep-0", "Echo")
    await house.route(head, under(shown, "echo", [worker]))
    async with head.client() as asked:
        with pytest.raises(RequestError, match="echo: echo/rep-0: TLS: it does not speak TLS"):
            await asked.infer("/", {"x": [1]}, timeout=DEADLINE)


async def test_one_that_is_not_trusted_is_no_hindrance_for_the_others(
    house: House, shown: Shown, tmp_path: Path
) -> None:
    head = house.start("echo/head", role="head")
    bad = house.start("echo/rep-0", "Echo", **self_signed(tmp_path, "bad.test").served)
    good = house.start("echo/rep-1", "Echo", **shown.served)
    await house.route(head, under(shown, "echo", [bad, good]))
    async with head.client() as asked:
        for _ in range(4):
            assert to_json(await asked.infer("/", {"x": [1]}, timeout=DEADLINE))["pod"] == ["echo/rep-1"]


async def test_a_file_that_names_nobody_to_trust_is_named_until_it_does(
    house: House, shown: Shown, tmp_path: Path
) -> None:
    head, worker = house.start("echo/head", role="head"), house.start("echo/rep-0", "Echo", **shown.served)
    trusted = tmp_path / "trusted.pem"
    said = [("No such file or directory", None), ("there is no certificate in it", "nothing")]
    async with head.client() as asked:
        for words, text in said:
            if text is not None:
                trusted.write_text(text)
            await house.route(head, under(shown, "echo", [worker], ca=str(trusted)))
            with pytest.raises(RequestError, match=f"echo/rep-0: TLS: {trusted}: {words}"):
                await asked.infer("/", {"x": [1]}, timeout=DEADLINE)
        shutil.copy(shown.cert, trusted)
        await house.route(head, under(shown, "echo", [worker], ca=str(trusted)))
        assert to_json(await asked.infer("/", {"x": [1]}, timeout=DEADLINE))["x"] == [1]


@pytest.mark.parametrize("wrong", ["no file", "no certificate", "another's key"])
def test_a_pod_that_cannot_show_itself_says_why_and_ends(
    house: House, shown: Shown, tmp_path: Path, wrong: str
) -> None:
    cert, key = shown.cert, shown.key
    match wrong:
        case "no file":
            cert, words = str(tmp_path / "none.pem"), f"{tmp_path}/none.pem: No such file or directory"
        case "no certificate":
            cert, words = shown.key, f"{shown.key}: there is no certificate in it"
        case _:
            key = self_signed(tmp_path, "other.test").key
            words = f"{key}: it is not the key of the certificate {cert}"
    pod = house.start("echo/rep-0", "Echo", ssl_certfile=cert, ssl_keyfile=key)
    assert pod.word() == {"error": f"echo/rep-0: TLS: {words}"}
    assert pod.wait() == 1


async def test_the_engines_own_health_call(house: House, shown: Shown, tmp_path: Path) -> None:
    pod = house.start("echo/rep-0", "Echo", token="s3cret", **shown.served)
    assert await health.check("127.0.0.1", pod.port, way=pod.way) == health.Health(True)
    other = self_signed(tmp_path, "other.test")
    cases = {
        way_of(True, other.cert, other.cert): "TLS: the certificate is not trusted: self-signed certificate",
        way_of(
            True, shown.cert, other.cert
        ): "TLS: the certificate is not trusted: Hostname mismatch, certificate"
        " is not valid for 'other.test'",
        way_of(True, shown.cert): "TLS: the certificate is not trusted: IP address mismatch, certificate"
        " is not valid for '127.0.0.1'",
        way_of(True, f"{tmp_path}/none.pem"): f"TLS: {tmp_path}/none.pem: No such file or directory",
    }
    for way, words in cases.items():
        assert await health.check("127.0.0.1", pod.port, way=way) == health.Health(False, words)
    assert not (await health.check("127.0.0.1", pod.port)).ok


async def test_a_replaced_certificate_counts_for_the_next_run(house: House, tmp_path: Path) -> None:
    authority = Authority.new(tmp_path)
    shown = authority.sign("one.test", file="served")
    head, first = house.start("echo/head", role="head"), house.start("echo/rep-0", "Echo", **shown.served)
    await house.route(head, under(shown, "echo", [first], ca=authority.ca))
    async with head.client() as asked:
        await asked.infer("/", {"x": [1]}, timeout=DEADLINE)
        replaced = authority.sign("two.test", file="served")
        second = house.start("echo/rep-0", "Echo", run=2, **shown.served)
        await house.route(head, under(replaced, "echo", [second], ca=authority.ca))
        assert to_json(await asked.infer("/", {"x": [2]}, timeout=DEADLINE))["x"] == [2]
        found = await asyncio.gather(
            *(health.check("127.0.0.1", pod.port, way=pod.way) for pod in (first, second))
        )
    assert [one.ok for one in found] == [False, True]  # the file holds what the second run shows
