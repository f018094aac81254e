"""Payments under fire: waves of seeded lives against one server, through a node and to a target that misbehave by script.

Each life pays on chain, calls, meets its misfortunes, and calls again as an honest consumer would until it is served, or
told that its payment is used up. `tests/durability/audit.py` opens the books afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from typing import Any

import aiohttp
from tests.clients.paygate_world import API, PRICE, Hit, Target
from tests.durability.authorising import Authorising
from tests.durability.lives import COLLECTING, CRASHES, Life, born
from tests.harness.anvil import Anvil
from tests.harness.node import HostileNode
from tests.harness.server import Server

from flux.paygate.signing.curve import sign
from flux.paygate.signing.message import call_digest

PATIENCE_SECONDS = 600.0
CRASH_EVERY = 5
PAYERS = {"plain": 1, "late": 1, "moved": 2, "vanish": 3}
"""Whose transactions are replaced must not share a sender with those that stay."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: "


class FireTarget(Target):
    """Can also hold a call until its process is dead, and cut a stream or a body in the middle."""

    async def _answer(self, hit: Hit, writer: asyncio.StreamWriter) -> bool:
        last = hit.target.partition("?")[0].rpartition("/")[2]
        if last == "hit":
            await asyncio.sleep(1.5)
        if last not in ("cut", "half"):
            return await super()._answer(hit, writer)
        if last == "cut":
            writer.write(
                HEAD + b"text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n"
            )
        else:
            writer.write(HEAD + b"text/plain\r\nContent-Length: 1000\r\n\r\n" + b"x" * 300)
        await writer.drain()
        writer.transport.abort()
        return False


