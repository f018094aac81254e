"""Filters by time in management lists: `created_at=`, `created_at__gt=`, `__gte`, `__lt`, `__lte`, `__exact`."""

from __future__ import annotations

from flux.content.faults import VALIDATION_ERROR
from flux.content.problems import problem
from flux.content.shape.types import NotThisType, instant_number
from flux.kernel.wire import Call

_OPERATORS = {"": "=", "exact": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def created_bounds(call: Call) -> dict[str, tuple[str, int]]:
    """By a name for the parameter: the SQL operator and Unix ms. Raises `VALIDATION_ERROR` for a bad time."""
    bounds: dict[str, tuple[str, int]] = {}
    for name, value in call.query:
        field, _, operator = name.partition("__")
        if field != "created_at" or operator not in _OPERATORS:
            continue
        try:
            bounds[f"created_{len(bounds)}"] = _OPERATORS[operator], instant_number(value) // 1000
        except NotThisType:
            raise VALIDATION_ERROR(detail=[problem("format", name, "Invalid datetime format")]) from None
    return bounds
