"""How mail and text messages leave the house."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class PostSettings(msgspec.Struct, frozen=True, kw_only=True):
    mail: Annotated[
        Literal["outbox", "smtp"],
        msgspec.Meta(
            description="`outbox` keeps mail in the outbox table and sends nothing; `smtp` sends it."
        ),
    ] = "outbox"
    mail_from: Annotated[
        str, msgspec.Meta(description="Sender of mail, `flux@example.org` or `Flux <flux@example.org>`.")
    ] = "Flux <flux@localhost>"
    smtp_host: Annotated[str, msgspec.Meta(description="Mail server.")] = "127.0.0.1"
    smtp_port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="Port of the mail server.")] = 587
    smtp_security: Annotated[
        Literal["starttls", "tls", "plain"],
        msgspec.Meta(
            description="`starttls` insists on upgrading the connection, `tls` encrypts from the first byte, `plain` does neither."
        ),
    ] = "starttls"
    smtp_ca_file: Annotated[
        str, msgspec.Meta(description="Certificates to trust for the mail server. Empty: the system's.")
    ] = ""
    smtp_user: Annotated[str, msgspec.Meta(description="User at the mail server. Empty: no log-in.")] = ""
    smtp_password: Annotated[str, msgspec.Meta(description="Password at the mail server.")] = ""
    sms: Annotated[
        Literal["outbox", "webhook", "twilio"],
        msgspec.Meta(
            description="`outbox` keeps texts in the outbox table and sends nothing; `webhook` posts them to `sms_webhook_url`; "
            "`twilio` sends them through Twilio."
        ),
    ] = "outbox"
    sms_webhook_url: Annotated[str, msgspec.Meta(description="Where texts are posted as JSON.")] = ""
    sms_webhook_secret: Annotated[
        str, msgspec.Meta(description="Key of the HMAC-SHA256 signature in `X-Flux-Signature`.")
    ] = ""
    twilio_url: Annotated[str, msgspec.Meta(description="Base URL of the Twilio API.")] = (
        "https://api.twilio.com"
    )
    twilio_account: Annotated[str, msgspec.Meta(description="Twilio account SID.")] = ""
    twilio_token: Annotated[str, msgspec.Meta(description="Twilio auth token.")] = ""
    twilio_from: Annotated[
        str,
        msgspec.Meta(description="Sending number (`+15550100`), or the SID of a messaging service (`MG…`)."),
    ] = ""
    timeout_seconds: Annotated[
        float, msgspec.Meta(gt=0, description="Longest time for one attempt to deliver a letter.")
    ] = 20.0
    keep_days: Annotated[
        float,
        msgspec.Meta(gt=0, description="Days after which a letter leaves the outbox table, sent or not."),
    ] = 30.0
