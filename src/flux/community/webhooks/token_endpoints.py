"""`/webhooks/{webhook_id}/{token}`: whoever has the token, without a login."""

from __future__ import annotations

from urllib.parse import parse_qsl

from flux.community import buckets, faults
from flux.community.envelope import invalid
from flux.community.media.rules import BODY_BYTES
from flux.community.messages.schemas import MessageUpdate, MessageView
from flux.community.principals import OPEN
from flux.community.uploads.forms import UPLOAD_FAULTS, Forms
from flux.community.webhooks.endpoints import IMAGE
from flux.community.webhooks.schemas import (
    Foreign,
    SlackMessage,
    WaitQuery,
    WebhookMessage,
    WebhookUpdate,
    WebhookView,
)
from flux.community.webhooks.service import WebhookService, view
from flux.community.webhooks.speaking import SpeakingService
from flux.community.webhooks.translating import from_github, from_sentry, from_slack
from flux.kernel.wire import Body, Call, Raw, Routes, Snowflake
from flux.kernel.wire.compiling import decode_json

routes = Routes(tag="webhooks", prefix="/webhooks/{webhook_id}/{token}")
OWN = (faults.UNKNOWN_WEBHOOK,)
SPEAK = (
    *OWN, faults.UNKNOWN_CHANNEL, faults.CANNOT_EXECUTE_ON_DM, faults.CANNOT_SEND_EMPTY_MESSAGE,
    faults.CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL, faults.CONTENT_BLOCKED,
)  # fmt: skip
FILES = (*UPLOAD_FAULTS, faults.EXPLICIT_CONTENT_CANNOT_BE_SENT)


@routes.get("", auth=OPEN, bucket=buckets.WEBHOOK_READ, raises=OWN)
async def read_webhook_with_token(call: Call, webhook_id: Snowflake, token: str) -> WebhookView:
    """The webhook of this token."""
    return view(await call.use(WebhookService).by_token(webhook_id, token))


@routes.patch("", auth=OPEN, bucket=buckets.WEBHOOK_WRITE, body_limit=BODY_BYTES, raises=[*OWN, *IMAGE])
async def update_webhook_with_token(
    call: Call, webhook_id: Snowflake, token: str, body: WebhookUpdate
) -> WebhookView:
    """Rename it or give it another avatar."""
    return await call.use(WebhookService).update_by_token(webhook_id, token, body)


@routes.delete("", auth=OPEN, bucket=buckets.WEBHOOK_WRITE, raises=OWN)
async def delete_webhook_with_token(call: Call, webhook_id: Snowflake, token: str) -> None:
    """Delete it."""
    await call.use(WebhookService).delete_by_token(webhook_id, token)


@routes.post(
    "",
    auth=OPEN,
    bucket=buckets.WEBHOOK_EXECUTE,
    raises=[*SPEAK, *FILES],
    form=True,
    own_pace=True,
)
async def execute_webhook(
    call: Call, webhook_id: Snowflake, token: str, query: WaitQuery, body: Body[WebhookMessage]
) -> MessageView | None:
    """Say something; with `wait=true` the message is answered, otherwise 204."""
    service = call.use(SpeakingService)
    channel_id = await service.channel_of(webhook_id, token)
    async with call.use(Forms).read(call, body, WebhookMessage, channel_id, None, _nothing) as (sent, files):
        said = await service.say(webhook_id, token, sent, files)
    return said if query.wait else None


async def _nothing() -> None:
    """The token is all a webhook needs to send files."""


@routes.get(
    "/messages/{message_id}",
    auth=OPEN,
    bucket=buckets.WEBHOOK_READ,
    raises=[*OWN, faults.UNKNOWN_MESSAGE],
)
async def read_webhook_message(
    call: Call, webhook_id: Snowflake, token: str, message_id: Snowflake
) -> MessageView:
    """Something it said."""
    return await call.use(SpeakingService).read(webhook_id, token, message_id)


@routes.patch(
    "/messages/{message_id}",
    auth=OPEN,
    bucket=buckets.WEBHOOK_EXECUTE,
    raises=[*SPEAK, *FILES, faults.UNKNOWN_MESSAGE],
    form=True,
    own_pace=True,
)
async def edit_webhook_message(
    call: Call, webhook_id: Snowflake, token: str, message_id: Snowflake, body: Body[MessageUpdate]
) -> MessageView:
    """Change something it said."""
    service = call.use(SpeakingService)
    channel_id = await service.channel_of(webhook_id, token)
    await service.read(webhook_id, token, message_id)
    async with call.use(Forms).read(call, body, MessageUpdate, channel_id, None, _nothing) as (sent, files):
        return await service.revise(webhook_id, token, message_id, sent, files)


@routes.delete(
    "/messages/{message_id}",
    auth=OPEN,
    bucket=buckets.WEBHOOK_EXECUTE,
    raises=[*SPEAK, faults.UNKNOWN_MESSAGE],
    own_pace=True,
)
async def delete_webhook_message(
    call: Call, webhook_id: Snowflake, token: str, message_id: Snowflake
) -> None:
    """Delete something it said."""
    await call.use(SpeakingService).retract(webhook_id, token, message_id)


@routes.post("/slack", auth=OPEN, bucket=buckets.WEBHOOK_EXECUTE, raises=SPEAK, own_pace=True)
async def execute_slack_webhook(
    call: Call, webhook_id: Snowflake, token: str, body: Body[SlackMessage]
) -> Raw:
    """Say something in Slack's form: JSON, or a form with `payload`."""
    service = call.use(SpeakingService)
    await service.channel_of(webhook_id, token)
    content_type = (call.header("content-type") or "").partition(";")[0].strip().lower()
    if content_type == "application/x-www-form-urlencoded":
        sent: SlackMessage = decode_json(await _payload(call), SlackMessage, call.plane.limits.depth)
    else:
        sent = await body.read()
    await service.say(webhook_id, token, from_slack(sent))
    return Raw(b"ok", "text/plain; charset=utf-8")


async def _payload(call: Call) -> bytes:
    try:
        fields = parse_qsl((await call.body()).decode("utf-8"), errors="strict", max_num_fields=20)
    except ValueError:
        raise invalid("payload", "Expected a form.", "INVALID_FORM") from None
    for name, value in fields:
        if name == "payload":
            return value.encode()
    raise invalid("payload", "This field is required.", "REQUIRED")


@routes.post("/github", auth=OPEN, bucket=buckets.WEBHOOK_GITHUB, raises=SPEAK, own_pace=True)
async def execute_github_webhook(call: Call, webhook_id: Snowflake, token: str, body: Body[Foreign]) -> None:
    """Take an event from GitHub; those nobody wants to read are swallowed."""
    service = call.use(SpeakingService)
    await service.channel_of(webhook_id, token)
    told = from_github(call.header("x-github-event") or "", await body.read())
    if told is not None:
        await service.say(webhook_id, token, told)


@routes.post("/sentry", auth=OPEN, bucket=buckets.WEBHOOK_EXECUTE, raises=SPEAK, own_pace=True)
async def execute_sentry_webhook(call: Call, webhook_id: Snowflake, token: str, body: Body[Foreign]) -> None:
    """Take an alert from Sentry."""
    service = call.use(SpeakingService)
    await service.channel_of(webhook_id, token)
    told = from_sentry(await body.read())
    if told is not None:
        await service.say(webhook_id, token, told)
