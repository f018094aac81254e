"""What is asked again, what is not, and how long the client waits, against a real loopback server."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.client.peer import Caller, FakeTime, Peer, Reply

from flux.client import NoAnswerInTime, RetryPolicy, Unreachable, UnreadableAnswer
from flux.client.errors import FluxError, PaygateError, TargetAnswer, community, content, paygate


def on_community(status: int, code: str = "X", headers: dict[str, str] | None = None, **more: Any) -> Reply:
    return Reply(status, {"code": code, "message": "m", **more}, headers or {})


def on_content(status: int, code: str = "x", **headers: str) -> Reply:
    return Reply(status, {"message": "m", "error_code": code, "detail": None}, headers)


def on_paygate(status: int, code: str = "X", relayed: bool = False, **details: Any) -> Reply:
    body = {"error": code, "message": "m", "code": status, "details": details}
    return Reply(status, body, {"X-Gateway-Error": code} if relayed else {})


ENVELOPES: dict[str, Callable[..., Reply]] = {
    "community": on_community,
    "content": on_content,
    "paygate": on_paygate,
}
TRANSIENT = {
    "community": {429, 500, 502, 503, 504},
    "content": {408, 429, *range(500, 600)},
    "paygate": {429, *range(500, 600)},
}
STATUSES = [
    400,
    401,
    402,
    403,
    404,
    405,
    408,
    409,
    410,
    413,
    418,
    422,
    423,
    425,
    429,
    500,
    501,
    502,
    503,
    504,
    507,
]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("plane", ENVELOPES)
def test_only_the_transient_statuses_are_repeated(ask: Caller, peer: Peer, plane: str, status: int) -> None:
    peer.script(ENVELOPES[plane](status))
    if status in TRANSIENT[plane]:
        assert ask(lambda flux: getattr(flux, plane).request("GET", "/thing")) == {}
        assert len(peer.seen) == 2
        return
    with pytest.raises(FluxError) as caught:
        ask(lambda flux: getattr(flux, plane).request("GET", "/thing"))
    assert len(peer.seen) == caught.value.attempts == 1
    assert ask.time.waits == []


def test_backoff_doubles_and_gives_up(ask: Caller, peer: Peer) -> None:
    peer.script(*[on_community(500)] * 9)
    with pytest.raises(community.CommunityServerError) as caught:
        ask(lambda flux: flux.community.request("GET", "/x"))
    assert ask.time.waits == [1.0, 2.0, 4.0]
    assert len(peer.seen) == caught.value.attempts == 4


def test_backoff_has_a_ceiling_and_full_jitter() -> None:
    policy = RetryPolicy(first_delay=0.5, longest_delay=3.0, random=random.Random(7).random)
    for attempt, most in ((1, 0.5), (2, 1.0), (3, 2.0), (4, 3.0), (2000, 3.0)):
        drawn = [policy.delay(attempt) for _ in range(200)]
        assert 0 <= min(drawn) < most * 0.1
        assert most * 0.9 < max(drawn) <= most


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"first_delay": -1.0}, {"deadline": -1.0}])
def test_a_policy_without_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="attempts"):
        RetryPolicy(**wrong)


def test_retry_after_wins_over_backoff(ask: Caller, peer: Peer, fake_time: FakeTime) -> None:
    peer.script(
        on_community(429, "RATE_LIMITED", {"Retry-After": "1"}, retry_after=0.35),
        on_community(429, "RATE_LIMITED", {"Retry-After": "17"}),
        on_community(503, "SERVICE_UNAVAILABLE", {"Retry-After": "0"}),
    )
    ask(lambda flux: flux.community.request("GET", "/x"))
    assert fake_time.waits == [0.35, 17.0, 0.0]


def test_retry_after_as_a_date(ask: Caller, peer: Peer, fake_time: FakeTime) -> None:
    headers = {"Retry-After": "Tue, 14 Nov 2023 22:13:27 GMT", "Date": "Tue, 14 Nov 2023 22:13:20 GMT"}
    peer.script(on_content(429, "rate_limit_exceeded", **headers))
    ask(lambda flux: flux.content.request("GET", "/x"))
    assert fake_time.waits == [7.0]


def test_a_wait_past_the_deadline_is_not_begun(ask: Caller, peer: Peer, fake_time: FakeTime) -> None:
    peer.script(on_community(429, "RATE_LIMITED", retry_after=604_800))
    with pytest.raises(community.RateLimited) as caught:
        ask(lambda flux: flux.community.request("GET", "/x"))
    assert caught.value.retry_after == 604_800
    assert fake_time.waits == []

    peer.script(*[on_community(500)] * 9)
    with pytest.raises(community.CommunityServerError):
        ask(lambda flux: flux.community.request("GET", "/x"), {"deadline": 6.5, "attempts": 10})
    assert fake_time.waits == [1.0, 2.0]  # another 4 s would end at 7


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("plane", "status", "code", "repeated"),
    [
        ("community", 429, "RATE_LIMITED", True),
        ("community", 503, "SERVICE_UNAVAILABLE", True),
        ("community", 503, "UNHEARD_OF", False),
        ("community", 500, "INTERNAL_SERVER_ERROR", False),
        ("community", 502, "BAD_GATEWAY", False),
        ("community", 504, "GATEWAY_TIMEOUT", False),
        ("content", 429, "rate_limit_exceeded", True),
        ("content", 503, "service_unavailable", True),
        ("content", 408, "request_timeout", False),
        ("content", 500, "internal_server_error", False),
        ("paygate", 429, "RATE_LIMIT_EXCEEDED", True),
        ("paygate", 503, "BLOCKCHAIN_UNAVAILABLE", True),
        ("paygate", 500, "DATABASE_ERROR", False),
    ],
)
def test_work_that_may_be_done_is_not_done_twice(
    ask: Caller, peer: Peer, method: str, plane: str, status: int, code: str, repeated: bool
) -> None:
    peer.script(ENVELOPES[plane](status, code))
    if repeated:
        ask(lambda flux: getattr(flux, plane).request(method, "/x", json={"n": 1}))
        assert [seen.body for seen in peer.seen] == [b'{"n":1}'] * 2
    else:
        with pytest.raises(FluxError):
            ask(lambda flux: getattr(flux, plane).request(method, "/x", json={"n": 1}))
        assert len(peer.seen) == 1
        peer.script(ENVELOPES[plane](status, code))
        ask(lambda flux: getattr(flux, plane).request(method, "/x", json={"n": 1}, idempotent=True))
        assert len(peer.seen) == 2


def test_a_get_can_be_marked_as_not_idempotent(ask: Caller, peer: Peer) -> None:
    peer.script(on_community(500))
    with pytest.raises(community.CommunityServerError):
        ask(lambda flux: flux.community.request("GET", "/x", idempotent=False))
    assert len(peer.seen) == 1


def test_a_proxys_error_page(ask: Caller, peer: Peer) -> None:
    page = Reply(503, b"<html>Service Unavailable</html>", {"Content-Type": "text/html"})
    peer.script(page)
    assert ask(lambda flux: flux.community.request("GET", "/x")) == {}
    peer.script(page)
    with pytest.raises(UnreadableAnswer):
        ask(lambda flux: flux.community.request("POST", "/x"))
    assert len(peer.seen) == 1


class TestTransport:
    def test_a_dropped_connection(self, ask: Caller, peer: Peer) -> None:
        peer.script(Reply(cut=True))
        assert ask(lambda flux: flux.community.request("GET", "/x")) == {}
        assert len(peer.seen) == 2
        peer.script(Reply(cut=True))
        with pytest.raises(Unreachable) as caught:
            ask(lambda flux: flux.community.request("POST", "/x"))
        assert len(peer.seen) == 1
        assert caught.value.__cause__ is not None
        peer.script(Reply(cut=True))
        ask(lambda flux: flux.community.request("POST", "/x", idempotent=True))
        assert len(peer.seen) == 2

    def test_no_answer_in_time(self, ask: Caller, peer: Peer) -> None:
        peer.script(Reply(hang=30.0), Reply(hang=30.0))
        with pytest.raises(NoAnswerInTime) as caught:
            ask(lambda flux: flux.content.request("POST", "/x", timeout=0.5))
        assert caught.value.attempts == 1
        assert ask(lambda flux: flux.content.request("PUT", "/x", timeout=0.5)) == {}

    def test_the_deadline_shortens_the_timeout(self, ask: Caller, peer: Peer) -> None:
        peer.script(Reply(hang=5.0))
        with pytest.raises(NoAnswerInTime):
            ask(lambda flux: flux.content.request("GET", "/x"), {"deadline": 0.05})

    def test_nobody_listens(self, peer: Peer, fake_time: FakeTime) -> None:
        for kind in ("sync", "async"):
            ask = Caller(kind, "http://127.0.0.1:9", fake_time)
            fake_time.waits.clear()
            with pytest.raises(Unreachable) as caught:
                ask(lambda flux: flux.paygate.request("GET", "/x"))
            assert caught.value.attempts == 4
            assert fake_time.waits == [1.0, 2.0, 4.0]
            with pytest.raises(Unreachable) as caught:
                ask(lambda flux: flux.paygate.request("POST", "/x"))
            assert caught.value.attempts == 1

    def test_a_garbled_body(self, ask: Caller, peer: Peer) -> None:
        peer.script(Reply(200, b"not gzip", {"Content-Encoding": "gzip"}))
        with pytest.raises(UnreadableAnswer) as caught:
            ask(lambda flux: flux.community.request("GET", "/x"))
        assert caught.value.status == 200
        assert len(peer.seen) == 1

    def test_the_callers_own_mistake_is_not_repeated(self, ask: Caller, peer: Peer) -> None:
        with pytest.raises(Exception, match="Illegal header") as caught:
            ask(lambda flux: flux.community.request("GET", "/x", headers={"X-A": "b\r\nX-C: d"}))
        assert not isinstance(caught.value, FluxError)
        assert ask.time.waits == []


class TestPaygate:
    def test_what_the_server_says_is_not_retryable(self, ask: Caller, peer: Peer) -> None:
        peer.script(on_paygate(429, "QUOTA_EXCEEDED", retryable=False))
        with pytest.raises(paygate.QuotaExceeded):
            ask(lambda flux: flux.paygate.request("GET", "/x"))
        assert len(peer.seen) == 1

    def test_a_payment_on_its_way(self, ask: Caller, peer: Peer, fake_time: FakeTime) -> None:
        waiting = on_paygate(402, "PAYMENT_NOT_CONFIRMED", relayed=True, retryable=True, retryAfterSeconds=2)
        peer.script(waiting, waiting)
        patient = {"await_confirmation": True}
        assert (
            ask(lambda flux: flux.paygate.call("api_1", method="POST", content=b"x"), patient).status == 200
        )
        assert fake_time.waits == [2.0, 2.0]
        peer.script(waiting)
        with pytest.raises(paygate.PaymentNotConfirmed):
            ask(lambda flux: flux.paygate.call("api_1"))
        peer.script(on_paygate(402, "PAYMENT_NOT_CONFIRMED", relayed=True))
        with pytest.raises(paygate.PaymentNotConfirmed):
            ask(lambda flux: flux.paygate.call("api_1"), patient)

    @pytest.mark.parametrize("code", ["PAYMENT_NOT_FOUND", "INSUFFICIENT_PAYMENT", "RATE_LIMIT_EXCEEDED"])
    def test_no_other_refusal_below_429(self, ask: Caller, peer: Peer, code: str) -> None:
        peer.script(on_paygate(403 if code.startswith("RATE") else 402, code, relayed=True, retryable=True))
        with pytest.raises(PaygateError):
            ask(lambda flux: flux.paygate.call("api_1"))
        assert len(peer.seen) == 1

    @pytest.mark.parametrize(
        ("status", "code", "details", "repeated"),
        [
            (500, "GATEWAY_ERROR", {"reason": "connect", "paymentStatus": "released"}, True),
            (500, "GATEWAY_ERROR", {"reason": "dns", "paymentStatus": "released"}, True),
            (500, "GATEWAY_ERROR", {"reason": "reset", "paymentStatus": "released"}, False),
            (502, "GATEWAY_TIMEOUT", {"phase": "connect", "paymentStatus": "released"}, True),
            (502, "GATEWAY_TIMEOUT", {"phase": "first_byte", "paymentStatus": "released"}, False),
            (502, "INVALID_GATEWAY_RESPONSE", {"paymentStatus": "released"}, False),
        ],
    )
    def test_a_post_is_relayed_again_only_if_it_never_arrived(
        self, ask: Caller, peer: Peer, status: int, code: str, details: dict[str, Any], repeated: bool
    ) -> None:
        failure = on_paygate(status, code, relayed=True, **details)
        peer.script(failure)
        if repeated:
            ask(lambda flux: flux.paygate.call("api_1", method="POST"))
        else:
            with pytest.raises(paygate.PaygateServerError):
                ask(lambda flux: flux.paygate.call("api_1", method="POST"))
        assert len(peer.seen) == 1 + repeated
        peer.script(failure)
        ask(lambda flux: flux.paygate.call("api_1", method="POST", idempotency_key="key-12345"))
        assert len(peer.seen) == 2
        peer.script(failure)
        ask(lambda flux: flux.paygate.call("api_1", method="POST", idempotent=True))
        assert len(peer.seen) == 2

    def test_a_spent_payment_is_not_sent_again(self, ask: Caller, peer: Peer) -> None:
        peer.script(on_paygate(502, "GATEWAY_TIMEOUT", relayed=True, phase="total", paymentStatus="consumed"))
        with pytest.raises(paygate.GatewayTimeout):
            ask(lambda flux: flux.paygate.call("api_1"))
        assert len(peer.seen) == 1

    def test_the_targets_own_failure_is_its_answer(self, ask: Caller, peer: Peer) -> None:
        failure = Reply(503, {"oops": 1}, {"X-Payment-Status": "released", "X-Call-Id": "call_7"})
        peer.script(failure)
        answer = ask(lambda flux: flux.paygate.call("api_1", "/weather"))
        assert (answer.status, answer.payment_status, answer.call_id) == (503, "released", "call_7")
        assert answer.json() == {"oops": 1}
        peer.script(failure)
        with pytest.raises(TargetAnswer):
            ask(lambda flux: flux.paygate.request("GET", "/gateway/api_1/weather"))
        assert len(peer.seen) == 1


class TestFiles:
    def test_files_are_sent_whole_each_time(self, ask: Caller, peer: Peer) -> None:
        peer.script(on_community(429, "RATE_LIMITED", retry_after=0))
        files = {"files[0]": ("a.txt", io.BytesIO(b"whole file"))}
        ask(lambda flux: flux.community.request("POST", "/x", files=files))
        assert len(peer.seen) == 2
        assert all(b"whole file" in seen.body for seen in peer.seen)

    def test_a_stream_that_cannot_rewind_is_sent_once(self, ask: Caller, peer: Peer) -> None:
        class Stream(io.BytesIO):
            def seekable(self) -> bool:
                return False

            def seek(self, offset: int, whence: int = 0) -> int:
                raise io.UnsupportedOperation

        peer.script(on_community(429, "RATE_LIMITED", retry_after=0))
        with pytest.raises(community.RateLimited):
            ask(lambda flux: flux.community.request("PUT", "/x", files={"f": ("a", Stream(b"once"))}))
        assert len(peer.seen) == 1


def test_the_log_names_no_address(ask: Caller, peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    peer.script(on_content(503, "service_unavailable"))
    with caplog.at_level("INFO", "flux.client"):
        ask(lambda flux: flux.content.request("GET", "/webhooks/1/secret-token"))
    said = [record.getMessage() for record in caplog.records if record.name == "flux.client"]
    assert said == ["content: ServiceUnavailable 503 service_unavailable; attempt 2 of 4 in 1.00 s"]
    assert content.ServiceUnavailable.code == "service_unavailable"
