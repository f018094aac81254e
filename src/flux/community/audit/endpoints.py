"""`/guilds/{guild_id}/audit-logs`."""

from __future__ import annotations

from flux.community import faults
from flux.community.audit.schemas import AuditLog, AuditQuery
from flux.community.audit.service import AuditService
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="audit log")


@routes.get(
    "/guilds/{guild_id}/audit-logs",
    auth=ANYBODY,
    raises=[faults.UNKNOWN_GUILD, faults.MISSING_ACCESS, faults.MISSING_PERMISSIONS],
)
async def read_audit_log(call: Call, guild_id: Snowflake, query: AuditQuery) -> AuditLog:
    """What moderators did, newest first."""
    return await call.use(AuditService).listing(call.principal.user, guild_id, query)
