"""What the clients put on the wire and how they decode it, blocking and async."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.client.peer import Caller, Peer, Reply

from flux.client import (
    Admin,
    Ask,
    AsyncFluxClient,
    Bearer,
    Bot,
    FluxClient,
    PaymentProof,
    Session,
    SimpleKey,
    UnreadableAnswer,
)
from flux.client import aio as aio_module
from flux.client import sync as sync_module


@pytest.mark.parametrize(
    ("plane", "target"),
    [("community", "/community/v1/a/b"), ("content", "/content/a/b"), ("paygate", "/paygate/api/v2/a/b")],
)
def test_paths_are_below_the_planes_mount(ask: Caller, peer: Peer, plane: str, target: str) -> None:
    ask(lambda flux: getattr(flux, plane).request("GET", "/a/b"))
    ask(lambda flux: getattr(flux, plane).request("GET", "a/b"))
    assert [seen.target for seen in peer.seen] == [target, target]


def test_a_plane_at_its_own_address(ask: Caller, peer: Peer) -> None:
    ask(lambda flux: flux.content.request("GET", "/x/"), content_url=f"{peer.origin}/base/")
    assert peer.seen[0].target == "/base/x/"


def test_request_parts(ask: Caller, peer: Peer) -> None:
    ask(
        lambda flux: flux.content.request(
            "post",
            "/é/x%20y",
            json={"t": "ü"},
            params={"limit": 2, "raw": True, "tags": ["a", "b"], "left_out": None},
            headers={"X-Flux-Simulate": "x"},
        )
    )
    seen = peer.seen[0]
    assert seen.method == "POST"
    assert seen.target == "/content/%C3%A9/x%20y?limit=2&raw=true&tags=a&tags=b"
    assert json.loads(seen.body) == {"t": "ü"}
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["accept"] == "application/json"
    assert seen.headers["user-agent"].startswith("flux-client/")
    assert seen.headers["x-flux-simulate"] == "x"
    assert "authorization" not in seen.headers


def test_forms(ask: Caller, peer: Peer) -> None:
    ask(lambda flux: flux.community.request("POST", "/oauth2/token", data={"grant_type": "refresh_token"}))
    assert peer.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert peer.seen[0].body == b"grant_type=refresh_token"


@pytest.mark.parametrize("path", ["/../admin", "/a/./b", "..", "/a/.."])
def test_dot_segments_are_refused(ask: Caller, peer: Peer, path: str) -> None:
    with pytest.raises(ValueError, match="dot segments"):
        ask(lambda flux: flux.community.request("GET", path))
    assert peer.seen == []


@pytest.mark.parametrize(
    "origin", ["", "localhost:8080", "ftp://x", "http://", "http://x/?a=1", "http://x/#a"]
)
def test_an_origin_that_is_none(origin: str) -> None:
    with pytest.raises((ValueError, httpx.InvalidURL)):
        FluxClient(origin)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(200, {"a": 1}), {"a": 1}),
        (Reply(200, [1]), [1]),
        (Reply(201, b"null"), None),
        (Reply(204), None),
        (Reply(200, b""), None),
    ],
)
def test_decoding(ask: Caller, peer: Peer, reply: Reply, expected: Any) -> None:
    peer.script(reply)
    assert ask(lambda flux: flux.community.request("GET", "/x")) == expected


def test_a_success_that_is_not_json(ask: Caller, peer: Peer) -> None:
    peer.script(Reply(200, b"OK", {"Content-Type": "text/plain"}))
    with pytest.raises(UnreadableAnswer):
        ask(lambda flux: flux.community.request("GET", "/_health"))
    peer.script(Reply(200, b"OK", {"Content-Type": "text/plain"}))
    answer = ask(lambda flux: flux.community.send(Ask("GET", "/_health")))
    assert answer.content == b"OK"


def test_redirects_are_not_followed(ask: Caller, peer: Peer) -> None:
    peer.script(Reply(302, None, {"Location": f"{peer.origin}/elsewhere"}))
    answer = ask(lambda flux: flux.community.send(Ask("GET", "/x")))
    assert (answer.status_code, len(peer.seen)) == (302, 1)


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (Session("flx_abc"), "flx_abc"),
        (Bot("1.s"), "Bot 1.s"),
        (Bearer("t"), "Bearer t"),
        (Admin("k"), "Admin k"),
        (SimpleKey("pub", "sec"), "Simple pub:sec"),
    ],
)
def test_credentials(ask: Caller, peer: Peer, credential: httpx.Auth, expected: str) -> None:
    ask(lambda flux: flux.community.request("GET", "/x"), community=credential)
    ask(lambda flux: flux.content.request("GET", "/x"), community=credential)
    assert peer.seen[0].headers["authorization"] == expected
    assert "authorization" not in peer.seen[1].headers
    assert expected not in repr(credential)


@pytest.mark.parametrize("token", ["", " x", "x\r\nX-Y: z", "ü"])
def test_a_token_that_is_none(token: str) -> None:
    with pytest.raises(ValueError, match="not a token"):
        Bearer(token)


def test_asking_as_somebody_else(ask: Caller, peer: Peer) -> None:
    ask(lambda flux: flux.community.using(Bearer("other")).request("GET", "/x"), community=Bot("1.s"))
    ask(lambda flux: flux.community.using(None).request("GET", "/x"), community=Bot("1.s"))
    assert [seen.headers.get("authorization") for seen in peer.seen] == ["Bearer other", None]


def test_cookies_are_not_kept(peer: Peer) -> None:
    peer.script(Reply(200, {}, {"Set-Cookie": "session=of-user-1; Path=/"}))
    with FluxClient(peer.origin) as flux:
        flux.paygate.request("GET", "/x")
        flux.paygate.request("GET", "/x")
    peer.replies.append(Reply(200, {}, {"Set-Cookie": "session=of-user-1; Path=/"}))

    async def twice() -> None:
        async with AsyncFluxClient(peer.origin) as flux:
            await flux.paygate.request("GET", "/x")
            await flux.paygate.request("GET", "/x")

    asyncio.run(twice())
    assert len(peer.seen) == 4
    assert not any("cookie" in seen.headers for seen in peer.seen)


def test_a_borrowed_http_client_stays_open(peer: Peer) -> None:
    with httpx.Client() as http:
        with FluxClient(peer.origin, http=http) as flux:
            flux.community.request("GET", "/x")
        assert not http.is_closed
    with FluxClient(peer.origin) as flux:
        owned = flux._http
    assert owned.is_closed


def test_send_message(ask: Caller, peer: Peer) -> None:
    peer.script(Reply(200, {"id": "9"}), Reply(200, {"id": "10"}))
    assert ask(lambda flux: flux.community.send_message(5, "hi", tts=False)) == {"id": "9"}
    assert peer.seen[0].target == "/community/v1/channels/5/messages"
    assert json.loads(peer.seen[0].body) == {"content": "hi", "tts": False}
    files = [("a.txt", b"first"), ("b.txt", b"second")]
    assert ask(lambda flux: flux.community.send_message("5", "hi", files=files)) == {"id": "10"}
    body = peer.seen[1].body
    assert peer.seen[1].headers["content-type"].startswith("multipart/form-data")
    listed = '"attachments": [{"id": 0, "filename": "a.txt"}, {"id": 1, "filename": "b.txt"}]'
    assert listed.encode() in body
    assert b'name="payload_json"' in body
    assert b'name="files[1]"; filename="b.txt"' in body
    with pytest.raises(ValueError, match="not an id"):
        ask(lambda flux: flux.community.send_message("../5", "hi"))


def test_me(ask: Caller, peer: Peer) -> None:
    peer.script(Reply(200, {"id": "1"}))
    assert ask(lambda flux: flux.community.me()) == {"id": "1"}
    assert peer.seen[0].target == "/community/v1/users/@me"


def test_a_paid_call(ask: Caller, peer: Peer) -> None:
    peer.script(
        Reply(201, b"bytes", {"X-Payment-Status": "consumed", "X-Call-Id": "c", "X-Payment-Remaining": "3"})
    )
    proof = PaymentProof("0xaa", "0xbb", 1_700_000_000, "base", 1)
    answer = ask(
        lambda flux: flux.paygate.call(
            "api_1",
            "/w/x",
            method="POST",
            proof=proof,
            idempotency_key="k" * 8,
            content=b"in",
            params={"q": 1},
        )
    )
    seen = peer.seen[0]
    assert (seen.method, seen.target, seen.body) == ("POST", "/paygate/api/v2/gateway/api_1/w/x?q=1", b"in")
    assert seen.headers["x-payment-tx"] == "0xaa"
    assert seen.headers["x-signature"] == "0xbb"
    assert seen.headers["x-timestamp"] == "1700000000"
    assert seen.headers["x-payment-chain"] == "base"
    assert seen.headers["x-signature-version"] == "1"
    assert seen.headers["idempotency-key"] == "k" * 8
    assert (answer.status, answer.content, answer.payment_remaining) == (201, b"bytes", "3")


class TestOperatorFile:
    def write(self, tmp_path: Path, origin: str, **content: str) -> Path:
        path = tmp_path / "operator.json"
        held = {
            "admin_token": "adm",
            "community": {"api_url": f"{origin}/community/v1"},
            "content": {"management_url": f"{origin}/content", **content},
            "paygate": {"api_url": f"{origin}/paygate/api/v2"},
        }
        path.write_text(json.dumps(held))
        return path

    @pytest.mark.parametrize("kind", [FluxClient, AsyncFluxClient])
    def test_addresses_and_credentials(self, peer: Peer, tmp_path: Path, kind: Any) -> None:
        path = self.write(tmp_path, peer.origin, public_key="pub", secret_key="sec")
        flux = kind.from_operator_file(path)
        assert flux.community.base_url == f"{peer.origin}/community/v1"
        assert flux.content.base_url == f"{peer.origin}/content"
        assert flux.paygate.base_url == f"{peer.origin}/paygate/api/v2"
        with httpx.Client() as http:
            for plane in (flux.community, flux.content, flux.paygate):
                http.get(f"{peer.origin}/x", auth=plane.credential)
        sent = [seen.headers["authorization"] for seen in peer.seen]
        assert sent == ["Admin adm", "Simple pub:sec", "Bearer adm"]

    def test_another_origin_and_another_credential(self, peer: Peer, tmp_path: Path) -> None:
        path = self.write(tmp_path, "http://10.0.0.1:1")
        flux = FluxClient.from_operator_file(path, peer.origin, community=Bot("1.s"))
        assert flux.content.base_url == f"{peer.origin}/content"
        assert flux.content.credential is None
        flux.community.request("GET", "/x")
        assert peer.seen[0].headers["authorization"] == "Bot 1.s"

    @pytest.mark.parametrize("text", ["{}", "[]", '{"admin_token": "x", "community": 1}', "not json"])
    def test_another_file(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "operator.json"
        path.write_text(text)
        with pytest.raises(ValueError, match=r"operator|Expecting"):
            FluxClient.from_operator_file(path)


def test_both_clients_have_the_same_verbs() -> None:
    for name in ("PlaneClient", "CommunityClient", "ContentClient", "PaygateClient", "FluxClient"):
        one, other = getattr(sync_module, name), getattr(aio_module, f"Async{name}")
        verbs = {verb for verb in vars(one) if not verb.startswith("__")} - {"close"}
        assert verbs == {verb for verb in vars(other) if not verb.startswith("__")} - {"aclose"}
        for verb in verbs - {"dialect"}:
            ours, theirs = inspect.signature(getattr(one, verb)), inspect.signature(getattr(other, verb))
            assert list(ours.parameters) == list(theirs.parameters), verb


def run_python(source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60)


def test_the_client_stands_alone() -> None:
    source = "import sys, flux.client; print(sorted(m for m in sys.modules if m.startswith('flux.')))"
    ran = run_python(source)
    assert ran.returncode == 0, ran.stderr
    loaded = ran.stdout.strip()
    assert "flux.client.sync" in loaded
    assert "flux.kernel" not in loaded
    assert not any(f"'flux.{plane}" in loaded for plane in ("community", "content", "paygate"))


def test_a_missing_httpx_is_named() -> None:
    ran = run_python("import sys; sys.modules['httpx'] = None; import flux.client")
    assert ran.returncode == 1
    assert "flux.client needs httpx" in ran.stderr
