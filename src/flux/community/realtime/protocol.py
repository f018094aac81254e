"""The gateway's words: opcodes, close codes, frames, and reading what a client sends. No I/O."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from flux.community.inputs import Moment, cleaned
from flux.community.users.schemas import CustomStatus
from flux.kernel.wire.values import decode_hook

DISPATCH = 0
HEARTBEAT = 1
IDENTIFY = 2
PRESENCE_UPDATE = 3
VOICE_STATE_UPDATE = 4
RESUME = 6
RECONNECT = 7
REQUEST_GUILD_MEMBERS = 8
INVALID_SESSION = 9
HELLO = 10
HEARTBEAT_ACK = 11
GATEWAY_ERROR = 12
LAZY_REQUEST = 14

FROM_CLIENTS = frozenset(
    {HEARTBEAT, IDENTIFY, PRESENCE_UPDATE, VOICE_STATE_UPDATE, RESUME, REQUEST_GUILD_MEMBERS, LAZY_REQUEST}
)

UNKNOWN_ERROR = 4000
UNKNOWN_OPCODE = 4001
DECODE_ERROR = 4002
NOT_AUTHENTICATED = 4003
AUTHENTICATION_FAILED = 4004
ALREADY_AUTHENTICATED = 4005
INVALID_SEQ = 4007
RATE_LIMITED = 4008
SESSION_TIMEOUT = 4009
INVALID_API_VERSION = 4012

LARGEST_ID = (1 << 63) - 1
LONGEST_STATUS = 128
STATUSES = frozenset({"online", "idle", "dnd", "invisible"})


class Refused(Exception):
    """The connection must be closed with `code`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class Inbound(Struct):
    op: int
    d: msgspec.Raw = msgspec.Raw(b"null")


class Properties(Struct):
    os: str
    browser: str
    device: str


def _cleaned(text: str | None) -> str | None:
    """Trimmed, without control characters; None for nothing."""
    return cleaned(text or "")[:LONGEST_STATUS] or None


class CustomInput(Struct):
    text: str | None = None
    emoji_id: str | int | None = None
    emoji_name: str | None = None
    expires_at: Moment | None = None

    def status(self) -> CustomStatus | None:
        """None for one that says nothing."""
        text = _cleaned(self.text)
        emoji_id = next(map(str, ids([self.emoji_id or ""])), None)
        emoji_name = _cleaned(self.emoji_name)
        if not (text or emoji_id or emoji_name):
            return None
        return CustomStatus(
            text=text,
            expires_at=self.expires_at and str(self.expires_at),
            emoji_id=emoji_id,
            emoji_name=emoji_name,
        )


class PresenceInput(Struct):
    status: str = "online"
    afk: bool = False
    mobile: bool = False
    custom_status: CustomInput | UnsetType | None = UNSET

    @property
    def kind(self) -> str:
        """`offline` is read as invisible; anything unknown as online."""
        if self.status == "offline":
            return "invisible"
        return self.status if self.status in STATUSES else "online"


class Identify(Struct):
    token: str
    properties: Properties
    presence: PresenceInput | None = None
    ignored_events: list[str] = []
    flags: int = 0


class Resume(Struct):
    token: str
    session_id: str
    seq: int


class MembersRequest(Struct):
    guild_id: str | int
    query: str = ""
    limit: int = 0
    user_ids: list[str | int] | str | int | UnsetType = UNSET
    presences: bool = False
    nonce: str | UnsetType = UNSET


class Subscription(Struct):
    """What of one guild a client asks for; what is left out stays as it is."""

    active: bool | UnsetType = UNSET
    sync: bool | UnsetType = UNSET
    typing: bool | UnsetType = UNSET
    members: list[str | int] | UnsetType = UNSET
    member_list_channels: dict[str, Any] | UnsetType = UNSET


class LazyRequest(Struct):
    subscriptions: dict[str, Subscription] = {}


_inbound = msgspec.json.Decoder(Inbound)


def read(message: str | bytes, limit: int) -> Inbound:
    """Raises `Refused`: 4002 for what is too large or not a payload, 4001 for an opcode clients do not send."""
    size = len(message) if isinstance(message, bytes) else len(message.encode("utf-8", "surrogatepass"))
    if size > limit:
        raise Refused(DECODE_ERROR, "payload too large")
    try:
        payload = _inbound.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(DECODE_ERROR, "not a gateway payload") from None
    if payload.op not in FROM_CLIENTS:
        raise Refused(UNKNOWN_OPCODE, "unknown opcode")
    return payload


def data(payload: Inbound, kind: type[Any]) -> Any:
    """The payload's `d`. Raises `Refused` 4002."""
    try:
        return msgspec.json.decode(payload.d, type=kind, dec_hook=decode_hook)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(DECODE_ERROR, "invalid data for this opcode") from None


def ids(given: list[str | int]) -> list[int]:
    """The ids among them."""
    texts = [str(each) for each in given]
    plain = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 20]
    return [each for each in plain if each <= LARGEST_ID]


def sequence(payload: Inbound, last: int) -> int | None:
    """A heartbeat's acknowledged number. Raises `Refused` 4007 for what was never sent."""
    try:
        found = msgspec.json.decode(payload.d)
    except (msgspec.DecodeError, RecursionError):
        raise Refused(DECODE_ERROR, "not a gateway payload") from None
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= last:
        raise Refused(INVALID_SEQ, "sequence ahead of the server")
    return found


def control(op: int, value: Any = None) -> str:
    """A payload outside the numbered events."""
    return msgspec.json.encode({"op": op, "d": value}).decode()


def resumed(number: int) -> str:
    """The end of a replay. It carries the last number and takes none of its own."""
    return f'{{"op":0,"t":"RESUMED","d":null,"s":{number}}}'


class Frame:
    """One event, encoded once: everything but the number, which differs from session to session. `shared` frames go to
    many sessions, of which those that stand at the same number share the string."""

    __slots__ = ("_head", "_last", "_text", "name", "shared", "size")

    def __init__(self, name: str, encoded: bytes, *, shared: bool = True) -> None:
        self.name = name
        self.shared = shared
        self.size = len(encoded) + 48
        self._head = f'{{"op":0,"t":"{name}","d":{encoded.decode()},"s":'
        self._last = 0
        self._text = ""

    @classmethod
    def of(cls, name: str, value: Any, *, shared: bool = False) -> Frame:
        return cls(name, msgspec.json.encode(value), shared=shared)

    def data(self) -> Any:
        """What the event says, decoded."""
        return msgspec.json.decode(self._head.removesuffix(',"s":') + "}")["d"]

    def text(self, number: int) -> str:
        """The whole payload."""
        if not self.shared:
            return f"{self._head}{number}}}"
        if number != self._last:
            self._last = number
            self._text = f"{self._head}{number}}}"
        return self._text
