"""What guilds, channels, messages, voice and invites refuse, and how many of each there may be."""

from flux.community.faults.table import community
from flux.kernel.faults import Fault, Retry


def _limit(code: str, message: str, advice: str, default: int, member: str = "max") -> Fault:
    """A published maximum; `member` carries it in the body."""
    return community.declare(
        code,
        400,
        message,
        retry=Retry.AFTER_FIX,
        advice=advice,
        params={member: int},
        sample={member: default},
    )


MAX_GUILDS = _limit(
    "MAX_GUILDS", "Maximum guilds reached ({max})", "Leave a guild before you create or join another.", 100
)
MAX_GUILD_MEMBERS = _limit(
    "MAX_GUILD_MEMBERS",
    "Guild member limit reached ({max})",
    "The guild is full; ask its owner to make room.",
    1_000_000,
)
MAX_GUILD_CHANNELS = _limit(
    "MAX_GUILD_CHANNELS",
    "Guild channel limit reached ({max})",
    "Delete a channel or category first; both count.",
    500,
)
MAX_GUILD_ROLES = _limit(
    "MAX_GUILD_ROLES", "Guild role limit reached ({max})", "Delete a role first; `@everyone` counts too.", 250
)
MAX_CATEGORY_CHANNELS = _limit(
    "MAX_CATEGORY_CHANNELS",
    "Category channel limit reached ({max})",
    "Put the channel into another category, or into none.",
    50,
)
MAX_PINS_PER_CHANNEL = _limit(
    "MAX_PINS_PER_CHANNEL", "Pin limit reached ({max})", "Unpin a message first.", 50
)
MAX_WEBHOOKS_PER_CHANNEL = _limit(
    "MAX_WEBHOOKS_PER_CHANNEL",
    "Channel webhook limit reached ({max})",
    "Delete or move a webhook of the channel first.",
    15,
)
MAX_INVITES = _limit(
    "MAX_INVITES",
    "Invite limit reached ({max})",
    "Delete invites that are not used, or create without `unique`.",
    1000,
)
MAX_FRIENDS = _limit(
    "MAX_FRIENDS",
    "Friend limit reached ({max_relationships})",
    "Requests and blocks count too: remove some first. It may be the other account that is full.",
    1000,
    "max_relationships",
)
MAX_GROUP_DMS = _limit(
    "MAX_GROUP_DMS",
    "Group DM limit reached ({max})",
    "Leave a group conversation first; it may be a recipient who is in too many.",
    150,
)
MAX_GROUP_DM_RECIPIENTS = _limit(
    "MAX_GROUP_DM_RECIPIENTS",
    "Group DM recipient limit reached ({max})",
    "A group conversation holds this many people, you included. For more, make a guild.",
    10,
)
MAX_BOOKMARKS = _limit("MAX_BOOKMARKS", "Bookmark limit reached ({max})", "Remove a saved message first.", 50)
MAX_EMOJIS = _limit(
    "MAX_EMOJIS",
    "Emoji limit reached ({max})",
    "Delete a static emoji first; animated ones are counted apart.",
    50,
)
MAX_ANIMATED_EMOJIS = _limit(
    "MAX_ANIMATED_EMOJIS",
    "Animated emoji limit reached ({max})",
    "Delete an animated emoji first; static ones are counted apart.",
    50,
)
MAX_STICKERS = _limit("MAX_STICKERS", "Sticker limit reached ({max})", "Delete a sticker first.", 50)
MAX_REACTIONS = _limit(
    "MAX_REACTIONS", "Reaction limit reached ({max} per message)", "Use a reaction that is already there.", 20
)

