"""Reactions and saved messages."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.messages.bookmarks import BookmarkService
from flux.community.messages.reactions import ReactionService
from flux.community.messages.schemas import (
    Bookmark,
    BookmarkCreate,
    BookmarksQuery,
    ReactionQuery,
    ReactionUsersQuery,
)
from flux.community.principals import ANYBODY
from flux.community.users.schemas import UserPartial
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="messages")
REACTIONS = "/channels/{channel_id}/messages/{message_id}/reactions"
MESSAGE = (
    faults.UNKNOWN_CHANNEL,
    faults.MISSING_ACCESS,
    faults.MISSING_PERMISSIONS,
    faults.UNKNOWN_MESSAGE,
    faults.UNKNOWN_EMOJI,
    faults.CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL,
)
MODERATE = (*MESSAGE, faults.TWO_FACTOR_REQUIRED)


@routes.delete(REACTIONS, auth=ANYBODY, bucket=buckets.REACTIONS, raises=MODERATE)
async def clear_reactions(call: Call, channel_id: Snowflake, message_id: Snowflake) -> None:
    """Remove every reaction."""
    await call.use(ReactionService).clear(call.principal.user, channel_id, message_id, None)


@routes.get(f"{REACTIONS}/{{emoji}}", auth=ANYBODY, bucket=buckets.MESSAGE_READ, raises=MESSAGE)
async def list_reactors(
    call: Call, channel_id: Snowflake, message_id: Snowflake, emoji: str, query: ReactionUsersQuery
) -> list[UserPartial]:
    """Who reacted with this emoji."""
    service, user = call.use(ReactionService), call.principal.user
    return await service.users(user, channel_id, message_id, emoji, query.after or 0, query.limit)


@routes.delete(f"{REACTIONS}/{{emoji}}", auth=ANYBODY, bucket=buckets.REACTIONS, raises=MODERATE)
async def clear_emoji(call: Call, channel_id: Snowflake, message_id: Snowflake, emoji: str) -> None:
    """Remove everybody's reaction with this emoji."""
    await call.use(ReactionService).clear(call.principal.user, channel_id, message_id, emoji)


@routes.put(
    f"{REACTIONS}/{{emoji}}/@me",
    auth=ANYBODY,
    bucket=buckets.REACTIONS,
    raises=[*MESSAGE, faults.MAX_REACTIONS, faults.COMMUNICATION_DISABLED],
)
async def react(
    call: Call, channel_id: Snowflake, message_id: Snowflake, emoji: str, query: ReactionQuery
) -> None:
    """React to a message."""
    service, user = call.use(ReactionService), call.principal.user
    await service.add(user, channel_id, message_id, emoji, query.session_id)


@routes.delete(f"{REACTIONS}/{{emoji}}/@me", auth=ANYBODY, bucket=buckets.REACTIONS, raises=MESSAGE)
async def take_back(
    call: Call, channel_id: Snowflake, message_id: Snowflake, emoji: str, query: ReactionQuery
) -> None:
    """Take your reaction back."""
    service, user = call.use(ReactionService), call.principal.user
    await service.remove(user, channel_id, message_id, emoji, user.id, query.session_id)


@routes.delete(f"{REACTIONS}/{{emoji}}/{{user_id}}", auth=ANYBODY, bucket=buckets.REACTIONS, raises=MODERATE)
async def remove_reaction(
    call: Call,
    channel_id: Snowflake,
    message_id: Snowflake,
    emoji: str,
    user_id: Snowflake,
    query: ReactionQuery,
) -> None:
    """Remove somebody's reaction."""
    service, user = call.use(ReactionService), call.principal.user
    await service.remove(user, channel_id, message_id, emoji, user_id, query.session_id)


@routes.get("/users/@me/saved-messages", auth=ANYBODY)
async def list_bookmarks(call: Call, query: BookmarksQuery) -> list[Bookmark]:
    """Your saved messages, latest first."""
    return await call.use(BookmarkService).listing(call.principal.user, query.limit)


@routes.post(
    "/users/@me/saved-messages",
    auth=ANYBODY,
    raises=[
        faults.UNKNOWN_CHANNEL,
        faults.MISSING_ACCESS,
        faults.MISSING_PERMISSIONS,
        faults.UNKNOWN_MESSAGE,
        faults.MAX_BOOKMARKS,
    ],
)
async def save_message(call: Call, body: BookmarkCreate) -> None:
    """Save a message for later."""
    await call.use(BookmarkService).save(call.principal.user, body.channel_id, body.message_id)


@routes.delete("/users/@me/saved-messages/{message_id}", auth=ANYBODY)
async def forget_message(call: Call, message_id: Snowflake) -> None:
    """Remove a saved message."""
    await call.use(BookmarkService).forget(call.principal.user, message_id)
