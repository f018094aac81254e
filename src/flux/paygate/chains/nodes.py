"""JSON-RPC over HTTP to the nodes of one chain.

Did the node answer? Not reached (DNS, refused, TLS, timeout, HTTP 429 and 5xx) is `Mode.UNAVAILABLE` or
`Mode.TIMEOUT`, tried again, at the next URL too. An answer that is no good (an error object, HTML, another chain) is
`Mode.ERROR` or `Mode.GARBAGE` and final. URLs and texts of nodes never leave this file except into the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from flux.kernel.faults import Mode, PortFailure
from flux.kernel.store import Clock
from flux.paygate.chains.decoding import Undecodable, quantity
from flux.paygate.chains.registry import Chain

if TYPE_CHECKING:
    from aiohttp import ClientSession

log = logging.getLogger("flux.paygate.chains")
Request = tuple[str, list[Any]]

RETRIES = 2
RECHECK_SECONDS = 300
BREAKER_FAILURES = 5
BREAKER_WINDOW_SECONDS = 30.0
BREAKER_OPEN_SECONDS = 10.0
MAX_ANSWER_BYTES = 16_777_216


class ChainFailure(PortFailure):
    """A `PortFailure` of the chain port that knows which chain."""

    def __init__(self, chain: str, mode: Mode, reason: str) -> None:
        super().__init__("chain", mode, reason)
        self.chain = chain

    @classmethod
    def nonsense(cls, chain: str) -> ChainFailure:
        return cls(chain, Mode.GARBAGE, "bad_response")


class RpcRefused(ChainFailure):
    """The node answered with an error object: a call that reverts, a transaction it does not take. `text` never
    leaves the process."""

    def __init__(self, chain: str, error: Any) -> None:
        super().__init__(chain, Mode.ERROR, "rpc_error")
        self.text = str(error.get("message", "")) if isinstance(error, dict) else str(error)


class _Unreached(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Node:
    """One URL: its circuit breaker, and when its chain id was last seen to be right."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.checked_at = float("-inf")
        self._failures: deque[float] = deque(maxlen=BREAKER_FAILURES)
        self._open_until = 0.0
        self._worked_at = float("-inf")

    def is_open(self, now: float) -> bool:
        return now < self._open_until

    def failed(self, began: float, now: float) -> None:
        """A node that answered somebody else meanwhile is there, whatever became of this request."""
        self.checked_at = float("-inf")
        if self._worked_at >= began:
            return
        self._failures.append(now)
        if len(self._failures) == BREAKER_FAILURES and now - self._failures[0] <= BREAKER_WINDOW_SECONDS:
            self._open_until = now + BREAKER_OPEN_SECONDS

    def worked(self, now: float) -> None:
        self._worked_at = now
        self._failures.clear()
        self._open_until = 0.0


