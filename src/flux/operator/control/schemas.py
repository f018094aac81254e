"""What crosses the wire here, and between workers."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from flux.kernel.faults import PORTS, Mode


class PortName(str):
    """One of the house's ports."""

    __slots__ = ()

    @classmethod
    def from_wire(cls, value: object) -> PortName:
        if not isinstance(value, str) or value not in PORTS:
            raise ValueError(f"one of {', '.join(PORTS)}")
        return cls(value)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "enum": list(PORTS)}


class OutboxQuery(Struct, frozen=True):
    to: str | None = None
    """Only messages to this address or number."""


class Messages(Struct, frozen=True):
    messages: list[Any]
    """`{id, channel: mail|sms, to, subject, text, data, sent_at}`, newest first."""


class ClockAdvance(Struct, frozen=True):
    advance_seconds: Annotated[float, Meta(ge=0, le=3_200_000_000)]


class ClockNow(Struct, frozen=True):
    now: str


class FaultArm(Struct, frozen=True):
    """The next `count` calls through `port`, in each worker process, meet `mode`; `seconds` is how long `delay`
    waits, and how long `timeout` waits before it gives up (0: as long as the port may take)."""

    port: PortName
    mode: Mode
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    seconds: Annotated[float, Meta(ge=0, le=3_600)] = 0.0


class PortList(Struct, frozen=True):
    ports: list[dict[str, Any]]


class DnsRecords(Struct, frozen=True):
    """What the sandbox's resolver answers for `name`; no records: the name does not exist."""

    name: Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[^\s/]+\Z")]
    txt: Annotated[list[Annotated[str, Meta(max_length=4_096)]], Meta(max_length=100)]


class MaintenanceSwitch(Struct, frozen=True):
    planes: Annotated[list[str], Meta(min_length=1, max_length=100)]
    on: bool


class MaintenanceState(Struct, frozen=True):
    maintenance: list[str]
    """Names of the planes in maintenance, sorted."""


class ClockTotals(Struct, frozen=True):
    """Between workers: how far each of them has been told to advance, in seconds, by its origin."""

    totals: dict[str, float]


class FaultNote(Struct, frozen=True):
    """Between workers: arm a fault, or, without one, disarm all."""

    port: str | None = None
    mode: Mode = Mode.ERROR
    count: int = 1
    seconds: float = 0.0
