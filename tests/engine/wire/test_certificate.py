"""Names read from certificates as OpenSSL makes them; what is none is said to be none."""

from __future__ import annotations

import itertools
import ssl
from pathlib import Path

import pytest
from tests.fakes.certificates import Authority, self_signed

from quarterdeck.engine.wire.certificate import names_of
from quarterdeck.engine.wire.channel import CHANNEL_OPTIONS, MAX_MESSAGE, merged
from quarterdeck.engine.wire.way import way_of


def test_alternative_names_in_their_order(tmp_path: Path) -> None:
    shown = self_signed(tmp_path, "*.pods.test", "IP:127.0.0.1", "IP:::1", "email:a@b.test", "DNS:other.test")
    names = ("*.pods.test", "127.0.0.1", "::1", "other.test")
    assert names_of(Path(shown.cert).read_bytes()) == names
    chain = Path(shown.cert).read_bytes() + Path(Authority.new(tmp_path).ca).read_bytes()
    assert names_of(b"Subject: x\n" + chain) == names  # the first is the server's


def test_without_them_the_common_name(tmp_path: Path) -> None:
    pem = Path(Authority.new(tmp_path, "pods.test").ca).read_bytes()
    assert names_of(pem) == ("pods.test",)
    assert names_of(pem, common=False) == ()


def test_what_is_no_certificate(tmp_path: Path) -> None:
    shown = self_signed(tmp_path, "pods.test")
    der = ssl.PEM_cert_to_DER_cert(Path(shown.cert).read_text())
    with pytest.raises(ValueError, match="there is no certificate in it"):
        names_of(Path(shown.key).read_bytes())
    for end in range(len(der)):
        with pytest.raises(ValueError, match="its certificate can't be read"):
            names_of(ssl.DER_cert_to_PEM_cert(der[:end]).encode())


def test_a_damaged_one_gives_names_or_a_refusal(tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(Path(self_signed(tmp_path, "pods.test").cert).read_text())
    refused = 0
    for at, new in itertools.product(range(len(der)), (0x00, 0x01, 0x7F, 0x80, 0xFF)):
        damaged = der[:at] + bytes((new,)) + der[at + 1 :]
        try:
            assert all(isinstance(name, str) for name in names_of(ssl.DER_cert_to_PEM_cert(damaged).encode()))
        except ValueError:
            refused += 1
    assert refused


def test_options_of_the_user_go_before_ours_but_messages_stay_as_large() -> None:
    given: dict[str, int | str] = {
        "grpc.max_send_message_length": 1000,
        "grpc.max_receive_message_length": -1,
        "grpc.enable_http_proxy": 1,
        "grpc.primary_user_agent": "x",
    }
    found = dict(merged(CHANNEL_OPTIONS, given.items()))
    assert found["grpc.max_send_message_length"] == MAX_MESSAGE
    assert found["grpc.max_receive_message_length"] == -1
    assert (found["grpc.enable_http_proxy"], found["grpc.primary_user_agent"]) == (1, "x")
    assert (
        dict(merged(CHANNEL_OPTIONS, {"grpc.max_send_message_length": 2 * MAX_MESSAGE}.items()))[
            "grpc.max_send_message_length"
        ]
        == 2 * MAX_MESSAGE
    )


def test_a_token_goes_before_an_authorization_of_another_spelling() -> None:
    way = way_of(metadata={"Authorization": "Basic x", "X-Team": "a", "x-raw-bin": "b"}, token="t")
    assert way.pairs == (("x-team", "a"), ("x-raw-bin", b"b"), ("authorization", "Bearer t"))
