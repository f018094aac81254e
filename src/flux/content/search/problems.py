"""Everything wrong with one query, in the order of the request."""

from __future__ import annotations

from flux.content.faults import MISSED_COMPONENT, UNKNOWN_FIELD, VALIDATION_ERROR
from flux.content.search.plan import Scope

REQUIRED = "This field is required"


class Problems:
    """Collects, then raises once. An unknown field outranks values that do not fit; with `ignore_unknown` the clause
    that names it is left out instead."""

    def __init__(self, *, ignore_unknown: bool = False) -> None:
        self.ignore_unknown = ignore_unknown
        self._unknown = False
        self._details: list[dict[str, str]] = []

    def add(self, field: str, message: str, details: str) -> None:
        self._details.append({"field": field, "message": message, "details": details})

    def null(self, field: str) -> None:
        self.add(field, "Invalid type", REQUIRED)

    def missing(self, field: str) -> None:
        self.add(field, "Missing value", REQUIRED)

    def type(self, field: str, word: str) -> None:
        article = "an" if word[0] in "aeiou" else "a"
        self.add(field, "Invalid type", f"Value must be {article} {word}")

    def value(self, field: str, details: str) -> None:
        self.add(field, "Invalid value", details)

    def surplus(self, field: str) -> None:
        if not self.ignore_unknown:
            self.add(field, "Invalid field", "Extra field is not allowed")

    def needs_schema(self, scope: Scope) -> None:
        """Something is asked for that only a schema can answer: raises when the component that has it is not named."""
        if scope.lacks_component:
            raise MISSED_COMPONENT()

    def unknown_field(self, scope: Scope) -> None:
        self.needs_schema(scope)
        self.unknown_path()

    def unknown_path(self) -> None:
        self._unknown = self._unknown or not self.ignore_unknown

    def settle(self) -> None:
        """Raises `UNKNOWN_FIELD` or `VALIDATION_ERROR`, or returns when nothing is wrong."""
        if self._unknown:
            raise UNKNOWN_FIELD()
        if self._details:
            raise VALIDATION_ERROR(detail=self._details)
