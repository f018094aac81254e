"""What processes write to each other about connections one has lent to another. No I/O.

A letter carries the number it has among those from its sender to its receiver: whoever misses one knows it.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

PIECE = 65_536
"""Characters of a payload in one note; longer ones go in several, since NATS takes a megabyte at once where nothing else is
set."""
LARGEST = 131_072
"""Characters in one letter."""
LOST = 1006
"""How a connection ended that did not end by a close frame."""


# -- from the lender, which has the socket --------------------------------------------------------------------


class Ask(Struct, array_like=True, frozen=True, tag=1):
    """RESUME came at connection `link`, a number the lender draws. `token_hash` is None for what is no token."""

    link: int
    session_id: str
    token_hash: bytes | None
    seq: int


class Heard(Struct, array_like=True, frozen=True, tag=2):
    """A payload of the client, within the limits."""

    link: int
    payload: bytes


class Taken(Struct, array_like=True, frozen=True, tag=3):
    """Characters that the client's socket took, beyond those told before."""

    link: int
    size: int


class Gone(Struct, array_like=True, frozen=True, tag=4):
    """The connection ended, by the client's close frame with `code` or otherwise (`LOST`)."""

    link: int
    code: int


# -- from the owner, which has the session --------------------------------------------------------------------


class Answer(Struct, array_like=True, frozen=True, tag=5):
    """To `Ask`: `resumed`, or the code with which the connection is to be closed, 0 for a session that cannot be resumed."""

    link: int
    resumed: bool
    code: int = 0
    reason: str = ""


class Said(Struct, array_like=True, frozen=True, tag=6):
    """For the client: a payload, or with `more` a piece of it."""

    link: int
    text: str
    more: bool = False


class Closed(Struct, array_like=True, frozen=True, tag=7):
    """The connection is to be closed. Nothing follows."""

    link: int
    code: int
    reason: str = ""


# -- from both ------------------------------------------------------------------------------------------------


class Beat(Struct, array_like=True, frozen=True, tag=8):
    """There are connections between us. `drawn` is the last link number the sender has drawn."""

    drawn: int


class Stranger(Struct, array_like=True, frozen=True, tag=9):
    """To `Beat`: there are none, of those drawn until then."""

    drawn: int


Note = Ask | Heard | Taken | Gone | Answer | Said | Closed | Beat | Stranger


class Letter(Struct, array_like=True, frozen=True):
    """`number` counts from 1."""

    sender: str
    number: int
    notes: list[Note]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Letter)


def written(letter: Letter) -> bytes:
    return _encoder.encode(letter)


def opened(payload: bytes) -> Letter:
    return _decoder.decode(payload)