class ChainClient:
    """The nodes of one chain, tried in order. No session is needed for a chain without nodes."""

    def __init__(
        self,
        chain: Chain,
        session: ClientSession | None,
        clock: Clock,
        call_seconds: float,
        budget_seconds: float,
    ) -> None:
        self.chain = chain
        self._session = session
        self._clock = clock
        self._seconds = call_seconds
        self._budget = budget_seconds
        self._nodes = [_Node(url) for url in chain.rpc_urls]

    async def call(self, *requests: Request) -> list[Any]:
        """The results of one batch, in order. Raises `ChainFailure`."""
        if not self._nodes:
            raise ChainFailure(self.chain.name, Mode.UNAVAILABLE, "not_configured")
        try:
            async with asyncio.timeout(self._budget):
                return await self._anywhere(requests)
        except TimeoutError:
            raise ChainFailure(self.chain.name, Mode.TIMEOUT, "timeout") from None

    async def _anywhere(self, requests: Sequence[Request]) -> list[Any]:
        reason = "circuit_open"
        for node in self._nodes:
            began = self._clock.monotonic()
            if node.is_open(began):
                continue
            try:
                results = await self._persistently(node, requests)
            except _Unreached as failure:
                node.failed(began, self._clock.monotonic())
                reason = failure.reason
                continue
            node.worked(self._clock.monotonic())
            return results
        mode = Mode.TIMEOUT if reason == "timeout" else Mode.UNAVAILABLE
        raise ChainFailure(self.chain.name, mode, reason)

    async def _persistently(self, node: _Node, requests: Sequence[Request]) -> list[Any]:
        for attempt in range(RETRIES + 1):
            try:
                await self._check_chain(node)
                return await self._post(node, requests)
            except _Unreached as failure:
                node.checked_at = float("-inf")
                if attempt == RETRIES or failure.reason == "timeout":
                    raise
                await asyncio.sleep(self._jittered(attempt))
        raise AssertionError("the loop returns or raises")

    def _jittered(self, attempt: int) -> float:
        """30 to 120 ms, longer each time; spread by the clock, since nothing depends on it being random."""
        return (0.03 + self._clock.monotonic() * 1000 % 1 * 0.09) * (attempt + 1)

    async def _check_chain(self, node: _Node) -> None:
        """Alone, not in a batch: a node that is something else entirely is told apart more surely so."""
        now = self._clock.monotonic()
        if now - node.checked_at < RECHECK_SECONDS:
            return
        [result] = await self._post(node, [("eth_chainId", [])])
        try:
            found = quantity(result)
        except Undecodable:
            raise ChainFailure(self.chain.name, Mode.GARBAGE, "bad_response") from None
        if found != self.chain.chain_id:
            log.error("a node of chain %s is on chain id %d", self.chain.name, found)
            raise ChainFailure(self.chain.name, Mode.ERROR, "chain_id_mismatch")
        node.checked_at = now

    async def _post(self, node: _Node, requests: Sequence[Request]) -> list[Any]:
        bodies = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": params}
            for index, (method, params) in enumerate(requests)
        ]
        sent = msgspec.json.encode(bodies if len(bodies) > 1 else bodies[0], enc_hook=str)
        status, body = await self._exchange(node, sent)
        if status == 429 or status >= 500:
            raise _Unreached("unreachable")
        answers = self._decoded(body, len(bodies), status)
        results: list[Any] = []
        for answer in answers:
            if answer.get("error") is not None or "result" not in answer:
                log.warning("chain %s: JSON-RPC error %.200r", self.chain.name, answer.get("error"))
                raise RpcRefused(self.chain.name, answer.get("error"))
            results.append(answer["result"])
        return results

    async def _exchange(self, node: _Node, sent: bytes) -> tuple[int, bytes]:
        import aiohttp  # here, as it costs a fifth of a second which instances without chains need not pay

        assert self._session is not None
        headers = {"Content-Type": "application/json"}
        timeout = aiohttp.ClientTimeout(total=self._seconds)
        try:
            async with self._session.post(
                node.url, data=sent, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                body = await response.content.read(MAX_ANSWER_BYTES)
                while not response.content.at_eof() and len(body) < MAX_ANSWER_BYTES:
                    body += await response.content.read(MAX_ANSWER_BYTES)
                return response.status, body
        except TimeoutError:
            raise _Unreached("timeout") from None
        except aiohttp.ClientResponseError:
            raise ChainFailure(self.chain.name, Mode.GARBAGE, "bad_response") from None
        except (aiohttp.ClientError, OSError) as error:
            log.warning("chain %s: a node was not reached: %s", self.chain.name, type(error).__name__)
            raise _Unreached("unreachable") from None

    def _decoded(self, body: bytes, count: int, status: int) -> list[dict[str, Any]]:
        """The answers in the order of the requests. A lone error object answers a whole batch."""
        try:
            answer = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ChainFailure(self.chain.name, Mode.GARBAGE, "bad_response") from None
        if isinstance(answer, dict):
            if answer.get("error") is not None:
                return [answer]
            answer = [answer]
        if status >= 300 or not isinstance(answer, list) or len(answer) != count:
            raise ChainFailure(self.chain.name, Mode.GARBAGE, "bad_response")
        if not all(isinstance(one, dict) for one in answer):
            raise ChainFailure(self.chain.name, Mode.GARBAGE, "bad_response")
        if count > 1:
            by_id = {one.get("id"): one for one in answer if isinstance(one.get("id"), int)}
            if sorted(by_id) != list(range(count)):
                raise ChainFailure(self.chain.name, Mode.GARBAGE, "bad_response")
            answer = [by_id[index] for index in range(count)]
        return answer
