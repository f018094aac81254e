"""What a connected client says, from hello to goodbye."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from msgspec import UnsetType

from flux.community.auth import tokens
from flux.community.auth.tokens import Credential
from flux.community.principals import Principal
from flux.community.realtime import protocol
from flux.community.realtime.borrowing import BorrowedSocket
from flux.community.realtime.compression import encoder
from flux.community.realtime.connection import Connection, Line
from flux.community.realtime.hub import Hub
from flux.community.realtime.lending import Lent
from flux.community.realtime.letters import LOST, Ask
from flux.community.realtime.lists import MemberLists
from flux.community.realtime.protocol import Inbound, Refused, control
from flux.community.realtime.session import Session
from flux.community.realtime.sieve import GATHER_REACTIONS, Sieve
from flux.kernel.faults import PortFailure
from flux.kernel.quota import Quota, Rate
from flux.kernel.store import Clock
from flux.kernel.wire import Socket, SocketClosed

log = logging.getLogger("flux.community.realtime")
CLEAN = (1000, 1001)
WINDOW_SECONDS = 60.0
MOST_SUBSCRIPTIONS = 100
Identifier = Callable[[Credential | None], Awaitable[Principal | None]]


class Gateway:
    """What every conversation needs."""

    def __init__(
        self, hub: Hub, identify: Identifier, lists: MemberLists, quota: Quota, clock: Clock
    ) -> None:
        self.hub = hub
        self.identify = identify
        self.lists = lists
        self.quota = quota
        self.clock = clock
        seconds = hub.limits.identify_seconds
        self.identify_rate = Rate(1, seconds) if seconds else None
        self.hello = control(protocol.HELLO, {"heartbeat_interval": hub.limits.heartbeat_interval_ms})
        hub.neighbours.hosting = lambda socket, ask: hub.spawn(self.host(socket, ask))

    async def serve(self, socket: Socket, version: str | None, compress: str | None) -> None:
        """One connection, until it ends."""
        if version != "1":
            await socket.close(protocol.INVALID_API_VERSION, "the API version is 1")
            return
        connection = Connection(socket, encoder(compress or ""), self.clock.monotonic())
        conversation = Conversation(self, connection)
        clean = False
        try:
            if not self.hub.welcome(connection):
                connection.close(protocol.UNKNOWN_ERROR, "too many connections")
                return
            connection.write_control(self.hello)
            clean = await conversation.run(socket)
        except asyncio.CancelledError:
            if not connection.closing:
                raise
        finally:
            await connection.closed()
            self.hub.goodbye(connection, conversation.session, clean=clean)
            if conversation.lent is not None:
                conversation.lent.end(CLEAN[0] if clean else LOST)

    async def host(self, socket: BorrowedSocket, ask: Ask) -> None:
        """One connection of another process whose client wants a session of this one, until it ends."""
        connection = Connection(socket, None, self.clock.monotonic())
        conversation = Conversation(self, connection)
        clean = False
        try:
            session = None
            if not (self.hub.draining or socket.closed):
                session = self.claim(ask.session_id, ask.token_hash, ask.seq)
            if session is None:
                socket.refuse()
                return
            socket.accept()
            self.hub.welcome(connection)
            conversation.take(session, ask.seq)
            clean = await conversation.run(socket)
        except Refused as refused:
            socket.refuse(refused.code, refused.reason)
        finally:
            self.hub.goodbye(connection, conversation.session, clean=clean)

    def claim(self, session_id: str, token_hash: bytes | None, seq: int) -> Session | None:
        """A session of this process for a client that comes back to it, having read all up to `seq`. None when it is not to be
        had any more. Raises `Refused`."""
        session = self.hub.find(session_id)
        if session is None:
            return None
        if token_hash is None or token_hash != session.token_hash:
            raise Refused(protocol.AUTHENTICATION_FAILED, "the token is not the session's")
        if seq > session.number:
            raise Refused(protocol.INVALID_SEQ, "sequence ahead of the server")
        if (old := session.connection) is not None:
            old.close(protocol.UNKNOWN_ERROR, "resumed elsewhere")
        if seq < 0 or not session.can_resume_after(seq):
            self.hub.end(session)
            return None
        return session


class Conversation:
    """`session` is the client's, or `lent` its connection, to the process with the session."""

    __slots__ = ("_connection", "_count", "_gateway", "_window_ends", "lent", "session")

    def __init__(self, gateway: Gateway, connection: Connection) -> None:
        self._gateway = gateway
        self._connection = connection
        self.session: Session | None = None
        self.lent: Lent | None = None
        self._count = 0
        self._window_ends = 0.0

    async def run(self, socket: Line) -> bool:
        """Whether the client ended it cleanly."""
        limits = self._gateway.hub.limits
        try:
            while True:
                message = await socket.receive()
                if self._connection.closing:
                    continue
                try:
                    if not isinstance(socket, BorrowedSocket):
                        self._count_payload()
                    payload = protocol.read(message, limits.payload_bytes)
                    if self.lent is not None:
                        self.lent.hear(message)
                    else:
                        await self._handle(payload)
                except Refused as refused:
                    await self._connection.close(refused.code, refused.reason)
                except SocketClosed:
                    raise
                except Exception:
                    log.exception("a payload could not be dealt with")
                    await self._connection.close(protocol.UNKNOWN_ERROR, "internal error")
        except SocketClosed as gone:
            return gone.code in CLEAN and not self._connection.dismissed

    def _count_payload(self) -> None:
        now = self._gateway.clock.monotonic()
        if now >= self._window_ends:
            self._window_ends, self._count = now + WINDOW_SECONDS, 0
        self._count += 1
        if self._count > self._gateway.hub.limits.payloads_per_minute:
            raise Refused(protocol.RATE_LIMITED, "too many payloads")

    async def _handle(self, payload: Inbound) -> None:
        op = payload.op
        if op == protocol.HEARTBEAT:
            self._heartbeat(payload)
        elif op == protocol.IDENTIFY:
            await self._identify(protocol.data(payload, protocol.Identify))
        elif op == protocol.RESUME:
            await self._resume(protocol.data(payload, protocol.Resume))
        elif self.session is None:
            raise Refused(protocol.NOT_AUTHENTICATED, "identify first")
        elif op == protocol.PRESENCE_UPDATE:
            presence = protocol.data(payload, protocol.PresenceInput)
            await self._or_fail(self._gateway.hub.set_status(self.session, presence))
        elif op == protocol.REQUEST_GUILD_MEMBERS:
            wanted = protocol.data(payload, protocol.MembersRequest)
            await self._or_fail(self._members(self.session, wanted))
        elif op == protocol.LAZY_REQUEST:
            await self._or_fail(self._lazy(self.session, protocol.data(payload, protocol.LazyRequest)))
        else:
            self._fail("UNKNOWN_ERROR", "Voice is not switched on at this instance.")

    def _heartbeat(self, payload: Inbound) -> None:
        number = protocol.sequence(payload, self.session.sent if self.session else 0)
        if number is not None and self.session is not None:
            self.session.acknowledge(number)
        self._connection.heard_at = self._gateway.clock.monotonic()
        self._connection.prodded = False
        self._connection.write_control('{"op":11}')

    async def _identify(self, body: protocol.Identify) -> None:
        if self.session is not None:
            raise Refused(protocol.ALREADY_AUTHENTICATED, "identified already")
        gateway = self._gateway
        credential = tokens.read_for_gateway(body.token)
        principal = await self._principal(credential)
        if (
            principal is None
            or principal.user is None
            or credential is None
            or principal.kind not in ("user", "bot")
        ):
            raise Refused(protocol.AUTHENTICATION_FAILED, "bad token")
        rate = gateway.identify_rate
        if rate is not None and not gateway.quota.count(f"identify:{principal.user.id}", rate).allowed:
            self._connection.write_control(control(protocol.INVALID_SESSION, False))
            return
        session = gateway.hub.begin(principal.user, credential.hash, principal.session)
        self.session = session
        gateway.hub.introduced(self._connection)
        if body.ignored_events or body.flags & GATHER_REACTIONS:
            gather = bool(body.flags & GATHER_REACTIONS)
            session.sieve = Sieve(body.ignored_events, gather=gather, clock=gateway.clock, push=session.push)
        session.attach(self._connection)
        try:
            await gateway.hub.prepare(session, principal.user, body.presence)
        except Exception:
            log.exception("a session could not be started")
            gateway.hub.end(session)
            raise Refused(protocol.UNKNOWN_ERROR, "the session could not be started") from None

    async def _principal(self, credential: Credential | None) -> Principal | None:
        try:
            return await self._gateway.identify(credential)
        except PortFailure:
            raise Refused(protocol.UNKNOWN_ERROR, "the session could not be started") from None

    async def _resume(self, body: protocol.Resume) -> None:
        """What was missed comes again under its own numbers, then RESUMED; from here, or from the process with the session."""
        if self.session is not None:
            raise Refused(protocol.ALREADY_AUTHENTICATED, "identified already")
        hub = self._gateway.hub
        credential = tokens.read_for_gateway(body.token)
        token_hash = credential.hash if credential is not None else None
        session = self._gateway.claim(body.session_id, token_hash, body.seq)
        if session is not None:
            self.take(session, body.seq)
            return
        self.lent = await hub.neighbours.lend(self._connection, body.session_id, token_hash, body.seq)
        if self.lent is None:
            self._connection.write_control(control(protocol.INVALID_SESSION, False))
        else:
            hub.introduced(self._connection)

    def take(self, session: Session, seq: int) -> None:
        """The claimed session is this client's from now on."""
        hub = self._gateway.hub
        self.session = session
        hub.introduced(self._connection)
        hub.resumed(session)
        session.attach(self._connection, after=seq)

    async def _members(self, session: Session, body: protocol.MembersRequest) -> None:
        room = next(map(self._gateway.hub.room, protocol.ids([body.guild_id])), None)
        if room is None or room.guild_id not in session.guilds:
            self._fail("VOICE_GUILD_NOT_FOUND", "You are not in this guild.")
            return
        frames = await self._gateway.lists.chunks(room, session.user_id, body)
        if frames is None:
            self._fail(
                "VOICE_PERMISSION_DENIED",
                "Listing every member needs MANAGE_ROLES, KICK_MEMBERS or BAN_MEMBERS.",
            )
            return
        for frame in frames:
            session.push(frame)

    async def _lazy(self, session: Session, body: protocol.LazyRequest) -> None:
        """What the client wants to hear of each guild; `sync`, or becoming active, is answered with its state."""
        hub, lists = self._gateway.hub, self._gateway.lists
        for guild_id, wanted in list(body.subscriptions.items())[:MOST_SUBSCRIPTIONS]:
            room = next(map(hub.room, protocol.ids([guild_id])), None)
            if room is None or room.guild_id not in session.guilds:
                continue
            audience = room.audience
            if wanted.active is False:
                audience.set_active(session, False)
            elif wanted.active is True or wanted.sync is True:
                if wanted.active is True:
                    audience.set_active(session, True)
                frame = await lists.sync(session.user_id, room.guild_id)
                if frame is not None:
                    session.push(frame)
            if not isinstance(wanted.typing, UnsetType):
                audience.set_typing(session, wanted.typing)
            if not isinstance(wanted.members, UnsetType):
                audience.follow(session, protocol.ids(wanted.members))
            if not isinstance(wanted.member_list_channels, UnsetType):
                await lists.watch(session, room, wanted.member_list_channels)

    async def _or_fail(self, work: Awaitable[None]) -> None:
        """What cannot be read from the store now is told; the session goes on."""
        try:
            await work
        except PortFailure:
            self._fail("UNKNOWN_ERROR", "This cannot be answered now.")

    def _fail(self, code: str, message: str) -> None:
        self._connection.write_control(control(protocol.GATEWAY_ERROR, {"code": code, "message": message}))
