"""No listing leads into the gateway's own network: not when it is listed, not when it is called, not by DNS that lies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.clients.paygate_world import PRICE, Purse, chain_settings, purse
from tests.harness.anvil import Anvil, anvil
from tests.harness.dns import DnsServer, dns_server
from tests.harness.server import Server, serve
from tests.hostile.endpoints import ADDRESSES_4, ADDRESSES_6, NAMES, urls

from flux.kernel.faults import PortFailure, Ports
from flux.paygate.outside.dialer import Dialer, Outgoing
from flux.paygate.outside.guard import Guard
from flux.settings.paygate import PaygateSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")
GOOD = "127.0.0.2"
"""The one address that the operator exempts; everything else on loopback is the trap's."""
ANSWER = b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nLocation: http://127.0.0.1:%d/\r\n\r\nok"


@dataclass
class Trap:
    """Listens everywhere on a port, and at the exempt address is an honest target. `sprung` by whoever connects else."""

    port: int = 0
    sprung: list[str] = field(default_factory=list)
    served: int = 0
    redirecting: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here = str(writer.get_extra_info("sockname")[0]).removeprefix("::ffff:")
        if here != GOOD:
            self.sprung.append(here)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.served += 1
                status = b"302 Found" if self.redirecting else b"200 OK"
                answer = ANSWER % (status, self.port)
                writer.write(answer[:-2] if head.startswith(b"HEAD") else answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def trap() -> AsyncIterator[Trap]:
    made = Trap()
    # One socket for both families where there is an IPv6 at all.
    try:
        server = await asyncio.start_server(made.serve, ["0.0.0.0", "::"], 0)
        ports = {one.getsockname()[1] for one in server.sockets}
        if len(ports) > 1:
            server.close()
            server = await asyncio.start_server(made.serve, ["0.0.0.0", "::"], min(ports))
    except OSError:
        server = await asyncio.start_server(made.serve, "0.0.0.0", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


@dataclass
class World:
    server: Server
    chain: Anvil
    trap: Trap
    dns: DnsServer
    provider: Purse
    consumer: Purse

    async def refused(self, endpoint: str) -> tuple[int, str]:
        body = {
            "name": f"N{len(endpoint)}",
            "endpoint": endpoint,
            "pricePerRequest": "0.001",
            "currency": "ETH",
        }
        answer = await self.provider.post("/apis", body)
        told = answer.json()
        return answer.status_code, told.get("details", {}).get("reason") or told.get("error", "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("ssrf")
    async with anvil() as chain, dns_server() as dns, trap() as listening:
        settings: dict[str, Any] = {
            **chain_settings(chain),
            "paygate.allowed_targets": [f"{GOOD}/32"],
            "paygate.denied_ports": [6379],
            "paygate.dns_servers": [f"127.0.0.1:{dns.port}"],
        }
        for name, addresses in NAMES.items():
            dns.zone[name] = [addresses]
        dns.aliased.add("chain.test")
        async with serve(directory, settings=settings) as server:
            provider = await purse(server, chain.accounts[0]).login()
            consumer = purse(server, chain.accounts[1])
            yield World(server, chain, listening, dns, provider, consumer)
            await provider.http.aclose()
            await consumer.http.aclose()


async def test_nothing_hostile_is_listed(world: World) -> None:
    hostile = urls(world.trap.port)
    assert len(hostile) >= 100
    answers = {endpoint: await world.refused(endpoint) for endpoint in hostile}
    allowed = {(400, "INVALID_PARAMETER"), (400, "nul_character"), (422, "address_not_allowed"), (422, "dns")}
    assert {url: answer for url, answer in answers.items() if answer not in allowed} == {}
    unresolved = {url for url, answer in answers.items() if answer == (422, "dns")}
    assert unresolved <= {f"http://unknown.test:{world.trap.port}/", "http://public.test:\uff18\uff10/"}
    assert world.trap.sprung == []


async def test_nothing_hostile_is_called_however_it_got_listed(world: World) -> None:
    """The way out itself, past the checks of listings: each endpoint is dialled as if it had been listed."""
    settings = PaygateSettings(
        dns_servers=[f"127.0.0.1:{world.dns.port}"], connect_seconds=2, probe_seconds=2, denied_ports=[6379]
    )
    dialer = Dialer(Guard(denied_ports=[6379]), settings, Ports())
    reasons: dict[str, str] = {}
    for endpoint in urls(world.trap.port):
        if not endpoint.startswith("http://") or endpoint.isspace():
            continue
        base = endpoint.rstrip("/")
        for act in (_probe, _open):
            try:
                await act(dialer, base)
                reasons[endpoint] = "reached"
            except PortFailure as failure:
                reasons.setdefault(endpoint, failure.reason)
            except ValueError:
                reasons.setdefault(endpoint, "no URL at all")
    await dialer.close()
    assert len(reasons) >= 90
    assert set(reasons.values()) <= {"address_not_allowed", "dns", "no URL at all"}, reasons
    assert world.trap.sprung == []


async def _probe(dialer: Dialer, base: str) -> None:
    await dialer.probe(base)


async def _open(dialer: Dialer, base: str) -> None:
    response = await dialer.open(Outgoing("GET", base, "/", [], None, 1.0), None, None)
    response.release()


async def test_names_that_turn_to_us_after_they_were_listed(world: World) -> None:
    """Rebinding: an exempt address while it is listed, then each hostile one in turn. The payment survives them all."""
    name, port = "rebind.test", world.trap.port
    world.dns.zone[name] = [[GOOD]]
    listing = await world.provider.list_api(f"http://{name}:{port}/")
    tx_hash = await world.chain.pay(world.consumer.account, listing["recipient"], PRICE)
    for address in (*ADDRESSES_4, *ADDRESSES_6):
        world.dns.zone[name] = [[address]]
        refused = await world.consumer.call(listing["id"], "/a", tx_hash)
        told = refused.json()
        assert (refused.status_code, told["error"]) == (500, "GATEWAY_ERROR"), (address, told)
        assert told["details"]["reason"] == "address_not_allowed", (address, told)
        assert told["details"]["paymentStatus"] == "released", (address, told)
    for answers in (
        [GOOD, "127.0.0.1"], ["127.0.0.1", GOOD], [GOOD, "::1"], ["1.1.1.1", "10.0.0.1"],
    ):  # fmt: skip
        world.dns.zone[name] = [answers]
        spoilt = await world.consumer.call(listing["id"], "/a", tx_hash)
        assert spoilt.json()["details"]["reason"] == "address_not_allowed", answers
    assert world.trap.sprung == []
    world.dns.zone[name] = [[GOOD]]
    served = await world.consumer.call(listing["id"], "/a", tx_hash)
    assert (served.status_code, served.text) == (200, "ok")


async def test_an_answer_that_changes_between_two_questions(world: World) -> None:
    """One question for each connection, and the connection goes where that answer said."""
    name, port = "flip.test", world.trap.port
    world.dns.zone[name] = [[GOOD], [GOOD], ["127.0.0.1"]]
    listing = await world.provider.list_api(f"http://{name}:{port}/flip")
    asked = world.dns.asked[name, 1]
    assert asked == 1
    tx_hash = await world.chain.pay(world.consumer.account, listing["recipient"], PRICE)
    served = await world.consumer.call(listing["id"], "/a", tx_hash)
    assert served.status_code == 200
    assert world.dns.asked[name, 1] == asked + 1
    assert world.trap.sprung == []


async def test_names_that_nobody_knows_or_tells_whole(world: World) -> None:
    port = world.trap.port
    world.dns.zone["long.test"] = [["127.0.0.1"]]
    world.dns.truncated.add("long.test")
    assert await world.refused(f"http://long.test:{port}/") == (422, "dns")
    assert await world.refused(f"http://nobody.test:{port}/") == (422, "dns")
    assert world.trap.sprung == []


async def test_redirects_are_passed_on_and_never_followed(world: World) -> None:
    world.dns.zone["away.test"] = [[GOOD]]
    world.trap.redirecting = True
    try:
        listing = await world.provider.list_api(f"http://away.test:{world.trap.port}/")
        tx_hash = await world.chain.pay(world.consumer.account, listing["recipient"], PRICE)
        before = world.trap.served
        answer = await world.consumer.call(listing["id"], "/a", tx_hash)
    finally:
        world.trap.redirecting = False
    assert (answer.status_code, answer.headers["location"]) == (302, f"http://127.0.0.1:{world.trap.port}/")
    assert world.trap.served == before + 1
    assert world.trap.sprung == []