@dataclass
class Fire:
    server: Server
    chain: Anvil
    node: HostileNode
    target: FireTarget
    listing: dict[str, Any]
    patient: dict[str, Any]
    """A listing whose target is waited for, however busy it is."""
    x402: Authorising
    http: aiohttp.ClientSession
    seed: int
    lives: list[Life] = field(default_factory=list)
    running: set[asyncio.Task[None]] = field(default_factory=set)
    waves: int = 0
    gas: Iterator[int] = field(default_factory=lambda: count(21_000))

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.crew = "--workers" in self.server.command

    # -- paying -----------------------------------------------------------------------------------------------

    async def pay(self, lives: list[Life]) -> None:
        """Of one payer. Sent, not mined: nothing is but by `mine`.

        A payment that vanished leaves its nonce to the next one: their limits of gas keep their hashes apart.
        """
        if not lives:
            return
        payer = self.chain.accounts[PAYERS[lives[0].kind]]
        nonce = int(await self.chain.rpc("eth_getTransactionCount", payer.address, "pending"), 16)
        payment = {
            "from": payer.address,
            "to": self.listing["recipient"],
            "value": hex(PRICE),
        }
        asked: list[tuple[str, list[Any]]] = [
            ("eth_sendTransaction", [{**payment, "nonce": hex(nonce + number), "gas": hex(next(self.gas))}])
            for number in range(len(lives))
        ]
        for life, result in zip(lives, await self.rpc(asked), strict=True):
            life.tx_hash = str(result)

    async def rpc(self, asked: list[tuple[str, list[Any]]], url: str = "") -> list[Any]:
        """A batch, past the hostile node."""
        if not asked:
            return []
        body = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(asked)
        ]
        async with self.http.post(url or self.chain.url, json=body) as answer:
            told = sorted(await answer.json(), key=lambda one: int(one["id"]))
        assert all("result" in one for one in told), told
        return [one["result"] for one in told]

    # -- calling ----------------------------------------------------------------------------------------------

    def listing_of(self, life: Life) -> dict[str, Any]:
        return self.patient if life.patient else self.listing

    def url(self, life: Life, path: str) -> str:
        return f"{self.server.origin}{API}/gateway/{self.listing_of(life)['id']}/{path}"

    def proof(self, life: Life) -> dict[str, str]:
        if life.authorised:
            return self.x402.proof(life)
        now = int(time.time())
        key = bytes(self.chain.accounts[PAYERS.get(life.kind, 1)].key)
        signature = sign(call_digest(self.listing_of(life)["id"], life.tx_hash, now), key)
        return {"X-Payment-Tx": life.tx_hash, "X-Signature": signature, "X-Timestamp": str(now)}

    async def call(self, life: Life, path: str) -> tuple[int, str]:
        """The status (0: the connection broke) and, of a refusal, its reason or code."""
        began, status, word = time.monotonic(), 0, ""
        life.calls += 1
        try:
            # aiohttp sends a GET whose connection broke a second time by itself, and tells nobody.
            url = self.x402.url(life, path) if life.authorised else self.url(life, path)
            async with self.http.post(url, headers=self.proof(life)) as answer:
                await answer.read()
                status = answer.status
                if status < 400:
                    life.delivered += 1
                elif "x-gateway-error" not in answer.headers:
                    word = "upstream"
                else:
                    told = await answer.json()
                    word = str(told["details"].get("reason") or told["error"])
                    life.refusals.append(f"{told['error']}:{word}")
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            status = 0
            life.broken += 1
        finally:
            life.slowest = max(life.slowest, time.monotonic() - began)
        return status, word

    async def live(self, life: Life) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        await asyncio.sleep(self.dice.uniform(0.0, 0.3))
        for misfortune in life.script:
            await self._suffer(life, misfortune)
        while not life.over:
            assert time.monotonic() < deadline, life
            status, word = await self.call(life, "ok")
            if status == 200 or word == "payment_already_used" or (life.gone and word == "PAYMENT_NOT_FOUND"):
                life.over = True
            else:
                # In use, not mined yet, a node or the server away: all of that passes.
                await asyncio.sleep(self.dice.uniform(0.2, 0.8))

    async def _suffer(self, life: Life, misfortune: str) -> None:
        word, _, detail = misfortune.partition(":")
        if word == "die":
            await self.call(life, "hit?die=answered" if detail == "hit" else f"ok?die={detail}")
        elif word == "node":
            self.node.fates.setdefault(life.tx_hash, []).append(detail)
            await self.call(life, "ok")
        elif word == "stolen":
            await self.x402.steal(life)
            await self.call(life, "ok")
        elif word.startswith("eth_"):
            self.x402.mislead(life, word, detail)
            await self.call(life, "ok")
        elif word == "twice":
            await asyncio.gather(*(self.call(life, "ok") for _ in range(5)))
        elif word == "thrice":
            for _ in range(3):
                await self.call(life, "status/500")
        elif word == "leaves":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.call(life, "ok"), self.dice.uniform(0.001, 0.05))
        else:
            await self.call(life, misfortune)

    # -- waves ------------------------------------------------------------------------------------------------

    async def wave(self, size: int, *, crashing: bool) -> None:
        """`size` lives at once; those that are still under way when most are over go on beside the next wave."""
        self.waves += 1
        # A process dies soon after its first call stands somewhere, and calls that settle come late to where they stand: in
        # every third wave only they do.
        points = cycle(CRASHES if self.waves % 3 else COLLECTING)
        lives = [
            born(self.dice, next(points) if crashing and not n % CRASH_EVERY else None) for n in range(size)
        ]
        self.lives += lives
        authorised = [life for life in lives if life.authorised]
        for life in authorised:
            self.x402.sign(life, self.dice)
        by_kind = {kind: [life for life in lives if life.kind == kind] for kind in PAYERS}
        await self.pay(by_kind["plain"])
        await self.chain.mine()
        await self.pay(by_kind["late"])
        self._begin(by_kind["plain"] + by_kind["late"] + authorised)
        if self.dice.random() < 0.3:
            self._kill_later()
        await asyncio.sleep(self.dice.uniform(0.1, 0.4))
        await self.chain.mine()
        await self._reorganise(by_kind["moved"], by_kind["vanish"])
        while len(self.running) > size // 2:
            await self._look_after()

    async def _reorganise(self, moved: list[Life], vanishing: list[Life]) -> None:
        """A block of their own on top of everything, and another one in its place."""
        if not moved and not vanishing:
            return
        for life in moved:
            life.raw = await self._signed_raw(life)
        await self.pay(vanishing)
        await self.chain.mine()
        self._begin(moved + vanishing)
        deadline = time.monotonic() + self.dice.uniform(1.0, 6.0)
        while time.monotonic() < deadline and not all(life.over for life in moved + vanishing):
            await self._look_after()
        await self.chain.rpc("anvil_reorg", 1, [[life.raw, 0] for life in moved])
        for life in vanishing:
            life.gone = True

    async def _signed_raw(self, life: Life) -> str:
        account = self.chain.accounts[PAYERS[life.kind]]
        nonce = int(await self.chain.rpc("eth_getTransactionCount", account.address, "pending"), 16)
        signed = account.sign_transaction(
            {"chainId": self.chain.chain_id, "nonce": nonce, "to": self.listing["recipient"], "value": PRICE,
             "gas": 21_000, "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 1, "type": 2}
        )  # fmt: skip
        raw = "0x" + signed.raw_transaction.hex()
        life.tx_hash = await self.chain.rpc("eth_sendRawTransaction", raw)
        return raw

    def _begin(self, lives: list[Life]) -> None:
        self.running |= {asyncio.ensure_future(self.live(life)) for life in lives}

    async def _look_after(self) -> None:
        """What is over is let go, and a failure is heard of at once; the dead are replaced."""
        if not self.crew and self.server.process.poll() is not None:
            # One that is killed again while it starts is replaced the next time round.
            with contextlib.suppress(RuntimeError):
                await self.server.restart()
        for task in [task for task in self.running if task.done()]:
            self.running.discard(task)
            task.result()
        await asyncio.sleep(0.05)

    async def finish(self) -> None:
        while self.running:
            await self._look_after()

    def _kill_later(self) -> None:
        """At any moment, beside those that are hit on purpose."""
        asyncio.get_running_loop().call_later(self.dice.uniform(0.05, 0.8), self.kill)

    def kill(self) -> None:
        """The one process, or one of the workers; those that are dead already have not been replaced yet."""
        victims = children(self.server.process.pid) if self.crew else [self.server.process.pid]
        if victims and self.server.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.dice.choice(victims), signal.SIGKILL)

    def summary(self) -> str:
        kinds = Counter(life.kind for life in self.lives)
        met = Counter(one.partition(":")[0] for life in self.lives for one in life.script)
        calls = sum(life.calls for life in self.lives)
        served = sum(life.delivered for life in self.lives)
        return f"seed {self.seed}: {len(self.lives)} lives {dict(kinds)}, {calls} calls, {served} served, met {dict(met)}"


def children(pid: int) -> list[int]:
    """Serving children of a process."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes()
                if int(fields[1]) == pid and b"flux.cli" in command and fields[0] != "Z":
                    found.append(int(entry.name))
    return found
