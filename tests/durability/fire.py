"""Payments under fire: seeded lives of payments, each with a fault at one moment, and what must hold in the end.

A life pays on chain, calls, meets its fault, and tries again as an honest client would until it is served or told that
its payment is used up. Afterwards the books are opened: nobody charged twice, nobody served for nothing, nobody's paid
call lost without a record.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from eth_account.signers.local import LocalAccount
from tests.clients.paygate_world import API, PRICE, Hit, Target
from tests.durability.books import Books
from tests.harness.anvil import Anvil
from tests.harness.node import HostileNode
from tests.harness.server import Server

from flux.paygate.signing.curve import sign
from flux.paygate.signing.message import call_digest

PATIENCE_SECONDS = 60.0
KINDS = {
    "plain": 6, "status/500": 3, "hangup": 3, "short": 3, "garbage": 2, "badchunk": 2, "slow": 2, "cut": 2,
    "late": 2, "leaves": 3, "twice": 3, "node": 3, "thrice": 2, "hangups": 2,
}  # fmt: skip
"""How a life goes, and how often. Most are what the target does with the first call."""
CRASHES = ("upstream", "hit", "answer", "chain", "random")


class FireTarget(Target):
    """Tells when it is called and when it has answered, and can cut a stream in the middle."""

    on_hit: Callable[[Hit], None] = staticmethod(lambda _: None)
    on_answer: Callable[[Hit], None] = staticmethod(lambda _: None)

    async def _answer(self, hit: Hit, writer: asyncio.StreamWriter) -> bool:
        self.on_hit(hit)
        if hit.target.endswith("/cut"):
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            writer.write(b"9\r\ndata: 1\n\n\r\n")
            await writer.drain()
            writer.transport.abort()
            return False
        more = await super()._answer(hit, writer)
        self.on_answer(hit)
        return more


@dataclass
class Life:
    """`delivered` good answers reached the consumer whole."""

    kind: str
    tx_hash: str = ""
    delivered: int = 0
    refusals: list[str] = field(default_factory=list)
    crashed: bool = False
    over: bool = False


@dataclass
class Fire:
    server: Server
    chain: Anvil
    node: HostileNode
    target: FireTarget
    consumer: LocalAccount
    listing: dict[str, Any]
    http: aiohttp.ClientSession
    seed: int
    lives: list[Life] = field(default_factory=list)
    nonce: int = 0
    running: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.base = f"{self.server.origin}{API}/gateway/{self.listing['id']}"

    # -- paying and calling -----------------------------------------------------------------------------------

    async def pay(self) -> str:
        """Sent, not necessarily mined."""
        nonce, self.nonce = self.nonce, self.nonce + 1
        signed = self.consumer.sign_transaction(
            {"chainId": self.chain.chain_id, "nonce": nonce, "to": self.listing["recipient"], "value": PRICE,
             "gas": 21_000, "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 1, "type": 2}
        )  # fmt: skip
        sent: str = await self.chain.rpc("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex())
        return sent

    def proof(self, tx_hash: str) -> dict[str, str]:
        now = int(time.time())
        signature = sign(call_digest(self.listing["id"], tx_hash, now), bytes(self.consumer.key))
        return {"X-Payment-Tx": tx_hash, "X-Signature": signature, "X-Timestamp": str(now)}

    async def call(self, life: Life, path: str) -> tuple[int, str]:
        """The status (0: the connection broke) and, of a refusal, its reason or code."""
        try:
            async with self.http.get(f"{self.base}/{path}", headers=self.proof(life.tx_hash)) as answer:
                await answer.read()
                if answer.status < 400:
                    life.delivered += 1
                    return answer.status, ""
                if "x-gateway-error" not in answer.headers:
                    return answer.status, "upstream"
                told = await answer.json()
                word = str(told["details"].get("reason") or told["error"])
                life.refusals.append(f"{told['error']}:{word}")
                return answer.status, word
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            life.refusals.append("broken connection")
            return 0, ""

    # -- lives ------------------------------------------------------------------------------------------------

    async def batch(self, count: int, crash: str | None) -> None:
        """`count` lives at once; with `crash`, a process dies of kill -9 at that moment of one of them."""
        names = list(KINDS)
        chosen = self.dice.choices(names, [KINDS[name] for name in names], k=count)
        lives = [Life(kind, crashed=crash is not None) for kind in chosen]
        self.lives += lives
        late = [life for life in lives if life.kind == "late"]
        for life in lives:
            if life.kind != "late":
                life.tx_hash = await self.pay()
        await self.chain.automine(False)
        for life in late:
            life.tx_hash = await self.pay()
        killing = asyncio.ensure_future(self._crash(crash)) if crash else None
        mining = asyncio.ensure_future(self._mine_later())
        misbehaving = asyncio.ensure_future(self._disturb([life.kind for life in lives].count("node")))
        self.running += [asyncio.ensure_future(self._live(life)) for life in lives]
        await asyncio.gather(mining, misbehaving)
        if killing is not None:
            await killing
        # Those that wait for a lease to run out do so beside the next batch.
        while len([life for life in lives if not life.over]) > count // 2:
            for task in self.running:
                if task.done():
                    task.result()
            await asyncio.sleep(0.05)

    async def finish(self) -> None:
        await asyncio.gather(*self.running)
        self.running.clear()

    async def _mine_later(self) -> None:
        await asyncio.sleep(self.dice.uniform(0.05, 0.3))
        await self.chain.automine(True)
        await self.chain.mine()

    async def _disturb(self, times: int) -> None:
        for _ in range(times):
            await asyncio.sleep(self.dice.uniform(0.0, 0.1))
            self.node.mood = self.dice.choice(["hang", "error", "html", "503", "drop"])
            await asyncio.sleep(self.dice.uniform(0.0, 0.1))
            self.node.mood = "pass"

    async def _live(self, life: Life) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        await self._first(life)
        while not life.over and time.monotonic() < deadline:
            status, word = await self.call(life, "ok")
            if status == 200 or word == "payment_already_used":
                life.over = True
            else:
                # In use, not mined yet, a node or the server away: all of that passes.
                await asyncio.sleep(self.dice.uniform(0.1, 0.5))
        assert life.over, (life.kind, life.tx_hash, life.refusals[-5:])

    async def _first(self, life: Life) -> None:
        await asyncio.sleep(self.dice.uniform(0.0, 0.2))
        if life.kind in ("plain", "late", "node"):
            return
        if life.kind == "twice":
            await asyncio.gather(*(self.call(life, "ok") for _ in range(5)))
        elif life.kind in ("thrice", "hangups"):
            for _ in range(3):
                await self.call(life, "status/500" if life.kind == "thrice" else "hangup")
        elif life.kind == "leaves":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.call(life, "ok"), self.dice.uniform(0.001, 0.05))
        else:
            await self.call(life, life.kind)

    # -- crashes ----------------------------------------------------------------------------------------------

    async def _crash(self, moment: str) -> None:
        if moment in ("chain", "upstream"):
            # With `upstream` the payment is reserved and nothing was sent yet.
            await asyncio.sleep(self.dice.uniform(0.0, 0.2))
            with contextlib.suppress(Exception):
                await self.server.sandbox.fault(moment, "crash")
                await asyncio.sleep(0.4)
            self.kill()
        elif moment == "random":
            await asyncio.sleep(self.dice.uniform(0.02, 0.5))
            self.kill()
        else:
            struck = asyncio.Event()

            def strike(_: Hit) -> None:
                if not struck.is_set():
                    struck.set()
                    self.kill()

            setattr(self.target, f"on_{moment}", strike)
            try:
                await asyncio.wait_for(struck.wait(), 5)
            except TimeoutError:
                self.kill()
            setattr(self.target, f"on_{moment}", lambda _: None)
        await self.revive()

    def kill(self) -> None:
        """The one process, or one of the workers; those that are dead already have not been replaced yet."""
        crew = "--workers" in self.server.command
        victims = children(self.server.process.pid) if crew else [self.server.process.pid]
        if victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.dice.choice(victims), signal.SIGKILL)

    async def revive(self) -> None:
        """A crew replaces its dead itself."""
        if "--workers" in self.server.command:
            return
        await asyncio.get_running_loop().run_in_executor(None, self.server.process.wait)
        await self.server.restart()

    # -- the audit --------------------------------------------------------------------------------------------

    async def audit(self) -> None:
        books = await Books.of(self.server)
        books.check()
        hits: dict[str, list[str]] = {}
        for hit in self.target.hits:
            hits.setdefault(hit.headers["x-payment-hash"], []).append(hit.target.rpartition("/")[2])
        for life in self.lives:
            self._judge(life, books, hits.get(life.tx_hash, []))

    def _judge(self, life: Life, books: Books, hits: list[str]) -> None:
        payment = books.of_transaction(self.chain.chain_id, life.tx_hash)
        told = (life, payment, hits)
        assert payment is not None, told
        assert payment["state"] == "consumed", told
        assert life.delivered <= 1, told
        assert hits.count("ok") <= 1, told
        assert len(hits) <= 3, told
        if life.delivered:
            assert hits, told
            return
        # Consumed and not delivered: only for a reason that the books name.
        [call] = [one for one in books.calls[payment["payment_key"]] if one["payment_status"] == "consumed"]
        third = payment["releases"] >= 3
        crashed = life.crashed and (payment["review"] or call["status"] == "success")
        left = life.kind == "leaves" and call["status"] in ("aborted", "success")
        cut = life.kind == "cut" and call["status"] == "aborted"
        assert third or crashed or left or cut, (told, call)


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
