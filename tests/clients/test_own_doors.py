"""A listing that points at Flux itself: loopback is exempted for a self-hoster's targets, and Flux is not one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.clients.paygate_world import PRICE, Market, market
from tests.harness.server import free_port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_flux_does_not_list_itself(tmp_path: Path, host: str) -> None:
    async with market(tmp_path, "sqlite", Market) as world:
        port = world.server.origin.rpartition(":")[2]
        body = {"name": "Itself", "pricePerRequest": "0.001", "currency": "ETH"}
        refused = await world.provider.post("/apis", {**body, "endpoint": f"http://{host}:{port}/content"})
        assert (refused.status_code, refused.json()["error"]) == (422, "ENDPOINT_UNREACHABLE"), refused.text
        assert refused.json()["details"]["reason"] == "address_not_allowed"
        listing = await world.listed()
        moved = {"endpoint": f"http://{host}:{port}/content"}
        refused = await world.provider.patch(f"/apis/{listing['id']}", moved)
        assert (refused.status_code, refused.json()["error"]) == (422, "ENDPOINT_UNREACHABLE"), refused.text


async def test_flux_does_not_call_itself(tmp_path: Path) -> None:
    """The target was somebody else when it was listed; then Flux took its port."""
    async with market(tmp_path, "sqlite", Market) as world:
        world.target.port = free_port()
        await world.target.stop()
        await world.target.start()
        listing = await world.listed()
        paid = await world.chain.pay(world.consumer.account, listing["recipient"], PRICE)
        await world.target.stop()
        world.server.terminate()
        world.server.environment["FLUX_COMMUNITY__PORT"] = str(world.target.port)
        await world.server.restart()
        refused = await world.consumer.call(listing["id"], "/a", paid)
        assert (refused.status_code, refused.json()["error"]) == (500, "GATEWAY_ERROR"), refused.text
        details = refused.json()["details"]
        assert (details["reason"], details["paymentStatus"]) == ("address_not_allowed", "released")
        del world.server.environment["FLUX_COMMUNITY__PORT"]
        world.server.terminate()
        await world.server.restart()
        await world.target.start()
        assert (await world.consumer.call(listing["id"], "/a", paid)).status_code == 200
