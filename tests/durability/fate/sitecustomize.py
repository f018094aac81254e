"""Python imports this first where it finds it: in servers of tests that put this folder on their path.

A paid call with `?die=<point>` in its query stops at that point between two states of the ledger, for ever. Shortly after
the first one has stopped the process kills itself as by kill -9, so that many calls stand at every such point when it dies.
Each says so in the file `FATE_LOG`.

unreserved  every check has passed, the ledger knows nothing yet     answered  the target has answered, nothing is settled
reserved    the reservation is durable, nothing else                 settled   the ledger is settled, nobody was answered
dispatched  the dispatch is durable, the first byte is not sent
noted       a settlement is in the books, not broadcast              broadcast it is broadcast, nobody knows what became of it
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from flux.paygate.facilitator.sender import Sender
from flux.paygate.ledger.service import Ledger
from flux.paygate.ledger.settlements import Settlements

STAND_SECONDS = 1.0
WORD = "die="
_calls: dict[str, str] = {}
_due: list[asyncio.TimerHandle] = []
_settling: dict[str, str] = {}
_note, _broadcast = Settlements.note, Sender._broadcast
_reserve, _dispatched, _settle = Ledger.reserve, Ledger.dispatched, Ledger.settle


async def _stand(point: str) -> None:
    with open(os.environ["FATE_LOG"], "a") as told:
        told.write(f"{point}\n")
    if not _due:
        loop = asyncio.get_running_loop()
        _due.append(loop.call_later(STAND_SECONDS, os.kill, os.getpid(), signal.SIGKILL))
    await asyncio.get_running_loop().create_future()


async def reserve(self: Ledger, funds: Any, request: Any, *, dispatched: bool = False) -> Any:
    point = request.query.partition(WORD)[2]
    if point == "unreserved":
        await _stand(point)
    hold = await _reserve(self, funds, request, dispatched=dispatched)
    if point == "reserved" or (point == "dispatched" and dispatched):
        # Over a connection that stood already, the reservation and its dispatch are one.
        await _stand("dispatched" if dispatched else "reserved")
    if point:
        _calls[hold.call_id] = point
    return hold


async def dispatched(self: Ledger, hold: Any) -> None:
    await _dispatched(self, hold)
    if _calls.get(hold.call_id) == "dispatched":
        await _stand("dispatched")


async def settle(self: Ledger, hold: Any, *rest: Any, **more: Any) -> str:
    if _calls.get(hold.call_id) == "answered":
        await _stand("answered")
    status = await _settle(self, hold, *rest, **more)
    if _calls.get(hold.call_id) == "settled":
        await _stand("settled")
    return status


async def note(self: Settlements, tx: Any, hold: Any, tx_hash: str) -> None:
    await _note(self, tx, hold, tx_hash)
    _settling[tx_hash] = hold.call_id


async def broadcast(self: Sender, chain: Any, sent: Any, raw: bytes) -> Any:
    """What is sent is in the books by now."""
    point = _calls.get(_settling.get(sent.tx_hash, ""))
    if point == "noted":
        await _stand(point)
    fate = await _broadcast(self, chain, sent, raw)
    if point == "broadcast":
        await _stand(point)
    return fate


setattr(Settlements, "note", note)  # noqa: B010
setattr(Sender, "_broadcast", broadcast)  # noqa: B010
for _name, _mine in (("reserve", reserve), ("dispatched", dispatched), ("settle", settle)):
    setattr(Ledger, _name, _mine)
