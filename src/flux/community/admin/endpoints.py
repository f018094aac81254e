"""`/admin`: accounts, addresses and guilds, for those with the ACL."""

from __future__ import annotations

from flux.community import faults
from flux.community.admin.addresses import AddressBans
from flux.community.admin.schemas import (
    Address,
    FeaturesUpdate,
    FlagsUpdate,
    GuildMutation,
    LookedUp,
    Lookup,
    ScheduleDeletion,
    SetAcls,
    SuspiciousFlags,
    TempBan,
    UserMutation,
    UserOnly,
)
from flux.community.admin.service import AdminService
from flux.community.principals import admin
from flux.kernel.wire import Call, Routes

routes = Routes(tag="admin", prefix="/admin")
USER = (faults.UNKNOWN_USER,)


@routes.post("/users/lookup", auth=admin("user:lookup"))
async def lookup(call: Call, body: Lookup) -> LookedUp:
    """Find accounts by ids, username or address."""
    return LookedUp(await call.use(AdminService).lookup(body))


@routes.post("/users/update-flags", auth=admin("user:update:flags"), raises=USER)
async def update_flags(call: Call, body: FlagsUpdate) -> UserMutation:
    """Add and remove flags; disabling ends every session."""
    service = call.use(AdminService)
    return UserMutation(await service.update_flags(body.user_id, body.add_flags, body.remove_flags))


@routes.post("/users/temp-ban", auth=admin("user:temp_ban"), raises=USER)
async def suspend(call: Call, body: TempBan) -> UserMutation:
    """Suspend an account for some hours, or for good with 0."""
    return UserMutation(await call.use(AdminService).suspend(body.user_id, body.duration_hours))


@routes.post("/users/unban", auth=admin("user:temp_ban"), raises=USER)
async def unsuspend(call: Call, body: UserOnly) -> UserMutation:
    """End a suspension."""
    return UserMutation(await call.use(AdminService).unsuspend(body.user_id))


@routes.post("/users/schedule-deletion", auth=admin("user:delete"), raises=USER)
async def schedule_deletion(call: Call, body: ScheduleDeletion) -> UserMutation:
    """Schedule an account for deletion."""
    return UserMutation(
        await call.use(AdminService).schedule_deletion(body.user_id, body.days_until_deletion)
    )


@routes.post("/users/cancel-deletion", auth=admin("user:delete"), raises=USER)
async def cancel_deletion(call: Call, body: UserOnly) -> UserMutation:
    """Call a deletion off, whoever asked for it."""
    return UserMutation(await call.use(AdminService).cancel_deletion(body.user_id))


@routes.post("/users/disable-mfa", auth=admin("user:update:mfa"), raises=USER)
async def disable_mfa(call: Call, body: UserOnly) -> None:
    """Remove every second factor of an account."""
    await call.use(AdminService).disable_mfa(body.user_id)


@routes.post("/users/terminate-sessions", auth=admin("user:update:flags"), raises=USER)
async def end_sessions(call: Call, body: UserOnly) -> None:
    """End every session of an account."""
    await call.use(AdminService).end_sessions(body.user_id)


@routes.post(
    "/users/update-suspicious-activity-flags", auth=admin("user:update:suspicious_activity"), raises=USER
)
async def demand_proof(call: Call, body: SuspiciousFlags) -> UserMutation:
    """Ask an account for a proof of its e-mail address or phone."""
    return UserMutation(await call.use(AdminService).demand_proof(body.user_id, body.flags))


@routes.post("/users/set-acls", auth=admin("acl:set:user"), raises=USER)
async def set_acls(call: Call, body: SetAcls) -> UserMutation:
    """Set what an account may do here."""
    return UserMutation(await call.use(AdminService).set_acls(body.user_id, body.acls))


@routes.post("/bans/ip/add", auth=admin("ban:ip:add"))
async def ban_address(call: Call, body: Address) -> None:
    """Ban an address or network from the instance."""
    await call.use(AddressBans).add(body.ip)


@routes.post("/bans/ip/remove", auth=admin("ban:ip:remove"))
async def unban_address(call: Call, body: Address) -> None:
    """Lift such a ban."""
    await call.use(AddressBans).remove(body.ip)


@routes.post("/guilds/update-features", auth=admin("guild:update:features"), raises=[faults.UNKNOWN_GUILD])
async def update_features(call: Call, body: FeaturesUpdate) -> GuildMutation:
    """Add and remove any features of a guild."""
    service = call.use(AdminService)
    return GuildMutation(
        await service.update_features(body.guild_id, body.add_features, body.remove_features)
    )
