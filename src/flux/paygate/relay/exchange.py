"""One call to a target: from the first byte out to the last byte in, and what that does to the payment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from flux.kernel.faults import FaultError, Mode, PortFailure
from flux.kernel.store import Clock
from flux.kernel.wire import Call, Raw, Stream
from flux.paygate.faults import (
    GATEWAY_ERROR,
    GATEWAY_TIMEOUT,
    INVALID_GATEWAY_RESPONSE,
    PAYMENT_NOT_CONFIRMED,
)
from flux.paygate.history.model import Outcome, Status
from flux.paygate.ledger.model import Hold, Moved
from flux.paygate.ledger.rules import IN_USE
from flux.paygate.ledger.service import LeaseLost, Ledger
from flux.paygate.listings.model import Listing
from flux.paygate.outside.breaker import Breakers
from flux.paygate.outside.connection import Connection, Response
from flux.paygate.outside.dialer import Dialer, Outgoing
from flux.paygate.payment.rules import insufficient
from flux.paygate.relay.answers import (
    BODILESS,
    EVENT_STREAM,
    PAYMENT_REQUIRED,
    body_fault,
    head_fault,
    is_charged,
    is_streamed,
    media_type,
)
from flux.paygate.relay.asked import Collected
from flux.paygate.relay.headers import Pairs, to_consumer
from flux.paygate.relay.leaving import Leaving
from flux.paygate.replays.model import Head, Kept
from flux.settings.paygate import PaygateSettings

log = logging.getLogger("flux.paygate.relay")
FIRST_ERROR = 400


class NotCollected(Exception):
    """The target answered and the money could not be moved: `refusal` is the answer to the consumer."""

    def __init__(self, refusal: FaultError) -> None:
        super().__init__(refusal.fault.key)
        self.refusal = refusal


Collect = Callable[[], Awaitable[Collected]]
"""Raises `NotCollected`."""


class ConsumerGone(Exception):
    """The consumer hung up; there is nobody to answer."""


class Job(msgspec.Struct):
    """One call on its way. `leave` is called once when nothing of it is under way any more."""

    call: Call
    hold: Hold
    listing: Listing
    outgoing: Outgoing
    gateway_url: str
    leave: Callable[[], None]
    timeout_seconds: float
    connection: Connection | None
    """One that stood already when the payment was reserved: the ledger has noted the dispatch with the reservation."""
    dispatched: bool
    began: float = 0.0
    status: int | None = None
    live: bool = False
    """The answer is a stream that will end later."""
    collect: Collect | None = None
    """How the money is moved once the target has answered well; None when it moved before."""
    remaining: Callable[[], Awaitable[str]] | None = None
    """What is left of the credit the call is paid from."""


class _Body(msgspec.Struct):
    """What came of a body: all of it, or the beginning of one that is better streamed."""

    data: bytes
    complete: bool


class Exchange:
    def __init__(
        self, dialer: Dialer, breakers: Breakers, ledger: Ledger, clock: Clock, settings: PaygateSettings
    ) -> None:
        self._breakers = breakers
        self._clock = clock
        self._dialer = dialer
        self._ledger = ledger
        self._settings = settings

    def ready(self, base: str) -> Connection | None:
        """See `Dialer.ready`."""
        return self._dialer.ready(base)

    def spare(self, connection: Connection | None) -> None:
        if connection is not None:
            self._dialer.spare(connection)

    async def run(self, job: Job) -> Raw | Stream:
        """The answer to the consumer, its payment settled. Raises declared faults, or `ConsumerGone`."""
        job.began = self._clock.monotonic()
        leaving = Leaving(job.call)
        try:
            return await self._attempt(job, leaving)
        except asyncio.CancelledError:
            if not leaving.has_left:
                raise
            leaving.forgive()
            # An authorisation that was not collected has moved no money, whoever hung up.
            charge = job.dispatched and job.collect is None
            await self._settle(job, Outcome("aborted", charge=charge, seen=job.dispatched))
            raise ConsumerGone from None
        finally:
            if not job.live:
                leaving.stop()

    async def _attempt(self, job: Job, leaving: Leaving) -> Raw | Stream:
        async def on_sending() -> None:
            await self._ledger.dispatched(job.hold)
            job.dispatched = True

        response: Response | None = None
        try:
            response = await self._opened(job, None if job.dispatched else on_sending)
            job.status = response.status
            return await self._answer(job, response, leaving)
        except NotCollected as failed:
            raise await self._uncollected(job, failed.refusal) from failed
        except LeaseLost:
            raise insufficient(job.hold.funds.terms, IN_USE, job.hold.funds.paid) from None
        except PortFailure as failure:
            if failure.port != "upstream":
                raise
            raise await self._failed(job, failure) from failure
        finally:
            if response is not None and not job.live:
                response.release()

    async def _opened(self, job: Job, on_sending: Callable[[], Awaitable[None]] | None) -> Response:
        target = job.listing.endpoint
        try:
            response = await self._dialer.open(job.outgoing, job.connection, on_sending)
        except PortFailure as failure:
            self._breakers.failed(target, failure)
            raise
        except BaseException:
            self._breakers.left(target)
            raise
        self._breakers.answered(target)
        return response

    # -- the answer -------------------------------------------------------------------------------------------

    async def _answer(self, job: Job, response: Response, leaving: Leaving) -> Raw | Stream:
        reason = head_fault(response.status, response.headers)
        if reason is not None:
            raise PortFailure("upstream", Mode.GARBAGE, reason)
        kind = response.header(b"content-type")
        if job.call.method == "HEAD" or response.status in BODILESS:
            return await self._complete(job, response, b"")
        if is_streamed(response.status, kind):
            return await self._streamed(job, response, b"", leaving)
        body = await self._read(response)
        if not body.complete:
            if response.status == PAYMENT_REQUIRED:
                raise PortFailure("upstream", Mode.GARBAGE, "upstream_payment_required")
            return await self._streamed(job, response, body.data, leaving)
        encoding = response.header(b"content-encoding")
        reason = body_fault(
            response.status, kind, encoding, body.data, validate_json=job.listing.validate_json
        )
        if reason is not None:
            raise PortFailure("upstream", Mode.GARBAGE, reason)
        return await self._complete(job, response, body.data)

    async def _read(self, response: Response) -> _Body:
        limit, length = self._settings.response_bytes, response.content_length
        if length is not None and length > limit:
            raise PortFailure("upstream", Mode.GARBAGE, "response_too_large")
        pieces: list[bytes] = []
        size = 0
        deadline = asyncio.get_running_loop().time() + self._settings.total_seconds
        while piece := await response.piece(self._settings.idle_seconds, deadline):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise PortFailure("upstream", Mode.GARBAGE, "response_too_large")
            if length is None and size > self._settings.stream_after_bytes:
                return _Body(b"".join(pieces), False)
        return _Body(b"".join(pieces), True)

    async def _complete(self, job: Job, response: Response, body: bytes) -> Raw | Stream:
        pairs = self._pairs(job, response)
        extra = await self._closed(job, response.status, pairs, body)
        if job.call.method == "HEAD":
            return _as_stream(response.status, pairs, extra, _nothing(), response.content_length)
        if response.status in BODILESS:
            return _as_stream(response.status, pairs, extra, _nothing(), None)
        headers = dict(pairs)
        kind = headers.pop("content-type", None)
        if kind is None or len(headers) != len(pairs) - 1:
            return _as_stream(response.status, pairs, extra, _once(body), len(body))
        return Raw(body, kind, response.status, {**headers, **extra})

    async def _streamed(self, job: Job, response: Response, prefix: bytes, leaving: Leaving) -> Stream:
        """The payment is decided now: what has begun to flow cannot be taken back."""
        pairs = self._pairs(job, response)
        extra = {**await self._closed(job, response.status, pairs, None), "X-Accel-Buffering": "no"}
        status: Status = "success" if response.status < FIRST_ERROR else "upstream_error"
        job.live = True
        chunks = self._chunks(job, response, prefix, leaving, status)
        return _as_stream(response.status, pairs, extra, chunks, None)

    async def _closed(self, job: Job, status: int, pairs: Pairs, body: bytes | None) -> dict[str, str]:
        """Collect where that is still to be done, settle the ledger; what the answer's headers say. `body` is None
        for a stream, which cannot be kept."""
        good = status < FIRST_ERROR
        collected: Collected | None = None
        if job.collect is not None:
            collected = await job.collect() if good else None
            charge = collected is not None
        else:
            charge = is_charged(status, job.listing.charge_policy)
        outcome = Outcome(
            "success" if good else "upstream_error",
            charge=charge,
            seen=True,
            http_status=status,
            response_bytes=len(body or b""),
        )
        receipt = collected.headers if collected else {}
        answer: Kept | None = None
        if job.hold.remembered is not None and body is not None:
            own = {**self._extra(job, "consumed"), **receipt}
            answer = Kept(Head(status, [*pairs, *own.items()]), body)
        paid = await self._settle(job, outcome, collected.moved if collected else None, answer)
        extra = {**self._extra(job, paid), **receipt}
        if job.remaining is not None:
            extra["X-Payment-Remaining"] = await job.remaining()
        return extra

    async def _chunks(
        self, job: Job, response: Response, prefix: bytes, leaving: Leaving, status: Status
    ) -> AsyncIterator[bytes]:
        sent = 0
        ended: Status = "aborted"
        events = media_type(response.header(b"content-type")) == EVENT_STREAM
        idle = self._settings.stream_idle_seconds if events else self._settings.idle_seconds
        deadline = asyncio.get_running_loop().time() + self._settings.stream_total_seconds
        leaving.meanwhile(lambda: response.fail(Mode.ERROR, "consumer_gone"))
        try:
            piece = prefix or await response.piece(idle, deadline)
            while piece:
                sent += len(piece)
                if sent > self._settings.stream_bytes:
                    raise PortFailure("upstream", Mode.GARBAGE, "response_too_large")
                yield piece
                piece = await response.piece(idle, deadline)
            ended = status
        finally:
            response.release()
            leaving.stop()
            job.leave()
            with contextlib.suppress(PortFailure):
                await self._ledger.finish_stream(job.hold, ended, sent)

    # -- failures ---------------------------------------------------------------------------------------------

    async def _failed(self, job: Job, failure: PortFailure) -> FaultError:
        log.warning(
            "call %s: the target failed: %s (%s)", job.hold.call_id, failure, type(failure.__cause__).__name__
        )
        seen = job.dispatched or failure.mode not in (Mode.UNAVAILABLE,)
        fault, status = _meaning(failure)
        late = failure.mode is Mode.TIMEOUT and failure.reason != "connect"
        outcome = Outcome(
            status,
            charge=late and job.listing.charge_policy == "always",
            seen=seen and failure.reason != "connect",
            http_status=job.status,
            error_code=fault,
        )
        paid = await self._settle(job, outcome)
        more: dict[str, Any] = {"paymentStatus": paid, "callId": job.hold.call_id}
        headers = self._extra(job, paid)
        if failure.mode is Mode.TIMEOUT:
            phase = failure.reason if failure.reason in ("connect", "first_byte", "total") else "first_byte"
            return GATEWAY_TIMEOUT(
                timeoutMs=self._timeout_ms(job, phase), phase=phase, headers=headers, **more
            )
        if failure.mode is Mode.GARBAGE:
            reason = "protocol" if failure.reason == "injected" else failure.reason
            return INVALID_GATEWAY_RESPONSE(
                reason=reason, detail={"upstreamStatus": job.status}, headers=headers, **more
            )
        reason = failure.reason
        if reason == "injected":
            reason = "reset" if failure.mode is Mode.ERROR else "connect"
        return GATEWAY_ERROR(reason=reason, headers=headers, **more)

    def _timeout_ms(self, job: Job, phase: str) -> int:
        seconds = {
            "connect": self._settings.connect_seconds,
            "first_byte": job.timeout_seconds,
            "total": self._settings.total_seconds,
        }[phase]
        return round(seconds * 1000)

    async def _uncollected(self, job: Job, refusal: FaultError) -> FaultError:
        """The target's answer is discarded; the payment may be presented again."""
        outcome = Outcome(
            "gateway_error", charge=False, seen=True, http_status=job.status, error_code=refusal.fault.code,
            undecided=refusal.fault is PAYMENT_NOT_CONFIRMED,
        )  # fmt: skip
        paid = await self._settle(job, outcome)
        detail = {**(refusal.detail or {}), "paymentStatus": paid, "callId": job.hold.call_id}
        headers = {**refusal.extra_headers, **self._extra(job, paid)}
        return FaultError(refusal.fault, refusal.params, detail, refusal.extra, headers)

    async def _settle(
        self, job: Job, outcome: Outcome, moved: Moved | None = None, answer: Kept | None = None
    ) -> str:
        outcome.latency_ms = self._latency_ms(job)
        return await self._ledger.settle(job.hold, outcome, moved, answer)

    def _latency_ms(self, job: Job) -> int:
        return round((self._clock.monotonic() - job.began) * 1000)

    def _extra(self, job: Job, paid: str) -> dict[str, str]:
        return {
            "X-Call-Id": job.hold.call_id,
            "X-Payment-Status": paid,
            "X-Gateway-Latency-Ms": str(self._latency_ms(job)),
        }

    def _pairs(self, job: Job, response: Response) -> Pairs:
        return to_consumer(
            response.headers,
            set_cookie=job.listing.forward_set_cookie,
            hide_powered_by=self._settings.hide_powered_by,
            base=job.listing.endpoint,
            gateway=job.gateway_url,
        )


def _meaning(failure: PortFailure) -> tuple[str, Status]:
    if failure.mode is Mode.TIMEOUT:
        return GATEWAY_TIMEOUT.code, "timeout"
    if failure.mode is Mode.GARBAGE:
        return INVALID_GATEWAY_RESPONSE.code, "gateway_error"
    return GATEWAY_ERROR.code, "gateway_error"


def _as_stream(
    status: int, pairs: Pairs, extra: dict[str, str], chunks: AsyncIterator[bytes], length: int | None
) -> Stream:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    return Stream(chunks, None, status, length, extra, raw)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
