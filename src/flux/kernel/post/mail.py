"""Mail through an SMTP server."""

from __future__ import annotations

import asyncio
import contextlib
import re
import smtplib
import ssl
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.post.carrier import Undeliverable
from flux.kernel.post.repository import QueuedLetter
from flux.settings.post import PostSettings

_ADDRESS = re.compile(r"[^\s,;:<>\"()\[\]\\@]+@[^\s,;:<>\"()\[\]\\@]+")
"""Nothing with which one address could become two, or a header."""


class SmtpMail:
    """One connection a letter: letters are rare, and an idle connection is what servers close."""

    def __init__(self, settings: PostSettings) -> None:
        self._settings = settings
        self._sender = parseaddr(settings.mail_from)[1]
        if not _ADDRESS.fullmatch(self._sender):
            raise ValueError(f"post.mail_from is not an address: {settings.mail_from!r}")
        self._domain = self._sender.rpartition("@")[2]
        self._tls = ssl.create_default_context(cafile=settings.smtp_ca_file or None)

    async def carry(self, letter: QueuedLetter) -> None:
        message = self._compose(letter)
        failure = await asyncio.to_thread(self._try, message, letter.to)
        if failure is not None:
            raise failure

    def _compose(self, letter: QueuedLetter) -> EmailMessage:
        if not _ADDRESS.fullmatch(letter.to):
            raise Undeliverable("address")
        message = EmailMessage(SMTP)
        try:
            message["From"] = self._settings.mail_from
            message["To"] = letter.to
            message["Subject"] = letter.subject
        except (ValueError, MessageError):
            raise Undeliverable("header") from None
        message["Date"] = formatdate(letter.created_at / 1000)
        # The same on each attempt, so that a letter that arrives twice is seen to be one.
        message["Message-ID"] = f"<flux.{letter.id}.{letter.created_at}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message

    def _try(self, message: EmailMessage, to: str) -> Exception | None:
        """In a thread. Failures are translated here, where what the server said ends."""
        try:
            self._talk(message, to)
        except smtplib.SMTPRecipientsRefused as refused:
            return _answered(max(code for code, _ in refused.recipients.values()))
        except smtplib.SMTPDataError as refused:
            return _answered(refused.smtp_code)
        except smtplib.SMTPResponseException as refused:
            # Our name, our log-in or our sender was refused: the settings are wrong, not the letter.
            return PortFailure("mail", Mode.ERROR, f"smtp-{refused.smtp_code}")
        except smtplib.SMTPNotSupportedError:
            return PortFailure("mail", Mode.ERROR, "unsupported")
        except TimeoutError:
            return PortFailure("mail", Mode.TIMEOUT, "timeout")
        except ssl.SSLError:
            return PortFailure("mail", Mode.ERROR, "tls")
        except (OSError, smtplib.SMTPException) as error:
            # smtplib reports a silence within the conversation as a disconnection.
            if isinstance(error.__context__, TimeoutError):
                return PortFailure("mail", Mode.TIMEOUT, "timeout")
            return PortFailure("mail", Mode.UNAVAILABLE, "connect")
        return None

    def _talk(self, message: EmailMessage, to: str) -> None:
        client = self._connect()
        try:
            if self._settings.smtp_security == "starttls":
                client.starttls(context=self._tls)
            if self._settings.smtp_user:
                client.login(self._settings.smtp_user, self._settings.smtp_password)
            # Not `send_message`, which puts a ">" before lines that begin with "From ".
            utf8 = not (self._sender + to).isascii()
            options = ("SMTPUTF8", "BODY=8BITMIME") if utf8 else ()
            client.sendmail(self._sender, [to], message.as_bytes(policy=SMTP.clone(utf8=utf8)), options)
            # The letter is taken; a server that bungles the goodbye must not get it again.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()
        finally:
            client.close()

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        host, port, timeout = settings.smtp_host, settings.smtp_port, settings.timeout_seconds
        # Our name is given, because finding it out asks the DNS.
        if settings.smtp_security == "tls":
            return smtplib.SMTP_SSL(host, port, self._domain, timeout=timeout, context=self._tls)
        return smtplib.SMTP(host, port, self._domain, timeout=timeout)


def _answered(code: int) -> Exception:
    return Undeliverable(f"smtp-{code}") if code >= 500 else PortFailure("mail", Mode.ERROR, f"smtp-{code}")
