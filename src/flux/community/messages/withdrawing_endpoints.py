"""`/users/@me/messages/delete`."""

from __future__ import annotations

from msgspec import Struct

from flux.community import faults
from flux.community.auth.schemas import SudoProof
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.auth.sudo import SudoService
from flux.community.messages.withdrawing import WithdrawingService
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes

routes = Routes(tag="messages", prefix="/users/@me/messages/delete")


class Success(Struct, frozen=True):
    success: bool = True


@routes.post("", auth=ANYBODY, raises=[*SUDO, faults.UNKNOWN_USER])
async def withdraw(call: Call, body: SudoProof) -> None:
    """Delete everything you have said, in a day; `pending_bulk_message_deletion` of your account tells when."""
    await call.use(SudoService).prove_call(call, body)
    await call.use(WithdrawingService).ask(call.principal.user)


@routes.delete("", auth=ANYBODY, raises=[faults.UNKNOWN_USER])
async def call_off(call: Call) -> Success:
    """Keep what you have said after all."""
    await call.use(WithdrawingService).call_off(call.principal.user)
    return Success()