CANNOT_SEND_EMPTY_MESSAGE = community.declare(
    "CANNOT_SEND_EMPTY_MESSAGE", 400, "Message content is empty",
    advice="Send content, an embed, a file or a sticker; blanks alone do not count.",
)  # fmt: skip
CANNOT_SEND_MESSAGES_TO_USER = community.declare(
    "CANNOT_SEND_MESSAGES_TO_USER", 403, "Cannot DM this user",
    advice="They do not take messages from you: a block on either side, or no friendship and no shared guild that allows it. Do not retry.",
)  # fmt: skip
CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL = community.declare(
    "CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL", 400, "Wrong channel type",
    advice="Only text channels and conversations carry messages (types 0, 1, 3, 999).",
)  # fmt: skip
CANNOT_EDIT_OTHER_USER_MESSAGE = community.declare(
    "CANNOT_EDIT_OTHER_USER_MESSAGE", 403, "Cannot edit another user's message",
    advice="Only the author edits. With MANAGE_MESSAGES you may delete it or suppress its embeds.",
)  # fmt: skip
FILE_SIZE_TOO_LARGE = community.declare(
    "FILE_SIZE_TOO_LARGE", 413, "Attachment exceeds size limit ({max_size} bytes)",
    advice="Make the file smaller or link to it. `/.well-known/fluxer` has the limits.",
    params={"max_size": int}, sample={"max_size": 26_214_400},
)  # fmt: skip
MESSAGE_TOTAL_ATTACHMENT_SIZE_TOO_LARGE = community.declare(
    "MESSAGE_TOTAL_ATTACHMENT_SIZE_TOO_LARGE", 413, "Total attachments exceed limit ({max_size} bytes)",
    advice="Spread the files over several messages.",
    params={"max_size": int}, sample={"max_size": 104_857_600},
)  # fmt: skip
CONTENT_BLOCKED = community.declare(
    "CONTENT_BLOCKED", 403, "Message blocked by content filter",
    advice="The instance does not carry this text or file. Do not retry it unchanged.",
)  # fmt: skip
EXPLICIT_CONTENT_CANNOT_BE_SENT = community.declare(
    "EXPLICIT_CONTENT_CANNOT_BE_SENT", 403, "Explicit content blocked",
    advice="The image was judged explicit (`probability`). Post it where such images are allowed, or not at all.",
    params={"probability": float, "predictions": dict},
    sample={"probability": 0.99, "predictions": {"explicit": 0.99}},
)  # fmt: skip

INVALID_PERMISSIONS_INTEGER = community.declare(
    "INVALID_PERMISSIONS_INTEGER", 400, "Invalid permission integer",
    advice="Send the bitfield as a decimal string, e.g. `\"3072\"`; fractions, letters and more than 63 bits do not work.",
)  # fmt: skip
INVALID_PERMISSIONS_NEGATIVE = community.declare(
    "INVALID_PERMISSIONS_NEGATIVE", 400, "Permissions cannot be negative",
    advice="You probably inverted a mask with signed arithmetic. Send zero or a positive number.",
)  # fmt: skip
INVALID_CHANNEL_TYPE = community.declare(
    "INVALID_CHANNEL_TYPE", 400, "Invalid channel type",
    advice="Guild channels are text (0), voice (2), category (4) or link (998), and not every operation exists for each.",
)  # fmt: skip
INVALID_CHANNEL_TYPE_FOR_CALL = community.declare(
    "INVALID_CHANNEL_TYPE_FOR_CALL", 400, "Channel type doesn't support calls",
    advice="Call in a direct or group conversation; in a guild, join a voice channel instead.",
)  # fmt: skip
CANNOT_EXECUTE_ON_DM = community.declare(
    "CANNOT_EXECUTE_ON_DM", 400, "Operation not allowed in DMs",
    advice="This works in guild channels only.",
)  # fmt: skip
COMMUNICATION_DISABLED = community.declare(
    "COMMUNICATION_DISABLED", 403, "You are timed out in this guild", retry=Retry.AFTER_FIX,
    advice="Wait until `communication_disabled_until` of your member object has passed.",
)  # fmt: skip
ACCOUNT_TOO_NEW_FOR_GUILD = community.declare(
    "ACCOUNT_TOO_NEW_FOR_GUILD", 403, "Your account is too new to speak in this guild", retry=Retry.AFTER_FIX,
    advice="Wait until the account is five minutes old, or ask for a role.",
)  # fmt: skip
GUILD_VERIFICATION_REQUIRED = community.declare(
    "GUILD_VERIFICATION_REQUIRED", 403, "You have not been in this guild long enough to speak", retry=Retry.AFTER_FIX,
    advice="Wait until you have been a member for ten minutes, or ask for a role.",
)  # fmt: skip

UNKNOWN_VOICE_REGION = community.declare(
    "UNKNOWN_VOICE_REGION",
    404,
    "Unknown voice region",
    advice="Take the id from `GET /channels/{id}/rtc-regions`, or null for automatic.",
)
UNKNOWN_VOICE_SERVER = community.declare(
    "UNKNOWN_VOICE_SERVER",
    404,
    "Unknown voice server",
    advice="List the region's servers and take the id from there.",
)
VOICE_CHANNEL_FULL = community.declare(
    "VOICE_CHANNEL_FULL",
    400,
    "Voice channel is full",
    retry=Retry.AFTER_FIX,
    advice="Wait until somebody leaves, or choose another channel.",
)
USER_NOT_IN_VOICE = community.declare(
    "USER_NOT_IN_VOICE",
    400,
    "User not in voice channel",
    retry=Retry.AFTER_FIX,
    advice="Only members who are in a voice channel can be moved or muted there.",
)
CANNOT_MODIFY_VOICE_STATE = community.declare(
    "CANNOT_MODIFY_VOICE_STATE",
    403,
    "Cannot modify voice state",
    advice="The member stands as high as you or higher, or owns the guild.",
)
NO_ACTIVE_CALL = community.declare(
    "NO_ACTIVE_CALL",
    404,
    "No active call in channel",
    advice="Start a call with `POST /channels/{id}/call/ring` first.",
)

