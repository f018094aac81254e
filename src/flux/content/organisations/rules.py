"""Names, regions, plans and protection levels. Pure."""

from __future__ import annotations

from typing import Any

REGIONS = ({"location": "local", "name": "Self-hosted", "code": "local"},)
PLAN = "self_hosted"
PROTECTION = {
    "none": "Not Protected",
    "org_owner": "Organization Owner Protected",
    "read_only": "Read Only",
    "locked": "Locked",
}
CLOSED_TO_WRITES = frozenset({"read_only", "locked"})

# The limits a plan shows, by the name of the entity in the settings.
_LIMITS = {
    "projects": "projects",
    "environments": "environments",
    "folders": "folders",
    "resources": "resources",
    "components": "components",
    "api_keys": "api_keys_max_count",
    "roles": "roles_max_count",
    "locales": "locales_max_count",
    "schemas": "schemas_max_count",
    "fields": "schemas_fields_max_count",
    "flux_apis": "flux_api_max_count",
}


def plan_view(limits: dict[str, int], component_depth: int) -> dict[str, Any]:
    shown: dict[str, Any] = {name: limits.get(entity) for entity, name in _LIMITS.items()}
    shown |= {
        "units_included": None,
        "users": None,
        "allow_negative": True,
        "negative_limit": None,
        "unit_cost": None,
        "max_component_inheritance_depth": component_depth,
    }
    return {
        "code": PLAN,
        "name": "Self-hosted",
        "price": 0.0,
        "limits": shown,
        "from": None,
        "to": None,
        "transferred": None,
    }


def plan_status(limits: dict[str, int], component_depth: int) -> dict[str, Any]:
    return {
        "active_plan": plan_view(limits, component_depth),
        "next_plan": plan_view(limits, component_depth),
    }


def usage_view(
    counts: dict[str, int], limits: dict[str, int], data_bytes: int, vector_bytes: int
) -> dict[str, Any]:
    return {
        "units": {"remained": None, "unit_cost": None, "allow_negative": True, "negative_limit": None},
        "storage": {"data_storage": float(data_bytes), "vector_storage": float(vector_bytes)},
        "usage": {entity: {"max": limits.get(entity), "current": count} for entity, count in counts.items()},
        "current_usage": {"api_requests": 0, "embedding_tokens": {}},
    }
