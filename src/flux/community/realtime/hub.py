"""All sessions and guild rooms of this process, fed by the bus."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import msgspec

from flux.community.announcing import Announcement, decoder, guild_subject, user_subject
from flux.community.auth.tokens import from_id_hash, id_hash
from flux.community.guilds.state import GuildStates
from flux.community.members.service import MemberService
from flux.community.realtime.attendance import Attendance
from flux.community.realtime.connection import Connection
from flux.community.realtime.guildroom import GuildRoom
from flux.community.realtime.lists import MemberLists
from flux.community.realtime.neighbours import Neighbours
from flux.community.realtime.protocol import (
    AUTHENTICATION_FAILED,
    HEARTBEAT,
    NOT_AUTHENTICATED,
    RECONNECT,
    SESSION_TIMEOUT,
    UNKNOWN_ERROR,
    Frame,
    PresenceInput,
    Refused,
    control,
)
from flux.community.realtime.ready import ReadyMaker
from flux.community.realtime.refreshing import Refresher
from flux.community.realtime.rosters import SESSIONS_HERE, Rosters
from flux.community.realtime.session import Session
from flux.community.realtime.statuses import WORN, Statuses
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.bus.port import Bus, Subscription
from flux.kernel.store import Clock
from flux.settings.community import Realtime

log = logging.getLogger("flux.community.realtime")
SWEEP_SECONDS = 2.0


class Hub:
    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        users: UserService,
        members: MemberService,
        guilds: GuildStates,
        ready: ReadyMaker,
        statuses: Statuses,
        rosters: Rosters,
        lists: MemberLists,
        neighbours: Neighbours,
        limits: Realtime,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._attendance = Attendance(statuses, rosters, users, members, clock, self.spawn)
        self._users = users
        self._members = members
        self._guilds = guilds
        self._ready = ready
        self.presence = statuses.presence
        self.lists = lists
        self.neighbours = neighbours
        self.limits = limits
        self._sessions: dict[str, Session] = {}
        self._heard_users: dict[int, Subscription] = {}
        self._rooms: dict[int, GuildRoom] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._heard_guilds: dict[int, Subscription] = {}
        self._connections: set[Connection] = set()
        self._strangers: dict[Connection, float] = {}
        """Connections without a session, oldest first, and since when."""
        self._detached: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        self._news_at = 0.0
        self._refresher = Refresher(guilds, clock, self.spawn)
        bus.on_loss(self._lost)

    # -- life -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self.presence.ask()
        self._clock.call_later(SWEEP_SECONDS, self._sweep)

    async def drain(self) -> None:
        """The process ends: every client is told to come back, which finds another process or the next one."""
        self.draining = True
        goodbyes = []
        for connection in list(self._connections):
            connection.write_control(control(RECONNECT))
            goodbyes.append(connection.close(UNKNOWN_ERROR, "restarting"))
        if goodbyes:
            await asyncio.wait(goodbyes)

    async def stop(self) -> None:
        self.draining = True
        self.presence.close()
        self.neighbours.close()
        for task in self._tasks:
            task.cancel()

    def connected(self, user_id: int) -> bool:
        return self.presence.connected(user_id)

    def online_in(self, guild_id: int) -> int:
        room = self._rooms.get(guild_id)
        return len(room.members) if room else 0

    # -- connections ------------------------------------------------------------------------------------------

    def welcome(self, connection: Connection) -> bool:
        """False when there are too many that have not said who they are."""
        self._connections.add(connection)
        self._strangers[connection] = self._clock.monotonic()
        return len(self._strangers) <= self.limits.max_strangers

    def introduced(self, connection: Connection) -> None:
        """It has a session."""
        self._strangers.pop(connection, None)

    def goodbye(self, connection: Connection, session: Session | None, *, clean: bool) -> None:
        """The connection is gone. A clean end of the client ends its session; otherwise it waits to be resumed."""
        self._connections.discard(connection)
        self._strangers.pop(connection, None)
        connection.release()
        if session is None or session.connection is not connection:
            return
        session.detach(self._clock.monotonic())
        if clean and not session.told_to_return and not self.draining:
            self.end(session)
        else:
            self._detached[session.id] = session

    def _sweep(self) -> None:
        """Silent connections are prodded, then closed; sessions nobody came back to end."""
        now = self._clock.monotonic()
        limits = self.limits
        for connection in self._connections:
            silence = now - connection.heard_at
            if silence < limits.heartbeat_silence_seconds or connection.closing:
                continue
            if silence >= limits.heartbeat_timeout_seconds:
                connection.close(SESSION_TIMEOUT, "no heartbeat")
            elif not connection.prodded:
                connection.prodded = True
                connection.write_control(control(HEARTBEAT))
        self._dismiss_strangers(now)
        self.presence.tick(now)
        self.neighbours.tick(SWEEP_SECONDS)
        self._tell_news(now)
        self.spawn(self.lists.refresh(self._rooms))
        for session in [
            each for each in self._detached.values() if now - each.detached_at >= limits.resume_seconds
        ]:
            self.end(session)
        if not self.draining:
            self._clock.call_later(SWEEP_SECONDS, self._sweep)

    def _dismiss_strangers(self, now: float) -> None:
        for connection, since in list(self._strangers.items()):
            if now - since < self.limits.identify_within_seconds:
                return
            del self._strangers[connection]
            connection.close(NOT_AUTHENTICATED, "nobody identified")

    def _tell_news(self, now: float) -> None:
        if now - self._news_at >= self.limits.passive_update_seconds:
            self._news_at = now
            for room in self._rooms.values():
                room.audience.tell_news(room.guild_id, room.user_sees)

    # -- sessions ---------------------------------------------------------------------------------------------

    def begin(self, user: UserRow, token_hash: bytes, auth_hash: bytes | None) -> Session:
        """A new session that holds its events back until `prepare`. Raises `Refused` when there are too many."""
        if self.draining or len(self._sessions) >= self.limits.max_sessions:
            raise Refused(UNKNOWN_ERROR, "too many sessions")
        session = Session(self.neighbours.new_session_id(), user, token_hash, auth_hash, self.limits)
        session.hold()
        self._sessions[session.id] = session
        if self._attendance.comes(session):
            self._heard_users[user.id] = self._bus.subscribe(user_subject(user.id), self._user_event)
            self._attendance.begins(user.id)
        return session

    async def prepare(self, session: Session, user: UserRow, presence: PresenceInput | None) -> None:
        """Seat the session in its guilds and send READY. Without a presence of its own it is as the account has chosen."""
        await self._bus.settle()
        guild_ids = await self._seat(session, await self._members.guild_ids(user.id))
        settings = None if user.bot else await self._users.settings(user.id)
        await self._attendance.take_place(session, settings, presence)
        frames = await self._ready.frames(session, user, settings, guild_ids, self._attendance.lines)
        if not session.alive:
            return
        if session.connection is None:
            # The client went before it learned the session's name: nobody can come back for it.
            self.end(session)
            return
        session.welcome(frames[0])
        session.release(*frames[1:])
        self._attendance.changed(session.user_id, session.guilds)

    def find(self, session_id: str) -> Session | None:
        return self._sessions.get(session_id)

    def resumed(self, session: Session) -> None:
        self._detached.pop(session.id, None)

    def end(self, session: Session) -> None:
        """For good."""
        if not session.alive:
            return
        session.alive = False
        self._sessions.pop(session.id, None)
        self._detached.pop(session.id, None)
        guild_ids = list(session.guilds)
        for guild_id in guild_ids:
            self._leave_room(session, guild_id)
        if self._attendance.goes(session):
            self._heard_users.pop(session.user_id).cancel()
        self._attendance.changed(session.user_id, guild_ids)
        if not self.presence.connected(session.user_id):
            self.spawn(self._members.end_temporary(session.user_id))

    async def set_status(self, session: Session, presence: PresenceInput) -> None:
        await self._attendance.take_place(session, None, presence)
        if session.alive:
            self._attendance.changed(session.user_id, session.guilds, told=True)

    # -- guild rooms ------------------------------------------------------------------------------------------

    def room(self, guild_id: int) -> GuildRoom | None:
        return self._rooms.get(guild_id)

    async def _seat(self, session: Session, guild_ids: list[int]) -> list[int]:
        """In each guild's room, which is opened for the first session that comes; those the account is really in."""
        rooms = [self._rooms.get(guild_id) or self._new_room(guild_id) for guild_id in guild_ids]
        new = [room for room in rooms if not room.is_open and room.guild_id not in self._opening]
        if new:
            opening = asyncio.get_running_loop().create_task(self._open(new))
            self._opening |= {room.guild_id: opening for room in new}
        entered = [(room, room.enter(session)) for room in rooms]
        waited = {self._opening[guild_id] for guild_id in guild_ids if guild_id in self._opening}
        if waited:
            await asyncio.wait(waited)
        unknown = [room.guild_id for room, member in entered if not member.known]
        held = await self._guilds.roles_in(session.user_id, unknown) if unknown else {}
        for room, member in entered:
            if not session.alive or not (member.known or room.guild_id in held):
                self._leave_room(session, room.guild_id)
            elif not member.known:
                room.know_roles(member, held[room.guild_id])
        return [room.guild_id for room, member in entered if member.known]

    def _new_room(self, guild_id: int) -> GuildRoom:
        room = self._rooms[guild_id] = GuildRoom(guild_id, self.limits.large_guild_members)
        self._heard_guilds[guild_id] = self._bus.subscribe(guild_subject(guild_id), self._guild_event)
        return room

    async def _open(self, rooms: list[GuildRoom]) -> None:
        try:
            # What happens from here on is heard; what happened before can be read.
            await self._bus.settle()
            models = await self._guilds.models([room.guild_id for room in rooms])
            for room in rooms:
                if room.guild_id in models:
                    room.open(models[room.guild_id])
        finally:
            for room in rooms:
                self._opening.pop(room.guild_id, None)

    def _leave_room(self, session: Session, guild_id: int) -> None:
        room = self._rooms.get(guild_id)
        if room is None:
            return
        room.leave(session)
        self._close_if_empty(room)

    def _close_if_empty(self, room: GuildRoom) -> None:
        if not room.members and self._rooms.get(room.guild_id) is room:
            del self._rooms[room.guild_id]
            self._heard_guilds.pop(room.guild_id).cancel()

    # -- the bus ----------------------------------------------------------------------------------------------

    def _guild_event(self, subject: str, payload: bytes) -> None:
        room = self._rooms.get(int(subject.rpartition(".")[2]))
        if room is not None:
            changes = room.changes
            room.hear(decoder.decode(payload))
            if self._bus.shared and room.changes != changes:
                self._refresher.changed(room)
            self._close_if_empty(room)

    def _user_event(self, subject: str, payload: bytes) -> None:
        user_id = int(subject.rpartition(".")[2])
        told = decoder.decode(payload)
        if told.control:
            self._control(user_id, told)
            return
        frame = Frame(told.name, told.data)
        for session in self._attendance.of(user_id):
            session.push(frame)

    def _control(self, user_id: int, told: Announcement) -> None:
        data: Any = msgspec.json.decode(told.data)
        sessions = self._attendance.of(user_id)
        if told.name == "GUILD_JOINED":
            for session in sessions:
                self.spawn(self._join(session, int(data["guild_id"])))
        elif told.name == "GUILD_LEFT":
            self._left(user_id, int(data["guild_id"]))
        elif told.name == "SESSIONS_ENDED":
            wanted, spared = data["hashes"], data.get("but", ())
            for session in sessions:
                name = None if session.auth_hash is None else id_hash(session.auth_hash)
                if name not in spared if wanted is None else name in wanted:
                    self._revoke(session)
        elif told.name == "STATUS_CHOSEN":
            self._attendance.chosen(user_id, data)
        elif told.name == WORN:
            self._attendance.worn(user_id, told.data)
        elif told.name == SESSIONS_HERE:
            self._attendance.heard(user_id, told.data)
        elif told.name == "SESSION_ROTATED":
            for session in sessions:
                if session.auth_hash == from_id_hash(data["old_auth_session_id_hash"]):
                    session.auth_hash = from_id_hash(data["new_auth_session_id_hash"])
                    session.token_hash = session.auth_hash or b""

    def _revoke(self, session: Session) -> None:
        if session.connection is not None:
            session.connection.close(AUTHENTICATION_FAILED, "session revoked")
        self.end(session)

    async def _join(self, session: Session, guild_id: int) -> None:
        """A guild the account has just come into. Its state comes before anything that happens in it."""
        if guild_id in session.guilds or not session.alive:
            return
        opened = session.hold()
        await self._seat(session, [guild_id])
        user = await self._users.find(session.user_id)
        if user is not None and session.alive:
            state = Frame.of("GUILD_CREATE", await self._ready.guild(user, guild_id))
            if opened:
                session.release(state)
            else:
                session.push(state)
        elif opened:
            session.release()

    def _left(self, user_id: int, guild_id: int) -> None:
        room = self._rooms.get(guild_id)
        if room is None:
            return
        room.tell_gone(user_id)
        self._close_if_empty(room)

    def _lost(self) -> None:
        """Events were lost between the processes: what the sessions here know may be wrong. They begin anew."""
        log.warning("events were lost on the bus: %d sessions begin anew", len(self._sessions))
        for session in list(self._sessions.values()):
            if session.connection is not None:
                session.connection.close(UNKNOWN_ERROR, "events were lost")
            self.end(session)
        self.presence.ask()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            log.exception("realtime work failed")
