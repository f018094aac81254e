"""The demo community: made by the plane's own services, once."""

from __future__ import annotations

from pathlib import Path

from flux.app import open_house
from flux.community.plane import assemble, demo
from flux.community.users.service import UserService
from flux.operatorfile import OperatorFile
from flux.settings import load_settings


async def test_the_demo_is_made_once(tmp_path: Path) -> None:
    settings = load_settings(None, {}, {})
    opened = await open_house(settings, tmp_path, "http://127.0.0.1:8080", OperatorFile.open(tmp_path))
    try:
        first = await demo(opened.house)
        assert [line for line in first if "The Lighthouse" in line]
        assert await demo(opened.house) == [
            "community: the demo is already there; log in as ada@lighthouse.example / lighthouse keepers"
        ]
        users: UserService = assemble(opened.house).services[UserService]
        ada = await users.by_email("ada@lighthouse.example")
        assert ada is not None
        assert ada.email_verified
        counted = "SELECT COUNT(*) FROM community_messages WHERE type IN (0, 19)"
        assert await opened.house.db.value(counted, {}) == 8
    finally:
        await opened.close()
