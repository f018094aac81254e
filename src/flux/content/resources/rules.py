"""Reading the bodies that write content. Pure."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from flux.content.faults import DATA_VALIDATION_ERROR, VALIDATION_ERROR
from flux.content.problems import problem
from flux.content.shape.checking import MOST_PROBLEMS, DataProblem
from flux.kernel.faults import FaultError

LONGEST = {"external_id": 255, "name": 255, "resource_owner": 100, "component": 100}
_MEMBERS = (*LONGEST, "publish")


class Payload(Struct, frozen=True):
    """`data` is UNSET when the body has none. Metadata that was not sent is UNSET too."""

    data: Any
    external_id: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    resource_owner: str | UnsetType | None = UNSET
    component: str | UnsetType | None = UNSET
    publish: bool = False

    def metadata(self) -> dict[str, Any]:
        """What was sent of the members that a change may set."""
        sent = {name: getattr(self, name) for name in ("external_id", "name", "resource_owner")}
        return {name: value for name, value in sent.items() if value is not UNSET}


def payload(body: dict[str, Any], *, bare: bool = True) -> Payload:
    """With `data`, the other members are metadata. Without it, and `bare`, every other key is data."""
    found: list[dict[str, str]] = []
    members: dict[str, Any] = {}
    for name in _MEMBERS:
        if name in body:
            value = body[name]
            found += _problems(name, value)
            members[name] = value
    if found:
        raise VALIDATION_ERROR(detail=found)
    rest = {name: value for name, value in body.items() if name not in _MEMBERS}
    data: Any = rest.get("data", UNSET)
    if data is UNSET and rest and bare:
        data = rest
    return Payload(data, **members)


def _problems(name: str, value: Any) -> list[dict[str, str]]:
    if name == "publish":
        return (
            []
            if isinstance(value, bool)
            else [problem("type", name, "Value must be a boolean", "Invalid type")]
        )
    if value is None:
        return []
    if not isinstance(value, str):
        return [problem("type", name, "Value must be a string", "Invalid type")]
    if not 1 <= len(value) <= LONGEST[name]:
        return [problem("too_long", name, f"1 to {LONGEST[name]} characters are allowed")]
    return []


def refusal(problems: list[DataProblem]) -> FaultError:
    shown = [
        {"json_path": one.json_path, "message": one.message, "type": one.type}
        for one in problems[:MOST_PROBLEMS]
    ]
    return DATA_VALIDATION_ERROR(detail={"errors": shown, "errors_truncated": len(problems) > MOST_PROBLEMS})


def relocated(refused: FaultError, place: str) -> list[DataProblem]:
    """The problems of a refusal, as those of the data that stands at `place`."""
    detail: Any = refused.detail
    return [
        DataProblem(place + one["json_path"].removeprefix("$"), one["message"], one["type"])
        for one in detail["errors"]
    ]
