"""The other processes of the instance, as far as connections are lent between them.

A session lives where it was identified, and its id begins with that process's key. A client that resumes it elsewhere
keeps its connection there: the process that took it (the lender, lending.py) lends it to the one with the session (the
owner, borrowing.py), and both write letters to each other over the bus (letters.py).

The bus may lose letters, but not unnoticed: they are numbered. Then everything between the two ends, and the clients come
back and resume. So it does when the other process is not heard of any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from flux.community.realtime.borrowing import BorrowedSocket
from flux.community.realtime.connection import Connection
from flux.community.realtime.lending import Lent
from flux.community.realtime.letters import (
    LARGEST,
    LOST,
    Answer,
    Ask,
    Beat,
    Closed,
    Gone,
    Heard,
    Letter,
    Note,
    Said,
    Stranger,
    Taken,
    opened,
    written,
)
from flux.community.realtime.protocol import UNKNOWN_ERROR, Refused
from flux.kernel.bus.port import Bus
from flux.kernel.store import Clock, random_key
from flux.settings.community import Realtime

log = logging.getLogger("flux.community.realtime")
SUBJECT = "community.realtime.process."
HEXADECIMAL = "0123456789abcdef"
KEY_LENGTH = 8
ID_LENGTH = 32
"""Of a session: 96 random bits behind the key."""
Hosting = Callable[[BorrowedSocket, Ask], None]


class Neighbour:
    """One other process: the connections between it and this one, and the letters."""

    __slots__ = (
        "_bus", "_notes", "_number", "_own_key", "_read", "_size", "_subject", "borrowed", "lent", "quiet",
    )  # fmt: skip

    def __init__(self, bus: Bus, own_key: str, key: str) -> None:
        self._bus = bus
        self._own_key = own_key
        self._subject = SUBJECT + key
        self._notes: list[Note] = []
        self._size = 0
        self._number = 0
        self._read = 0
        """The number of the last letter from there, 0 for none."""
        self.lent: dict[int, Lent] = {}
        self.borrowed: dict[int, BorrowedSocket] = {}
        self.quiet = 0
        """How often it was looked for since it was last heard of."""

    def has_links(self) -> bool:
        return bool(self.lent or self.borrowed)

    def send(self, note: Note, size: int = 0) -> None:
        """In this turn of the loop, together with what else goes there."""
        if self._size + size > LARGEST:
            self.post()
        if not self._notes:
            asyncio.get_running_loop().call_soon(self.post)
        self._notes.append(note)
        self._size += size

    def post(self) -> None:
        if self._notes:
            self._number += 1
            notes, self._notes, self._size = self._notes, [], 0
            self._bus.publish(self._subject, written(Letter(self._own_key, self._number, notes)))

    def missed(self, number: int) -> bool:
        """Whether letters before this one were lost. Processes forget each other while nothing is between them: with 1 the
        other begins anew, and whatever comes first is as good."""
        last, self._read = self._read, number
        return last != 0 and number not in (last + 1, 1)

    def is_unknown(self) -> bool:
        """Whether it was never heard of, and nothing is between us."""
        return self._read == 0 and not self.has_links()

    def lend(self, link: int, connection: Connection, window: int) -> Lent:
        lent = Lent(link, connection, window, self.send, lambda link: self.lent.pop(link, None))
        self.lent[link] = lent
        return lent

    def borrow(self, link: int, window: int) -> BorrowedSocket:
        socket = BorrowedSocket(link, window, self.send, lambda link: self.borrowed.pop(link, None))
        self.borrowed[link] = socket
        return socket

    def give_up(self) -> None:
        """It will not answer."""
        for lent in list(self.lent.values()):
            if not lent.is_answered():
                lent.end(LOST)

    def part(self, reason: str) -> None:
        """Everything between us ends."""
        if self.has_links():
            log.warning(
                "%d connections shared with another process end: %s",
                len(self.lent) + len(self.borrowed),
                reason,
            )
        for lent in list(self.lent.values()):
            lent.lost(reason)
        for link, socket in list(self.borrowed.items()):
            self.send(Closed(link, UNKNOWN_ERROR, reason))
            socket.ended(LOST)

    def read(self, note: Note) -> None:
        """Anything but a request. What belongs to a connection that is over is answered so that the other end hears of it."""
        if isinstance(note, Said):
            if (lent := self.lent.get(note.link)) is not None:
                lent.said(note)
            else:
                self.send(Gone(note.link, LOST))
        elif isinstance(note, Heard):
            if (socket := self.borrowed.get(note.link)) is not None:
                socket.heard(note.payload)
            else:
                self.send(Closed(note.link, UNKNOWN_ERROR, "the session is elsewhere"))
        elif isinstance(note, Taken | Gone):
            if (socket := self.borrowed.get(note.link)) is not None:
                socket.taken(note.size) if isinstance(note, Taken) else socket.ended(note.code)
        elif isinstance(note, Answer | Closed):
            if (lent := self.lent.get(note.link)) is not None:
                lent.answered(note) if isinstance(note, Answer) else lent.closed(note.code, note.reason)
        elif isinstance(note, Beat):
            if not self.has_links():
                self.send(Stranger(note.drawn))
        elif isinstance(note, Stranger):
            self._is_stranger(note.drawn)

    def _is_stranger(self, drawn: int) -> None:
        """It knows of no connection between us."""
        for link, lent in list(self.lent.items()):
            if link <= drawn:
                lent.lost("the session is elsewhere")
        for socket in list(self.borrowed.values()):
            socket.ended(LOST)


class Neighbours:
    """`hosting` is called with the connection of each client of another process that asks for a session of this one."""

    def __init__(self, bus: Bus, clock: Clock, limits: Realtime) -> None:
        self.key = random_key(KEY_LENGTH, HEXADECIMAL)
        self.hosting: Hosting = lambda socket, _: socket.refuse()
        self._bus = bus
        self._clock = clock
        self._limits = limits
        self._known: dict[str, Neighbour] = {}
        self._drawn = 0
        self._subscription = bus.subscribe(SUBJECT + self.key, self._letter) if bus.shared else None
        bus.on_loss(self._lost)

    # -- sessions ---------------------------------------------------------------------------------------------

    def new_session_id(self) -> str:
        return self.key + random_key(ID_LENGTH - KEY_LENGTH, HEXADECIMAL)

    def owner_of(self, session_id: str) -> str:
        """The key of the other process that made the id; empty for none."""
        key = session_id[:KEY_LENGTH]
        if not self._bus.shared or key == self.key or len(session_id) != ID_LENGTH:
            return ""
        return key if all(each in HEXADECIMAL for each in session_id) else ""

    # -- lending ----------------------------------------------------------------------------------------------

    async def lend(
        self, connection: Connection, session_id: str, token_hash: bytes | None, seq: int
    ) -> Lent | None:
        """Lend a connection whose client resumes a session of another process; None when it cannot be resumed. Raises
        `Refused`."""
        key = self.owner_of(session_id)
        if not key:
            return None
        neighbour = self._neighbour(key)
        if len(neighbour.lent) >= self._limits.max_sessions:
            raise Refused(UNKNOWN_ERROR, "too many sessions")
        self._drawn += 1
        lent = neighbour.lend(self._drawn, connection, self._limits.lending_window)
        neighbour.send(Ask(lent.link, session_id, token_hash, seq))
        patience = self._clock.call_later(self._limits.lending_answer_seconds, lambda: lent.end(LOST))
        try:
            return lent if await lent.answer() else None
        except asyncio.CancelledError:
            lent.end(LOST)
            raise
        finally:
            patience.cancel()
            if neighbour.is_unknown() and self._known.get(key) is neighbour:
                # Keys that clients make up leave nothing behind.
                del self._known[key]

    # -- letters ----------------------------------------------------------------------------------------------

    def _neighbour(self, key: str) -> Neighbour:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Neighbour(self._bus, self.key, key)
        return found

    def _letter(self, _: str, payload: bytes) -> None:
        letter = opened(payload)
        neighbour = self._neighbour(letter.sender)
        neighbour.quiet = 0
        if neighbour.missed(letter.number):
            neighbour.part("letters were lost")
        try:
            for note in letter.notes:
                if isinstance(note, Ask):
                    self.hosting(neighbour.borrow(note.link, self._limits.lending_window), note)
                else:
                    neighbour.read(note)
        except Exception:
            log.exception("a letter of another process could not be read to its end")
            neighbour.part("letters were lost")

    def tick(self, seconds: float) -> None:
        """Every so many seconds: tell those with whom there are connections that this process lives, and part from those
        that were not heard of for long. Ticks are counted, not time: after a standstill of this process the others'
        letters wait to be read."""
        for key, neighbour in list(self._known.items()):
            neighbour.quiet += 1
            if neighbour.quiet * seconds > self._limits.lending_silence_seconds:
                neighbour.give_up()
                neighbour.part("the process of the session is gone")
                neighbour.post()
                del self._known[key]
            elif neighbour.has_links():
                neighbour.send(Beat(self._drawn))

    def _lost(self) -> None:
        for neighbour in list(self._known.values()):
            neighbour.part("events were lost")

    def close(self) -> None:
        """Say what is left to say."""
        for neighbour in self._known.values():
            neighbour.post()
        if self._subscription is not None:
            self._subscription.cancel()
