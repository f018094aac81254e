"""Nothing that lets somebody in stands readable in the database or in the log."""

from __future__ import annotations

import base64
from pathlib import Path

import apsw
from tests.community.actors import PASSWORD, Actor, new_address, person, stranger
from tests.community.proving import add_phone, new_phone, proof, text_code, ticket, with_app, with_passkey
from tests.harness.server import Server, serve

KEPT_FOR_THE_SANDBOX = {"outbox"}
"""What the sandbox keeps on purpose, to show it; elsewhere a letter's text is erased when it has left."""


async def _live(server: Server) -> dict[str, str]:
    """A life with every proof there is; the secrets of it, by name."""
    someone = await person(server)
    found = {"password": PASSWORD, "session": str(someone.authorization)}
    found["verify token"] = await someone.mail("verify")
    phone = new_phone()
    await someone.ok("POST", "/users/@me/phone/send-verification", {"phone": phone})
    body = {"phone": phone, "code": await text_code(server, phone)}
    found["phone token"] = (await someone.ok("POST", "/users/@me/phone/verify", body))["phone_token"]
    begun = await someone.ok("POST", "/users/@me/email-change/start")
    found["change ticket"] = begun["ticket"]
    await stranger(server).ok("POST", "/auth/forgot", {"email": someone.email})
    found["reset token"] = await someone.mail("reset")
    asked = (await someone.login(address=new_address())).json()
    found["address ticket"] = asked["ticket"]
    found["address token"] = await someone.mail("authorize-ip")
    app, backup = await with_app(someone)
    found["seed"] = app.secret
    found["raw seed"] = app.seed.decode("latin-1")
    found |= {f"backup code {code}": code for code in backup}
    found |= {f"bare backup code {code}": code.replace("-", "") for code in backup}
    found["mfa ticket"] = (await ticket(someone))["ticket"]
    proven = await someone.call("POST", "/users/@me/mfa/backup-codes", {"regenerate": False, **proof(app)})
    found["sudo token"] = proven.headers["X-Fluxer-Sudo-Mode-JWT"]
    options = await stranger(server).ok("POST", "/auth/webauthn/authentication-options")
    found["challenge"] = options["challenge"]
    other = await person(server)
    await with_passkey(other)
    await add_phone(await person(server), new_phone())
    for path in ("/users/@me/mfa/totp/disable", "/users/@me/delete", "/auth/sessions/logout"):
        await _fail(someone, path)
    return found


async def _fail(someone: Actor, path: str) -> None:
    """A refusal that has the password in its body, which is where a careless log would show it."""
    body = {"password": PASSWORD, "mfa_method": "totp", "mfa_code": "x", "session_id_hashes": 7}
    answer = await someone.call("POST", path, body)
    assert not answer.is_success


def _cells(path: Path) -> dict[str, bytes]:
    """Everything each table holds, as one text."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    held = {}
    for name in names:
        rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()
        held[name] = b"\n".join(
            cell if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row
        )
    return held


async def test_no_secret_is_readable_at_rest_or_in_the_log(tmp_path: Path) -> None:
    async with serve(tmp_path, settings={"server.log_level": "debug"}) as server:
        secrets = await _live(server)
        server.terminate()
        log = server.log()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    tables = _cells(next(path for path in files if path.read_bytes()[:15] == b"SQLite format 3"))
    assert secrets["verify token"].encode() in tables["outbox"], "what is searched for can be found"
    assert len(tables["community_backup_codes"]) > 100
    assert len(tables["community_users"]) > 100
    for name, secret in secrets.items():
        spelled = {secret.encode(), secret.encode("latin-1"), base64.b64encode(secret.encode("latin-1"))}
        for each in spelled:
            where = [
                table for table, held in tables.items() if each in held and table not in KEPT_FOR_THE_SANDBOX
            ]
            assert where == [], f"{name} is readable in {where}"
        assert secret not in log, f"{name} is in the log"
    assert PASSWORD not in log
