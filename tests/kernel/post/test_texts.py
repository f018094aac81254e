"""Text messages, against a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from tests.kernel.post.conftest import HttpPeer, Offices, sms

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def webhook(peer: HttpPeer, **more: Any) -> dict[str, Any]:
    return {"sms": "webhook", "sms_webhook_url": f"{peer.url}/sms", "sms_webhook_secret": "key ä", **more}


def twilio(peer: HttpPeer, **more: Any) -> dict[str, Any]:
    return {
        "sms": "twilio",
        "twilio_url": f"{peer.url}/",
        "twilio_account": "AC123",
        "twilio_token": "tok:en",
        "twilio_from": "+15550100",
        **more,
    }


async def test_the_webhook_gets_a_signed_text(offices: Offices, http_peer: HttpPeer) -> None:
    office = await offices(**webhook(http_peer))
    await office.send(sms("+15550123", "Grüße 8731"))
    assert (await office.settled())["sent_at"] is not None
    request, body = http_peer.got[0]
    assert (request.method, request.path) == ("POST", "/sms")
    assert request.headers["Content-Type"] == "application/json"
    assert msgspec.json.decode(body) == {"id": "1", "to": "+15550123", "text": "Grüße 8731"}
    at, _, signature = request.headers["X-Flux-Signature"].removeprefix("t=").partition(",v1=")
    assert abs(int(at) - office.clock.now_ms() / 1000) < 5
    assert signature == hmac.new("key ä".encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("status", [302, 401, 404, 429, 500, 503])
async def test_a_webhook_that_fails_is_tried_again(
    offices: Offices, http_peer: HttpPeer, status: int
) -> None:
    http_peer.status = status
    office = await offices(**webhook(http_peer))
    await office.send(sms())
    assert (await office.settled())["last_error"] == f"error: http-{status}"
    assert [request.path for request, _ in http_peer.got] == ["/sms"], "redirects are not followed"
    http_peer.status = 204
    office.clock.advance(101)
    assert (await office.settled(2))["sent_at"] is not None


async def test_a_webhook_that_refuses_the_text_is_not_asked_again(
    offices: Offices, http_peer: HttpPeer
) -> None:
    http_peer.status = 422
    office = await offices(**webhook(http_peer))
    await office.send(sms())
    assert (await office.settled())["last_error"] == "undeliverable: http-422"
    office.clock.advance(86_400)
    await asyncio.sleep(0.1)
    assert len(http_peer.got) == 1


async def test_a_slow_webhook_times_out(offices: Offices, http_peer: HttpPeer) -> None:
    http_peer.wait = 5.0
    office = await offices(**webhook(http_peer, timeout_seconds=0.1))
    await office.send(sms())
    assert (await office.settled())["last_error"] == "timeout: timeout"


async def test_a_webhook_that_is_not_there(offices: Offices, unused_tcp_port: int) -> None:
    office = await offices(**webhook(HttpPeer(url=f"http://127.0.0.1:{unused_tcp_port}")))
    await office.send(sms())
    assert (await office.settled())["last_error"] == "unavailable: connect"


@pytest.mark.parametrize(("sender", "field"), [("+15550100", "From"), ("MG77", "MessagingServiceSid")])
async def test_twilio_gets_a_form(offices: Offices, http_peer: HttpPeer, sender: str, field: str) -> None:
    http_peer.status, http_peer.answer = 201, b'{"sid": "SM1", "status": "queued"}'
    office = await offices(**twilio(http_peer, twilio_from=sender))
    await office.send(sms("+15550123", "Grüße & 8731"))
    assert (await office.settled())["sent_at"] is not None
    request, body = http_peer.got[0]
    assert (request.method, request.path) == ("POST", "/2010-04-01/Accounts/AC123/Messages.json")
    assert parse_qs(body.decode()) == {"To": ["+15550123"], "Body": ["Grüße & 8731"], field: [sender]}
    scheme, _, credentials = request.headers["Authorization"].partition(" ")
    assert (scheme, b64decode(credentials)) == ("Basic", b"AC123:tok:en")


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (
            400,
            b'{"code": 21211, "message": "Invalid To +15550123", "status": 400}',
            "undeliverable: twilio-21211",
        ),
        (401, b'{"code": 20003, "message": "Authenticate"}', "error: twilio-20003"),
        (429, b'{"code": 20429}', "error: twilio-20429"),
        (502, b"<html>bad gateway</html>", "error: http-502"),
    ],
)
async def test_twilios_refusals_are_told_apart(
    offices: Offices, http_peer: HttpPeer, status: int, answer: bytes, expected: str
) -> None:
    http_peer.status, http_peer.answer = status, answer
    office = await offices(**twilio(http_peer))
    await office.send(sms())
    row = await office.settled()
    assert (row["last_error"], row["sent_at"]) == (expected, None)
