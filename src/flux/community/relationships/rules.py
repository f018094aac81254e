"""What a friend request between two accounts leads to. No I/O."""

from __future__ import annotations

from flux.community import faults
from flux.kernel.faults import FaultError

FRIEND = 1
BLOCKED = 2
INCOMING = 3
OUTGOING = 4


MUTUAL_FRIENDS = 1
MUTUAL_GUILDS = 2
ANYONE = 4
"""Who may ask somebody to be their friend: `friend_source_flags`."""


def may_ask(flags: int, *, friends: bool, guilds: bool) -> bool:
    """`flags` are of whom is asked; `friends` and `guilds` are whether both have some in common."""
    known = MUTUAL_FRIENDS * friends | MUTUAL_GUILDS * guilds
    return bool(flags & (ANYONE | known))


FRIENDS_OF_FRIENDS = 1
GUILD_MEMBERS = 2
EVERYONE = 4
FRIENDS_ONLY = 8
NOBODY = 16
"""Who may bring somebody into a group: `group_dm_add_permission_flags`."""


def may_gather_friend(flags: int) -> bool:
    """Whoever lets anybody at all, lets friends."""
    return bool(flags) and not flags & NOBODY


def may_gather(flags: int, *, friends: bool, guilds: bool) -> bool:
    """The same for who is no friend; `friends` and `guilds` are whether both have some in common."""
    known = FRIENDS_OF_FRIENDS * friends | GUILD_MEMBERS * guilds
    return not flags & NOBODY and bool(flags & (EVERYONE | known))


def request_refusal(mine: int | None, theirs: int | None) -> FaultError | None:
    """`mine` is what the other is to the caller, `theirs` what the caller is to the other."""
    if mine == BLOCKED:
        return faults.CANNOT_SEND_FRIEND_REQUEST_TO_BLOCKED_USER()
    if theirs == BLOCKED:
        return faults.FRIEND_REQUEST_BLOCKED()
    if mine == FRIEND:
        return faults.ALREADY_FRIENDS()
    return None
