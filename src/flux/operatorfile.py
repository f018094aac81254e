"""`operator.json`: what the operator of an instance needs to know, mode 0600 in the data directory.

{"admin_token", "community": {"api_url", "gateway_url"}, "content": {"environment", "management_token",
 "public_key", "secret_key", "email", "password", "management_url", "delivery_url"}, "paygate": {"api_url"}}
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flux.kernel.identity import new_token
from flux.settings import Settings
from flux.starting import StartError


class OperatorFile:
    """Made on first start; later starts only bring the URLs up to date."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self.path = path
        self.content = content

    @classmethod
    def open(cls, data_dir: Path) -> OperatorFile:
        """The file's content, or a new one with a fresh token. Raises `StartError` for a file nobody can read."""
        path = data_dir / "operator.json"
        try:
            content = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return cls(path, {"admin_token": new_token()})
        except ValueError:
            raise StartError(_damaged(path)) from None
        parts = content.values() if isinstance(content, dict) else ()
        if not parts or not isinstance(content.get("admin_token"), str) or len(content["admin_token"]) < 8:
            raise StartError(_damaged(path))
        if any(not isinstance(part, dict) for name, part in content.items() if name != "admin_token"):
            raise StartError(_damaged(path))
        return cls(path, content)

    @property
    def admin_token(self) -> str:
        return str(self.content["admin_token"])

    def has(self, plane: str) -> bool:
        return bool(self.content.get(plane, {}).get("_made"))

    def put(self, plane: str, values: dict[str, Any]) -> None:
        self.content[plane] = {**self.content.get(plane, {}), **values, "_made": True}

    def has_urls(self) -> bool:
        return "api_url" in self.content.get("community", {})

    def put_urls(self, origin: str, settings: Settings) -> None:
        """Base URLs: under the mounts, or at the root of a plane's own host or port."""
        community, content, paygate = (
            plane_url(origin, settings, name) for name in ("community", "content", "paygate")
        )
        environment = self.content.get("content", {}).get("environment", "")
        gateway = settings.community.realtime.public_url or f"{community.replace('http', 'ws', 1)}/gateway"
        urls = {
            "community": {"api_url": f"{community}/v1", "gateway_url": gateway},
            "content": {"management_url": content, "delivery_url": f"{content}/flux/{environment}"},
            "paygate": {"api_url": f"{paygate}/api/v2"},
        }
        for plane, values in urls.items():
            self.content.setdefault(plane, {}).update(values)

    def save(self) -> None:
        """Atomically, and readable by its owner only from the first byte."""
        fresh = self.path.with_suffix(".json.new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self.content, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def plane_url(origin: str, settings: Settings, name: str) -> str:
    """Where a plane begins, without a trailing slash."""
    own = getattr(settings, name)
    if not (own.host or own.port):
        return f"{origin}/{name}"
    parts = urlsplit(origin)
    host = own.host or parts.hostname or ""
    port = own.port or parts.port
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port}" if port else f"{parts.scheme}://{shown}"


def _damaged(path: Path) -> str:
    return (
        f"{path} is damaged: put a copy of it back, or remove it and start again; then a new admin token is made and "
        "the old one no longer works"
    )
