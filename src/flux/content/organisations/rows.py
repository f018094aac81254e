"""What the database holds about organisations, projects and environments. 0/1 are booleans, times Unix ms."""

from __future__ import annotations

from msgspec import Struct


class Organization(Struct, frozen=True):
    key: str
    name: str
    owner: str
    legal_name: str
    tax_num: str
    address: str
    city: str
    province: str
    zip_code: str
    country_iso: str | None
    plan: str
    created_at: int


class Project(Struct, frozen=True):
    key: str
    organization: str
    name: str
    region: str
    gdpr: int
    created_at: int


class Environment(Struct, frozen=True):
    key: str
    project: str
    name: str
    is_enabled: int
    protection_level: str
    protected_by: str | None
    protected_at: int | None
    protection_reason: str | None
    created_at: int
