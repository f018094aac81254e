"""How a payment may live: its misfortunes, chosen by a seed, and what a consumer heard of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

TARGET = ("status/500", "status/503", "hangup", "short", "garbage", "badchunk", "slow", "half", "cut")
"""What the target does instead of answering: errors, a hang, resets before and in the middle of a body."""
NODE = ("hang", "error", "html", "503", "drop", "null")
"""What the chain's node does when it is asked about this payment."""
CRASHES = ("unreserved", "reserved", "dispatched", "hit", "answered", "settled")
"""Between which states of the ledger the call stands when its process dies; `hit`: the target has it."""
CONSUMER = ("leaves", "twice", "thrice")
PAYMENTS = {"plain": 9, "late": 3, "vanish": 1, "moved": 1, "x402-v1": 1, "x402-v2": 2}
"""Mined before the first call; mined later; mined, and lost in a reorganisation; mined, and in another block after it; paid
by transfer authorisations of either version."""
VERIFY = ("error", "html", "503", "drop")
"""What the node does when it is asked about an authorisation before the call."""
SEND = ("error", "503", "drop", "lost")
"""What it does with the settlement; `lost`: it takes it, and nobody hears so."""
COLLECTING = ("noted", "broadcast")
"""Where a process dies beside that while it settles: the settlement is in the books and not sent; sent and not known. At
`answered` it is mined and not in the books."""
HANGS_UP_SECONDS = 30.0
"""After so long without an answer the consumer leaves, be it that nobody has taken its call yet."""


@dataclass
class Life:
    """One payment. `script` is what befalls its calls one after the other, before they are honest ones."""

    kind: str
    script: list[str] = field(default_factory=list)
    tx_hash: str = ""
    """Of an authorisation, its nonce."""
    raw: str = ""
    delivered: int = 0
    """Good answers that reached the consumer whole."""
    broken: int = 0
    """Connections that ended without an answer."""
    slowest: float = 0.0
    calls: int = 0
    refusals: list[str] = field(default_factory=list)
    patient: bool = False
    gone: bool = False
    """Its transaction is no longer on the chain."""
    over: bool = False

    @property
    def authorised(self) -> bool:
        return self.kind.startswith("x402")

    @property
    def left(self) -> bool:
        """Some call of it, not having heard the answer."""
        return self.met("leaves") or self.slowest >= HANGS_UP_SECONDS

    def met(self, *misfortunes: str) -> bool:
        return any(one.startswith(misfortunes) for one in self.script)


def born(dice: random.Random, crash: str | None) -> Life:
    """`crash`: where its process is to die when it is called first."""
    kinds = {"plain": 4, "x402-v1": 1, "x402-v2": 1} if crash is not None else PAYMENTS
    if crash in COLLECTING:
        kinds = {"x402-v1": 1, "x402-v2": 1}
    life = Life(dice.choices(list(kinds), list(kinds.values()))[0])
    if crash is not None:
        life.script.append(f"die:{crash}")
    elif life.authorised and dice.random() < 0.1:
        life.script.append(dice.choice(("stolen", "eth_estimateGas:stolen")))
    for _ in range(dice.choice((0, 1, 1, 1, 2))):
        fate = dice.random()
        if fate < 0.55:
            life.script.append(dice.choice(TARGET))
        elif fate < 0.85:
            life.script.append(_of_the_node(dice, life))
        else:
            life.script.append(dice.choice(CONSUMER))
    return life


def _of_the_node(dice: random.Random, life: Life) -> str:
    if not life.authorised:
        return f"node:{dice.choice(NODE)}"
    if dice.random() < 0.4:
        return f"eth_call:{dice.choice(VERIFY)}"
    return f"{dice.choice(('eth_estimateGas', 'eth_sendRawTransaction'))}:{dice.choice(SEND)}"
