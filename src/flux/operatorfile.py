"""`operator.json`: what the operator of an instance needs to know, mode 0600 in the data directory.

{"admin_token", "community": {"api_url", "gateway_url"}, "content": {"environment", "management_token",
 "public_key", "secret_key", "email", "password", "management_url", "delivery_url"}, "paygate": {"api_url"}}
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from flux.kernel.identity import new_token
from flux.settings import Settings


class OperatorFile:
    """Made on first start; later starts only bring the URLs up to date."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self.path = path
        self.content = content

    @classmethod
    def open(cls, data_dir: Path) -> OperatorFile:
        path = data_dir / "operator.json"
        if path.exists():
            return cls(path, json.loads(path.read_text("utf-8")))
        return cls(path, {"admin_token": new_token()})

    @property
    def admin_token(self) -> str:
        return str(self.content["admin_token"])

    def has(self, plane: str) -> bool:
        return bool(self.content.get(plane, {}).get("_made"))

    def put(self, plane: str, values: dict[str, Any]) -> None:
        self.content[plane] = {**self.content.get(plane, {}), **values, "_made": True}

    def put_urls(self, origin: str, settings: Settings) -> None:
        """Base URLs: under the mounts, or at the root of a plane's own host."""
        socket = origin.replace("http", "ws", 1)
        environment = self.content.get("content", {}).get("environment", "")
        urls = {
            "community": {
                "api_url": f"{origin}/community/v1",
                "gateway_url": settings.community.realtime.public_url or f"{socket}/community/gateway",
            },
            "content": {
                "management_url": f"{origin}/content",
                "delivery_url": f"{origin}/content/flux/{environment}",
            },
            "paygate": {"api_url": f"{origin}/paygate/api/v2"},
        }
        for plane, values in urls.items():
            self.content.setdefault(plane, {}).update(values)

    def save(self) -> None:
        """Atomically, and readable by its owner only from the first byte."""
        fresh = self.path.with_suffix(".json.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self.content, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
