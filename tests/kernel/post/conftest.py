"""The post on each database, with a queue that runs; a mail server and an HTTP server on loopback."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.harness.databases import database, database_url, dialect, postgres_server  # noqa: F401

from flux.kernel.faults.ports import Ports
from flux.kernel.jobs import StoreJobs
from flux.kernel.jobs import migrations as job_migrations
from flux.kernel.post import Letter, Outbox, StorePost, migrations, open_post
from flux.kernel.store import Database, SandboxClock
from flux.kernel.store.migrations import MigrationSet
from flux.settings.jobs import JobSettings
from flux.settings.post import PostSettings

USER, PASSWORD = "flux", "hunter2"


@pytest.fixture(scope="session")
def migration_sets() -> Sequence[MigrationSet]:
    return (job_migrations(), migrations())


@dataclass
class Office:
    """A post office at work."""

    database: Database
    clock: SandboxClock
    ports: Ports
    jobs: StoreJobs
    post: StorePost
    outbox: Outbox

    async def send(self, letter: Letter) -> None:
        await self.database.transact(lambda tx: self.post.send(tx, letter))

    async def row(self) -> dict[str, Any]:
        """Text, data, sending time, attempts and last error of the only letter."""
        names = ("text", "data", "sent_at", "attempts", "last_error")
        found = await self.database.all(
            f"SELECT {', '.join(names)} FROM outbox",
            {},
            lambda *values: dict(zip(names, values, strict=True)),
        )
        assert len(found) == 1
        return found[0]

    async def settled(self, attempts: int = 1) -> dict[str, Any]:
        """The row after so many attempts, once the worker has also written down when it comes back: moving the clock
        before that would move the next attempt too."""
        async with asyncio.timeout(30):
            while (row := await self.row())["attempts"] < attempts or await self._running():
                await asyncio.sleep(0.01)
        assert row["attempts"] == attempts
        return row

    async def _running(self) -> bool:
        return bool(await self.database.all("SELECT id FROM jobs WHERE state = 'running'", {}, int))


Offices = Callable[..., Any]


@pytest.fixture
async def offices(database: Database) -> AsyncIterator[Offices]:  # noqa: F811
    opened: list[StoreJobs] = []

    async def open_office(*, sandbox: bool = False, **settings: Any) -> Office:
        clock, ports = SandboxClock(), Ports(enabled=True, deadline_seconds=0.05)
        jobs = StoreJobs(
            database, clock, JobSettings(backoff_seconds=100, close_seconds=1), ports, jitter=lambda: 1.0
        )
        post, outbox = open_post(PostSettings(**settings), database, jobs, clock, ports, sandbox=sandbox)
        opened.append(jobs)
        await jobs.start()
        return Office(database, clock, ports, jobs, post, outbox)

    yield open_office
    for jobs in opened:
        await jobs.close()


@dataclass
class MailServer:
    """What it got, and what it answers to RCPT and DATA."""

    port: int = 0
    got: list[tuple[Envelope, Session]] = field(default_factory=list)
    recipient_answer: str = "250 OK"
    data_answer: str = "250 taken"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data_answer.startswith("250"):
            self.got.append((envelope, session))
        return self.data_answer


def log_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right, handled=False)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file: a key and a certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
async def mail_servers(certificate: Path) -> AsyncIterator[Callable[..., Any]]:
    """`await mail_servers("plain" | "starttls" | "tls", log_in=False)`."""
    running: list[asyncio.Server] = []

    async def start(security: str = "plain", *, authenticate: bool = False) -> MailServer:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        mail = MailServer()
        options: dict[str, Any] = {
            "hostname": "loopback",
            "enable_SMTPUTF8": True,
            "data_size_limit": 1_000_000,
        }
        if security == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        if authenticate:
            options |= {"authenticator": log_in, "auth_required": True, "auth_require_tls": False}
        loop = asyncio.get_running_loop()
        tls = context if security == "tls" else None
        server = await loop.create_server(lambda: SMTP(mail, loop=loop, **options), "127.0.0.1", 0, ssl=tls)
        running.append(server)
        mail.port = server.sockets[0].getsockname()[1]
        return mail

    yield start
    for server in running:
        server.close()


@dataclass
class HttpPeer:
    """A service that remembers requests and gives the answer it is told to."""

    url: str = ""
    status: int = 200
    answer: bytes = b"{}"
    wait: float = 0.0
    got: list[tuple[web.Request, bytes]] = field(default_factory=list)


@pytest.fixture
async def http_peer() -> AsyncIterator[HttpPeer]:
    peer = HttpPeer()

    async def take(request: web.Request) -> web.Response:
        peer.got.append((request, await request.read()))
        await asyncio.sleep(peer.wait)
        return web.Response(
            status=peer.status, body=peer.answer, headers={"Location": f"{peer.url}/elsewhere"}
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    peer.url = f"http://127.0.0.1:{port}"
    yield peer
    await runner.cleanup()


def mail(to: str = "ada@example.org", subject: str = "Verify", text: str = "Your code is 8731.") -> Letter:
    return Letter("mail", to, subject, text, {"code": "8731", "url": "https://flux.example/v?t=s3cret"})


def sms(to: str = "+15550123", text: str = "Your code is 8731.") -> Letter:
    return Letter("sms", to, "", text, {"code": "8731"})


def parsed(envelope: Envelope) -> EmailMessage:
    import email
    import email.policy

    assert isinstance(envelope.content, bytes)
    return email.message_from_bytes(envelope.content, policy=email.policy.default)
