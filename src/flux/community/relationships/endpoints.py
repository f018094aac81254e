"""`/users/@me/relationships`."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.principals import ANYBODY
from flux.community.relationships import rules
from flux.community.relationships.schemas import (
    RelationshipNickname,
    RelationshipPut,
    RelationshipView,
    RequestByTag,
)
from flux.community.relationships.service import RelationshipService
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="relationships", prefix="/users/@me/relationships")
REQUEST = (
    faults.UNKNOWN_USER,
    faults.MAX_FRIENDS,
    faults.ALREADY_FRIENDS,
    faults.FRIEND_REQUEST_BLOCKED,
    faults.CANNOT_SEND_FRIEND_REQUEST_TO_SELF,
    faults.CANNOT_SEND_FRIEND_REQUEST_TO_BLOCKED_USER,
    faults.BOTS_CANNOT_SEND_FRIEND_REQUESTS,
)


@routes.get("", auth=ANYBODY, bucket=buckets.RELATIONSHIP_LIST)
async def list_relationships(call: Call) -> list[RelationshipView]:
    """Friends, requests and blocks, oldest first."""
    return await call.use(RelationshipService).listing(call.principal.user.id)


@routes.post(
    "", auth=ANYBODY, bucket=buckets.FRIEND_REQUEST, raises=[*REQUEST, faults.NO_USERS_WITH_FLUXERTAG_EXIST]
)
async def request_by_tag(call: Call, body: RequestByTag) -> RelationshipView:
    """Ask somebody by their tag to be friends."""
    service = call.use(RelationshipService)
    return await service.request_by_tag(call.principal.user, body.username, int(body.discriminator))


@routes.post("/{user_id}", auth=ANYBODY, bucket=buckets.FRIEND_REQUEST, raises=REQUEST)
async def request(call: Call, user_id: Snowflake) -> RelationshipView:
    """Ask somebody to be friends; accepts their request if there is one."""
    return await call.use(RelationshipService).request(call.principal.user, user_id)


@routes.put("/{user_id}", auth=ANYBODY, bucket=buckets.FRIEND_ANSWER, raises=REQUEST)
async def accept_or_block(
    call: Call, user_id: Snowflake, body: RelationshipPut = RelationshipPut()
) -> RelationshipView:
    """Block with `type: 2`, otherwise accept a request."""
    service = call.use(RelationshipService)
    act = service.block if body.type == rules.BLOCKED else service.accept
    return await act(call.principal.user, user_id)


@routes.patch("/{user_id}", auth=ANYBODY, bucket=buckets.FRIEND_REMOVE, raises=[faults.UNKNOWN_USER])
async def rename(call: Call, user_id: Snowflake, body: RelationshipNickname) -> RelationshipView:
    """What you call somebody."""
    return await call.use(RelationshipService).rename(call.principal.user, user_id, body.nickname)


@routes.delete("/{user_id}", auth=ANYBODY, bucket=buckets.FRIEND_REMOVE, raises=[faults.UNKNOWN_USER])
async def remove(call: Call, user_id: Snowflake) -> None:
    """End a friendship, withdraw or decline a request, lift a block."""
    await call.use(RelationshipService).remove(call.principal.user, user_id)
