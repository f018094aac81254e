"""Every plane's OpenAPI document can be written, and names what it should."""

from __future__ import annotations

import json
from pathlib import Path

from flux.app import compose, open_house
from flux.kernel.wire.openapi import encoded
from flux.operatorfile import OperatorFile
from flux.settings import load_settings


async def test_each_plane_describes_itself(tmp_path: Path) -> None:
    settings = load_settings(None, {}, {})
    opened = await open_house(settings, tmp_path, "http://127.0.0.1:8080", OperatorFile.open(tmp_path))
    try:
        application = compose(opened)
        for plane in application.planes:
            compiled = application.routers[plane.name].compiled
            document = json.loads(encoded(plane, compiled, "http://127.0.0.1:8080"))
            shown = {
                one.route.path for one in compiled if not one.route.hidden and one.route.method != "WEBSOCKET"
            }
            assert {path.replace(":path}", "}") for path in shown} == set(document["paths"])
            for path in document["paths"].values():
                for operation in path.values():
                    assert operation["responses"]
    finally:
        await opened.close()
