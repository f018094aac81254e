"""Where ALTCHA widgets fetch their challenges."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.captcha.altcha import Challenge
from flux.community.captcha.service import CHALLENGE_PATH, CaptchaService
from flux.community.principals import OPEN
from flux.kernel.wire import Call, Routes

routes = Routes(tag="auth")


@routes.get(CHALLENGE_PATH, auth=OPEN, bucket=buckets.CAPTCHA, raises=[faults.NOT_IMPLEMENTED])
async def challenge(call: Call) -> Challenge:
    """A proof of work to solve; its solution goes into `X-Captcha-Token`, once."""
    call.reply_headers["Cache-Control"] = "no-store"
    return call.use(CaptchaService).challenge()
