"""Addresses and networks that are banned from the instance. Kept in memory; every process hears of changes."""

from __future__ import annotations

import asyncio
import ipaddress
import logging

from flux.community.admin import repository
from flux.community.envelope import invalid
from flux.kernel.bus.port import Bus
from flux.kernel.faults import PortFailure
from flux.kernel.store import Clock, Database, Transaction

log = logging.getLogger("flux.community.admin")
SUBJECT = "community.addressbans"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AddressBans:
    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock
        self._networks: dict[str, Network] = {}
        self._verdicts: dict[str, bool] = {}
        bus.subscribe(SUBJECT, self._heard)
        bus.on_retold(SUBJECT, self._now)
        bus.on_loss(self._read_again)
        self._reading: asyncio.Task[None] | None = None

    async def load(self) -> None:
        known = await repository.address_bans(self._db)
        self._networks = {text: ipaddress.ip_network(text) for text in known}
        self._verdicts.clear()

    def _read_again(self) -> None:
        """What others changed meanwhile was not heard here."""
        self._reading = asyncio.ensure_future(self._reload())

    async def _reload(self) -> None:
        try:
            await self.load()
        except PortFailure:
            log.warning("address bans could not be read again", exc_info=True)

    async def _now(self, _: str, payload: bytes) -> bytes:
        """Of a change that is told late: somebody else may have changed it back."""
        network = payload[1:]
        banned = network.decode() in await repository.address_bans(self._db)
        return (b"+" if banned else b"-") + network

    def banned(self, address: str) -> bool:
        if not self._networks:
            return False
        verdict = self._verdicts.get(address)
        if verdict is None:
            verdict = self._verdicts[address] = self._decide(address)
            if len(self._verdicts) > 100_000:
                self._verdicts.clear()
        return verdict

    def _decide(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks.values())

    async def add(self, text: str) -> None:
        """Raises a validation failure on what is neither address nor network."""
        await self._change(str(_network(text)), banned=True)

    async def remove(self, text: str) -> None:
        await self._change(str(_network(text)), banned=False)

    async def _change(self, network: str, *, banned: bool) -> None:
        async def work(tx: Transaction) -> None:
            if banned:
                await repository.ban_address(tx, network, self._clock.now_ms())
            else:
                await repository.unban_address(tx, network)
            mark = b"+" if banned else b"-"
            self._bus.tell(tx, SUBJECT, mark + network.encode())

        await self._db.transact(work)
        # This process must not wait to hear from itself.
        self._heard(SUBJECT, (b"+" if banned else b"-") + network.encode())

    def _heard(self, _: str, payload: bytes) -> None:
        text = payload[1:].decode()
        if payload[:1] == b"+":
            self._networks[text] = ipaddress.ip_network(text)
        else:
            self._networks.pop(text, None)
        self._verdicts.clear()


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise invalid("ip", "Expected an address or a network in CIDR form.", "INVALID_IP") from None
