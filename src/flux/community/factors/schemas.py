"""Second factors on the wire."""

from __future__ import annotations

from msgspec import Struct


class BackupCode(Struct, frozen=True):
    code: str
    consumed: bool


class BackupCodes(Struct, frozen=True):
    backup_codes: list[BackupCode]
