"""The blocking client. `aio.py` is the same with `await`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from types import TracebackType
from typing import Any, Self

import httpx

from flux.client.dialects import COMMUNITY, CONTENT, PAYGATE, Dialect
from flux.client.errors import TargetAnswer
from flux.client.exchange import (
    Ask,
    Exchange,
    FileContent,
    Files,
    Params,
    checked_base,
    message_ask,
    no_cookies,
)
from flux.client.operator import read_operator_file
from flux.client.paid import PaidAnswer, PaymentProof, paid_ask
from flux.client.retrying import RetryPolicy

Sleep = Callable[[float], None]


class PlaneClient:
    """One plane at one base URL, asked with one credential."""

    dialect: Dialect

    def __init__(
        self,
        base_url: str,
        credential: httpx.Auth | None,
        *,
        http: httpx.Client,
        retry: RetryPolicy,
        timeout: float,
        sleep: Sleep = time.sleep,
    ) -> None:
        self.base_url = checked_base(base_url)
        self.credential = credential
        self._http = http
        self._retry = retry
        self._timeout = timeout
        self._sleep = sleep

    def using(self, credential: httpx.Auth | None) -> Self:
        """The same plane over the same connections, asked as somebody else (None: nobody)."""
        return type(self)(
            self.base_url,
            credential,
            http=self._http,
            retry=self._retry,
            timeout=self._timeout,
            sleep=self._sleep,
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        files: Files | None = None,
        data: Mapping[str, Any] | None = None,
        idempotent: bool | None = None,
        timeout: float | None = None,
    ) -> Any:
        """The decoded JSON of a success, None when it has no body.

        `path` is below the base URL. `params` of None are left out. `idempotent` says whether repeating is
        harmless; by default the method decides. `timeout` in seconds bounds one attempt. Raises `FluxError`.
        """
        ask = Ask(method, path, json, params, headers, files, data, None, idempotent, timeout)
        exchange = self._exchange(ask)
        return exchange.decoded(self._run(exchange))

    def send(self, ask: Ask) -> httpx.Response:
        """The answer as it came, below 400; for bytes, headers and conditional reads. Raises `FluxError`."""
        return self._run(self._exchange(ask))

    def _exchange(self, ask: Ask) -> Exchange:
        return Exchange(ask, self.base_url, self.dialect, self._retry, self._timeout)

    def _run(self, exchange: Exchange) -> httpx.Response:
        while True:
            try:
                request = exchange.request(self._http)
                response = self._http.send(request, auth=self.credential, stream=True, follow_redirects=False)
                try:
                    response.read()
                finally:
                    response.close()
            except httpx.DecodingError:
                wait: float | None = exchange.garbled(response)
            except httpx.RequestError as trouble:
                wait = exchange.lost(trouble)
            else:
                wait = exchange.judge(response)
            if wait is None:
                return response
            self._sleep(wait)


class CommunityClient(PlaneClient):
    dialect = COMMUNITY

    def me(self) -> dict[str, Any]:
        """The user whose credential this is."""
        user: dict[str, Any] = self.request("GET", "/users/@me")
        return user

    def send_message(
        self,
        channel_id: int | str,
        content: str | None = None,
        *,
        files: Sequence[tuple[str, FileContent]] = (),
        **fields: Any,
    ) -> dict[str, Any]:
        """Post a message; `files` are (name, content) pairs, `fields` further members of its body."""
        exchange = self._exchange(
            message_ask(channel_id, fields if content is None else {"content": content, **fields}, files)
        )
        message: dict[str, Any] = exchange.decoded(self._run(exchange))
        return message


class ContentClient(PlaneClient):
    """Management under `/v1/{environment}/…`, delivery under `/flux/{environment}/{prefix}/…`."""

    dialect = CONTENT


class PaygateClient(PlaneClient):
    dialect = PAYGATE

    def call(
        self,
        api_id: str,
        path: str = "",
        *,
        method: str = "GET",
        proof: PaymentProof | None = None,
        idempotency_key: str | None = None,
        json: Any = None,
        content: bytes | str | None = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        timeout: float | None = None,
    ) -> PaidAnswer:
        """A paid call. What the target answers is returned whatever its status; what the gateway itself refuses
        is raised as a `PaygateError`. The same proof is sent again only while the payment is released."""
        ask = paid_ask(
            api_id, path, method=method, proof=proof, idempotency_key=idempotency_key, headers=headers,
            idempotent=idempotent, json=json, content=content, params=params, timeout=timeout,
        )  # fmt: skip
        try:
            response = self.send(ask)
        except TargetAnswer as error:
            return PaidAnswer(error.status, error.answer.headers, error.answer.body)
        return PaidAnswer(response.status_code, dict(response.headers), response.content)


class FluxClient:
    """One Flux server: `.community`, `.content` and `.paygate`, over one pool of connections.

    `origin` is the server's address (`http://127.0.0.1:8080`); a plane that has an address of its own gets it in
    `<plane>_url`. `timeout` in seconds bounds one attempt. An `http` that is passed in is not closed here.
    """

    def __init__(
        self,
        origin: str,
        *,
        community: httpx.Auth | None = None,
        content: httpx.Auth | None = None,
        paygate: httpx.Auth | None = None,
        community_url: str | None = None,
        content_url: str | None = None,
        paygate_url: str | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = 30.0,
        http: httpx.Client | None = None,
        sleep: Sleep = time.sleep,
    ) -> None:
        self.origin = checked_base(origin)
        self._owned = http is None
        self._http = httpx.Client(cookies=no_cookies()) if http is None else http
        shared: dict[str, Any] = {
            "http": self._http,
            "retry": retry or RetryPolicy(),
            "timeout": timeout,
            "sleep": sleep,
        }
        self.community = CommunityClient(community_url or self.origin + COMMUNITY.mount, community, **shared)
        self.content = ContentClient(content_url or self.origin + CONTENT.mount, content, **shared)
        self.paygate = PaygateClient(paygate_url or self.origin + PAYGATE.mount, paygate, **shared)

    @classmethod
    def from_operator_file(cls, path: str | PathLike[str], origin: str | None = None, **options: Any) -> Self:
        """With the operator's credentials for every plane and its addresses, from the `operator.json` in the
        server's data directory. `origin` replaces the addresses (a tunnel, a proxy); `options` go to the
        constructor and win. Raises OSError, or ValueError when it is no such file."""
        return cls(**{**read_operator_file(path).options(origin), **options})

    def close(self) -> None:
        if self._owned:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