UNKNOWN_INVITE = community.declare(
    "UNKNOWN_INVITE",
    404,
    "Invite code not found",
    advice="The invite expired, was used up or deleted. Ask for a new one.",
)
INVITES_DISABLED = community.declare(
    "INVITES_DISABLED",
    403,
    "Invites disabled for guild",
    retry=Retry.AFTER_FIX,
    advice="The guild takes nobody in for now. Try again later or ask its owner.",
)
USER_BANNED_FROM_GUILD = community.declare(
    "USER_BANNED_FROM_GUILD",
    403,
    "User is banned",
    advice="This guild has banned you; only its moderators can undo that.",
)
USER_IP_BANNED_FROM_GUILD = community.declare(
    "USER_IP_BANNED_FROM_GUILD",
    403,
    "IP address is banned",
    advice="Somebody with your address is banned from this guild; only its moderators can undo that.",
)
TEMPORARY_INVITE_REQUIRES_PRESENCE = community.declare(
    "TEMPORARY_INVITE_REQUIRES_PRESENCE", 400, "Temporary invites require presence", retry=Retry.AFTER_FIX,
    advice="Connect to the realtime gateway first: membership by a temporary invite lasts as long as the connection.",
)  # fmt: skip

MAX_WEBHOOKS_PER_GUILD = _limit(
    "MAX_WEBHOOKS_PER_GUILD",
    "Guild webhook limit reached ({max})",
    "Delete a webhook of any of the guild's channels first.",
    1000,
)
UNKNOWN_WEBHOOK = community.declare(
    "UNKNOWN_WEBHOOK",
    404,
    "Unknown Webhook",
    advice="The webhook was deleted, or the token in the URL is not its token. Make a new one.",
)
UNKNOWN_STICKER = community.declare(
    "UNKNOWN_STICKER",
    404,
    "Unknown Sticker",
    advice="List the guild's stickers and take the id from there; those of other guilds need USE_EXTERNAL_STICKERS.",
)
VANITY_URL_TAKEN = community.declare(
    "VANITY_URL_TAKEN",
    409,
    "This vanity code is taken",
    advice="Another guild or invite has it. Choose another.",
)
CANNOT_TRANSFER_OWNERSHIP_TO_BOT = community.declare(
    "CANNOT_TRANSFER_OWNERSHIP_TO_BOT",
    400,
    "A bot cannot own a guild",
    advice="Choose a member who is no bot.",
)
UNKNOWN_EMOJI = community.declare(
    "UNKNOWN_EMOJI",
    404,
    "Unknown Emoji",
    advice="Send a Unicode emoji, percent-encoded, or `name:id` of a custom one you may use.",
)
ALREADY_FRIENDS = community.declare(
    "ALREADY_FRIENDS", 400, "You are friends already", advice="Nothing is left to do."
)
FRIEND_REQUEST_BLOCKED = community.declare(
    "FRIEND_REQUEST_BLOCKED",
    400,
    "This person does not take your friend requests",
    advice="They have blocked you. Do not retry.",
)
CANNOT_SEND_FRIEND_REQUEST_TO_SELF = community.declare(
    "CANNOT_SEND_FRIEND_REQUEST_TO_SELF",
    400,
    "You cannot befriend yourself",
    advice="Send the id or tag of somebody else.",
)
CANNOT_SEND_FRIEND_REQUEST_TO_BLOCKED_USER = community.declare(
    "CANNOT_SEND_FRIEND_REQUEST_TO_BLOCKED_USER", 400, "You have blocked this person", retry=Retry.AFTER_FIX,
    advice="Lift your block first (`DELETE /users/@me/relationships/{id}`).",
)  # fmt: skip
BOTS_CANNOT_SEND_FRIEND_REQUESTS = community.declare(
    "BOTS_CANNOT_SEND_FRIEND_REQUESTS", 400, "Bots have no friends", advice="Add the bot to a guild instead."
)
NO_USERS_WITH_FLUXERTAG_EXIST = community.declare(
    "NO_USERS_WITH_FLUXERTAG_EXIST",
    400,
    "Nobody has this tag",
    advice="Check the spelling and the four digits.",
)
NOT_FRIENDS_WITH_USER = community.declare(
    "NOT_FRIENDS_WITH_USER", 400, "You are not friends with this person", retry=Retry.AFTER_FIX,
    advice="Groups are for friends: send a friend request first.",
)  # fmt: skip
