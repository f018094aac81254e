"""Text messages over HTTP: to a webhook of the operator's, or through Twilio."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode

import msgspec

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.post.carrier import Undeliverable
from flux.kernel.post.repository import QueuedLetter
from flux.kernel.store.clock import Clock
from flux.settings.post import PostSettings

_REFUSED_FOR_GOOD = (400, 413, 422)
"""The text or its number is at fault. Any other refusal may be the settings' or the other side's."""

_ANSWER_BYTES = 65_536


class WebhookSms:
    """POSTs `{"id", "to", "text"}`. `X-Flux-Signature: t=<unix seconds>,v1=<hex>` holds the HMAC-SHA256 of
    `<t>.<body>` under the shared secret. The same `id` may come twice; any 2xx answer is acceptance."""

    def __init__(self, settings: PostSettings, clock: Clock) -> None:
        if not settings.sms_webhook_url or not settings.sms_webhook_secret:
            raise ValueError("post.sms = webhook needs sms_webhook_url and sms_webhook_secret")
        self._url = settings.sms_webhook_url
        self._secret = settings.sms_webhook_secret.encode()
        self._timeout = settings.timeout_seconds
        self._clock = clock

    async def carry(self, letter: QueuedLetter) -> None:
        body = msgspec.json.encode({"id": str(letter.id), "to": letter.to, "text": letter.text})
        at = self._clock.now_ms() // 1000
        signature = hmac.new(self._secret, b"%d." % at + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Flux-Signature": f"t={at},v1={signature}"}
        status, _ = await _post(self._url, self._timeout, data=body, headers=headers)
        _judge(status, f"http-{status}")


class TwilioSms:
    """Twilio's `Messages` resource. `twilio_from` is a number, or a messaging service when it starts with MG."""

    def __init__(self, settings: PostSettings) -> None:
        account, token, sender = settings.twilio_account, settings.twilio_token, settings.twilio_from
        if not account or not token or not sender:
            raise ValueError("post.sms = twilio needs twilio_account, twilio_token and twilio_from")
        self._url = f"{settings.twilio_url.rstrip('/')}/2010-04-01/Accounts/{account}/Messages.json"
        self._auth = f"Basic {b64encode(f'{account}:{token}'.encode()).decode()}"
        self._sender = {"MessagingServiceSid" if sender.startswith("MG") else "From": sender}
        self._timeout = settings.timeout_seconds

    async def carry(self, letter: QueuedLetter) -> None:
        form = {"To": letter.to, "Body": letter.text, **self._sender}
        status, answer = await _post(
            self._url, self._timeout, data=form, headers={"Authorization": self._auth}
        )
        _judge(status, _twilio_reason(status, answer))


class _TwilioError(msgspec.Struct):
    code: int


def _twilio_reason(status: int, answer: bytes) -> str:
    """`twilio-21211` from an error answer, `http-502` from one that is not Twilio's."""
    try:
        return f"twilio-{msgspec.json.decode(answer, type=_TwilioError).code}"
    except msgspec.DecodeError:
        return f"http-{status}"


def _judge(status: int, reason: str) -> None:
    if 200 <= status < 300:
        return
    if status in _REFUSED_FOR_GOOD:
        raise Undeliverable(reason)
    raise PortFailure("sms", Mode.ERROR, reason)


async def _post(
    url: str, seconds: float, *, data: bytes | dict[str, str], headers: dict[str, str]
) -> tuple[int, bytes]:
    """Status and the beginning of the answer. Redirects are not followed: the letter is for that address."""
    import aiohttp  # here, as it costs a fifth of a second which most instances need not pay

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds)) as session,
            session.post(url, data=data, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status, await answer.content.read(_ANSWER_BYTES)
    except TimeoutError:
        raise PortFailure("sms", Mode.TIMEOUT, "timeout") from None
    except aiohttp.ClientConnectionError:
        raise PortFailure("sms", Mode.UNAVAILABLE, "connect") from None
    except aiohttp.ClientError:
        raise PortFailure("sms", Mode.ERROR, "http") from None
