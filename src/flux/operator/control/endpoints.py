"""`/operator/*` on every instance, `/sandbox/*` only on test instances. Both need the admin token."""

from __future__ import annotations

from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes
from flux.operator.control.schemas import (
    ClockAdvance,
    ClockNow,
    DnsRecords,
    FaultArm,
    MaintenanceState,
    MaintenanceSwitch,
    Messages,
    OutboxQuery,
    PortList,
)
from flux.operator.control.service import Maintenance, Sandbox
from flux.operator.gate import ADMIN

operator = Routes(tag="operator", prefix="/operator")
sandbox = Routes(tag="sandbox", prefix="/sandbox")


@operator.get("/maintenance", auth=ADMIN)
async def show_maintenance(call: Call) -> MaintenanceState:
    """Which planes are in maintenance."""
    return MaintenanceState(call.use(Maintenance).planes())


@operator.put("/maintenance", auth=ADMIN)
async def switch_maintenance(call: Call, body: MaintenanceSwitch) -> MaintenanceState:
    """Put planes into maintenance, where they answer 503, or take them out."""
    call.use(Maintenance).switch(body)
    return MaintenanceState(call.use(Maintenance).planes())


@sandbox.get("/outbox", auth=ADMIN)
async def outbox(call: Call, query: OutboxQuery) -> Messages:
    """Mails and text messages that would have been sent, newest first."""
    return Messages(await call.use(Sandbox).outbox(query.to))


@sandbox.post("/clock", auth=ADMIN)
async def clock(call: Call, body: ClockAdvance) -> ClockNow:
    """Move the time of every plane forward: expiries, timers, heartbeats, rate windows."""
    return ClockNow(iso(call.use(Sandbox).advance(body.advance_seconds)))


@sandbox.get("/ports", auth=ADMIN)
async def ports(call: Call) -> PortList:
    """The seams at which failures can be injected, with what is armed there."""
    return PortList(call.use(Sandbox).ports())


@sandbox.post("/faults", auth=ADMIN)
async def arm_fault(call: Call, body: FaultArm) -> PortList:
    """Let the next calls through a port fail. The last fault armed at a port counts."""
    await call.use(Sandbox).arm(body)
    return PortList(call.use(Sandbox).ports())


@sandbox.delete("/faults", auth=ADMIN, status=204)
async def disarm_faults(call: Call) -> None:
    """Take back every armed fault."""
    call.use(Sandbox).disarm()


@sandbox.put("/dns", auth=ADMIN)
async def put_dns(call: Call, body: DnsRecords) -> DnsRecords:
    """Set the TXT records that the sandbox's resolver sees for a name."""
    call.use(Sandbox).resolve(body)
    return body
