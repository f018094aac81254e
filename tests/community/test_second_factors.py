"""One-time codes, backup codes, texts and sudo, over a real server on both databases."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tests.community.actors import PASSWORD, Actor, bot, guild, person, stranger, unlimited
from tests.community.gateway import GatewayClient
from tests.community.proving import (
    App,
    add_phone,
    new_phone,
    passkey_proof,
    proof,
    text_code,
    ticket,
    with_app,
    with_passkey,
)
from tests.harness.server import Server, serve

SUDO = "X-Fluxer-Sudo-Mode-JWT"


def code_of(answer: object) -> str:
    return str(answer.json()["code"])  # type: ignore[attr-defined]


def entry_of(answer: object) -> tuple[str, str]:
    told = answer.json()["errors"][0]  # type: ignore[attr-defined]
    return told["path"], told["code"]


async def test_an_app_is_added_used_and_removed(server: Server) -> None:
    someone = await person(server)
    app = App(b"12345678901234567890")
    wrong = {"secret": app.secret, "code": app.wrong(), "password": PASSWORD}
    assert entry_of(await someone.call("POST", "/users/@me/mfa/totp/enable", wrong)) == (
        "code",
        "INVALID_CODE",
    )
    short = {"secret": "AAAA", "code": "000000", "password": PASSWORD}
    assert entry_of(await someone.call("POST", "/users/@me/mfa/totp/enable", short))[0] == "secret"
    assert (await someone.ok("GET", "/users/@me"))["mfa_enabled"] is False
    async with GatewayClient(someone) as client:
        await client.identify()
        app, backup = await with_app(someone)
        assert (await client.event("USER_UPDATE"))["authenticator_types"] == [0]
    assert len(set(backup)) == 10
    methods = await someone.ok("GET", "/users/@me/sudo/mfa-methods")
    assert methods == {"totp": True, "sms": False, "webauthn": False, "has_mfa": True}
    told = await ticket(someone)
    assert (told["allowed_methods"], told["totp"], told["sms"]) == (["totp"], True, False)
    where = "/auth/login/mfa/totp"
    bad = await stranger(server).call("POST", where, {"ticket": told["ticket"], "code": app.wrong()})
    assert entry_of(bad) == ("code", "INVALID_CODE")
    issued = await stranger(server).ok("POST", where, {"ticket": told["ticket"], "code": app.code()})
    assert issued["user_id"] == someone.id
    again = await stranger(server).call("POST", where, {"ticket": told["ticket"], "code": app.code(1)})
    assert entry_of(again) == ("ticket", "INVALID_OR_EXPIRED_TICKET")
    # The code itself worked once, too; a later one works.
    told = await ticket(someone)
    reused = await stranger(server).call("POST", where, {"ticket": told["ticket"], "code": app.code(-1)})
    assert entry_of(reused)[0] == "code"
    await stranger(server).ok("POST", where, {"ticket": told["ticket"], "code": app.code(1)})
    body = {"code": app.code(), **proof(app)}
    await someone.ok("POST", "/users/@me/mfa/totp/disable", body)
    assert (await someone.ok("GET", "/users/@me"))["authenticator_types"] == []
    refused = await someone.call("POST", "/users/@me/mfa/totp/disable", {"code": "1", "password": PASSWORD})
    assert code_of(refused) == "TWO_FACTOR_REQUIRED"


async def test_a_ticket_bears_ten_tries_and_five_minutes(server: Server) -> None:
    someone = await person(server)
    app, _ = await with_app(someone)
    told = await ticket(someone)
    for _ in range(10):
        await stranger(server).call(
            "POST", "/auth/login/mfa/totp", {"ticket": told["ticket"], "code": app.wrong()}
        )
    right = {"ticket": told["ticket"], "code": app.code()}
    assert entry_of(await stranger(server).call("POST", "/auth/login/mfa/totp", right))[0] == "ticket"


async def test_backup_codes_work_once_and_can_be_seen_again(server: Server) -> None:
    someone = await person(server)
    app, backup = await with_app(someone)
    told = await ticket(someone)
    body = {"ticket": told["ticket"], "code": backup[3].upper().replace("-", " ")}
    await stranger(server).ok("POST", "/auth/login/mfa/totp", body)
    asked = {"regenerate": False, **proof(app)}
    shown = (await someone.ok("POST", "/users/@me/mfa/backup-codes", asked))["backup_codes"]
    assert [each["code"] for each in shown] == backup
    assert [each["consumed"] for each in shown] == [place == 3 for place in range(10)]
    told = await ticket(someone)
    used = await stranger(server).call(
        "POST", "/auth/login/mfa/totp", {"ticket": told["ticket"], "code": backup[3]}
    )
    assert entry_of(used)[0] == "code"
    fresh = (await someone.ok("POST", "/users/@me/mfa/backup-codes", {**asked, "regenerate": True}))[
        "backup_codes"
    ]
    assert not {each["code"] for each in fresh} & set(backup)
    old = {"mfa_method": "totp", "mfa_code": backup[4], "regenerate": False}
    assert entry_of(await someone.call("POST", "/users/@me/mfa/backup-codes", old))[0] == "mfa_code"


async def test_one_backup_code_and_one_ticket_let_one_in_however_many_try(server: Server) -> None:
    someone = await person(server)
    app, backup = await with_app(someone)
    told = await ticket(someone)
    body = {"ticket": told["ticket"], "code": app.code()}
    answers = await asyncio.gather(
        *(stranger(server).call("POST", "/auth/login/mfa/totp", body) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    tickets = [await ticket(someone) for _ in range(4)]
    answers = await asyncio.gather(
        *(
            stranger(server).call(
                "POST", "/auth/login/mfa/totp", {"ticket": each["ticket"], "code": backup[0]}
            )
            for each in tickets * 2
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert await _enable(await person(server)) == [200, 400, 400]


async def _enable(someone: Actor) -> list[int]:
    apps = [App(bytes([number]) * 20) for number in range(3)]
    answers = await asyncio.gather(
        *(
            someone.call(
                "POST",
                "/users/@me/mfa/totp/enable",
                {"secret": app.secret, "code": app.code(), "password": PASSWORD},
            )
            for app in apps
        )
    )
    return sorted(answer.status_code for answer in answers)


async def test_a_phone_is_proved_and_its_texts_become_a_factor(server: Server) -> None:
    someone, other = await person(server), await person(server)
    phone = new_phone()
    enable = "/users/@me/mfa/sms/enable"
    assert code_of(await someone.call("POST", enable, {"password": PASSWORD})) == "SMS_MFA_REQUIRES_TOTP"
    assert (await add_phone(someone, phone)).status_code == 204
    assert (await someone.ok("GET", "/users/@me"))["phone"] == phone
    taken = await other.call("POST", "/users/@me/phone/send-verification", {"phone": phone})
    assert code_of(taken) == "PHONE_ALREADY_USED"
    app, _ = await with_app(someone)
    await someone.ok("POST", enable, proof(app))
    assert (await someone.ok("GET", "/users/@me"))["authenticator_types"] == [0, 1]
    told = await ticket(someone)
    assert told["sms_phone_hint"].endswith(phone[-4:])
    assert phone not in str(told)
    await stranger(server).ok("POST", "/auth/login/mfa/sms/send", {"ticket": told["ticket"]})
    code = await text_code(server, phone)
    wrong = {"ticket": told["ticket"], "code": "x"}
    assert entry_of(await stranger(server).call("POST", "/auth/login/mfa/sms", wrong))[0] == "code"
    body = {"ticket": told["ticket"], "code": code}
    assert (await stranger(server).ok("POST", "/auth/login/mfa/sms", body))["user_id"] == someone.id
    await someone.ok("POST", "/users/@me/sudo/mfa/sms/send")
    sudo = {"mfa_method": "sms", "mfa_code": await text_code(server, phone)}
    await someone.ok("POST", "/users/@me/mfa/sms/disable", sudo)
    assert (
        code_of(await someone.call("POST", "/users/@me/mfa/sms/disable", proof(app))) == "SMS_MFA_NOT_ENABLED"
    )
    answer = await server.http.request(
        "DELETE",
        "/community/v1/users/@me/phone",
        json=proof(app),
        headers={"Authorization": someone.authorization or "", "X-Forwarded-For": someone.address},
    )
    assert answer.status_code == 204
    assert (await someone.ok("GET", "/users/@me"))["phone"] is None


async def test_a_number_stands_for_one_account_even_when_two_add_it_at_once(server: Server) -> None:
    people = [await person(server) for _ in range(2)]
    phone = new_phone()
    tokens = []
    for someone in people:
        await someone.ok("POST", "/users/@me/phone/send-verification", {"phone": phone})
        body = {"phone": phone, "code": await text_code(server, phone)}
        tokens.append((await someone.ok("POST", "/users/@me/phone/verify", body))["phone_token"])
    answers = await asyncio.gather(
        *(
            someone.call("POST", "/users/@me/phone", {"phone_token": token, "password": PASSWORD})
            for someone, token in zip(people, tokens, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [204, 400]
    foreign = {"phone_token": tokens[0], "password": PASSWORD}
    assert code_of(await people[1].call("POST", "/users/@me/phone", foreign)) == "PHONE_VERIFICATION_REQUIRED"


async def test_sudo_takes_each_proof_and_gives_a_token_for_five_minutes(server: Server) -> None:
    someone = await unlimited(await person(server))
    check = ("POST", "/auth/sessions/logout", {"session_id_hashes": []})
    plain = await someone.call(*check)
    assert (plain.status_code, plain.json()["has_mfa"]) == (403, False)
    wrong = await someone.call(check[0], check[1], {**check[2], "password": "not my password"})
    assert entry_of(wrong) == ("password", "INVALID_PASSWORD")
    await someone.ok(check[0], check[1], {**check[2], "password": PASSWORD})
    app, _ = await with_app(someone)
    refused = await someone.call(check[0], check[1], {**check[2], "password": PASSWORD})
    assert (code_of(refused), refused.json()["has_mfa"]) == ("SUDO_MODE_REQUIRED", True)
    bad = await someone.call(check[0], check[1], {**check[2], "mfa_method": "totp", "mfa_code": app.wrong()})
    assert entry_of(bad) == ("mfa_code", "INVALID_CODE")
    odd = await someone.call(check[0], check[1], {**check[2], "mfa_method": "stars", "mfa_code": "1"})
    assert entry_of(odd)[0] == "mfa_method"
    good = await someone.call(check[0], check[1], {**check[2], **proof(app)})
    token = good.headers[SUDO]
    assert good.status_code == 204
    assert good.headers["set-cookie"].startswith(
        f"__flx_sudo_{someone.id}={token}; Path=/; Max-Age=300; HttpOnly"
    )
    assert (await someone.call(*check, headers={SUDO: token})).status_code == 204
    cookie = {"Cookie": f"__flx_sudo_{someone.id}={token}"}
    assert (await someone.call(*check, headers=cookie)).status_code == 204
    stolen = await person(server)
    assert code_of(await stolen.call(*check, headers={SUDO: token})) == "INVALID_SUDO_TOKEN"
    forged = token[:-4] + "AAAA"
    assert code_of(await someone.call(*check, headers={SUDO: forged})) == "INVALID_SUDO_TOKEN"
    key = await with_passkey(someone, **proof(app))
    by_key = await someone.call(check[0], check[1], {**check[2], **await passkey_proof(someone, key)})
    assert by_key.status_code == 204
    assert SUDO in by_key.headers


async def test_guilds_and_applications_take_each_proof_too(server: Server) -> None:
    someone = await person(server)
    app, _ = await with_app(someone)
    places = [await guild(someone) for _ in range(2)]
    refused = await someone.call("POST", f"/guilds/{places[0].id}/delete", {"password": PASSWORD})
    assert (code_of(refused), refused.json()["has_mfa"]) == ("SUDO_MODE_REQUIRED", True)
    gone = await someone.call("POST", f"/guilds/{places[0].id}/delete", proof(app))
    assert gone.status_code == 204
    _, application = await bot(someone)
    token = {SUDO: gone.headers[SUDO]}
    await someone.ok("PATCH", f"/guilds/{places[1].id}", {"mfa_level": 1}, headers=token)
    heir = await person(server)
    await places[1].admit(heir)
    handed = {"new_owner_id": heir.id}
    path = f"/guilds/{places[1].id}"
    for method, at, body in (
        ("PATCH", path, {"mfa_level": 0}),
        ("POST", f"{path}/transfer-ownership", handed),
    ):
        refused = await someone.call(method, at, {**body, "password": PASSWORD})
        assert code_of(refused) == "SUDO_MODE_REQUIRED"
        await someone.ok(method, at, {**body, **proof(app)})
    assert (await heir.ok("GET", path))["owner_id"] == heir.id
    wrong = {"mfa_method": "totp", "mfa_code": app.wrong()}
    bad = await someone.call("DELETE", f"/oauth2/applications/{application['id']}", wrong)
    assert entry_of(bad)[0] == "mfa_code"
    await someone.ok("DELETE", f"/oauth2/applications/{application['id']}", proof(app))


async def test_sudo_is_not_guessed(server: Server) -> None:
    someone = await unlimited(await person(server))
    app, _ = await with_app(someone)
    body = {"session_id_hashes": [], "mfa_method": "totp", "mfa_code": app.wrong()}
    answers = [await someone.call("POST", "/auth/sessions/logout", body) for _ in range(11)]
    assert [answer.status_code for answer in answers[-2:]] == [400, 429]


async def test_guesses_are_counted_over_all_tickets(tmp_path: Path) -> None:
    settings = {
        "community.limits.second_steps_per_account": "6/900s",
        "community.limits.login_per_email": "0",
    }
    async with serve(tmp_path, settings=settings) as server:
        someone, other = await person(server), await person(server)
        app, backup = await with_app(someone)
        where = "/auth/login/mfa/totp"
        for _ in range(3):
            told = await ticket(someone)
            for _ in range(2):
                body = {"ticket": told["ticket"], "code": app.wrong()}
                assert (await stranger(server).call("POST", where, body)).status_code == 400
        told = await ticket(someone)
        for code in (app.code(), backup[0]):
            refused = await stranger(server).call("POST", where, {"ticket": told["ticket"], "code": code})
            assert (refused.status_code, code_of(refused)) == (429, "RATE_LIMITED")
            assert refused.json()["retry_after"] > 0
        theirs, _ = await with_app(other)
        body = {"ticket": (await ticket(other))["ticket"], "code": theirs.code(1)}
        assert (await stranger(server).call("POST", where, body)).status_code == 200, "others are not touched"
        await server.sandbox.clock(901)
        await app.set(someone)
        # A right one wipes the wrong ones out.
        for _ in range(2):
            told = await ticket(someone)
            for code in [app.wrong()] * 5:
                await stranger(server).call("POST", where, {"ticket": told["ticket"], "code": code})
            right = {"ticket": told["ticket"], "code": backup.pop()}
            assert (await stranger(server).call("POST", where, right)).status_code == 200


async def test_a_clock_may_be_off_by_one_step(server: Server) -> None:
    someone = await unlimited(await person(server))
    app, _ = await with_app(someone)
    check = ("POST", "/auth/sessions/logout")
    body = {"session_id_hashes": [], "mfa_method": "totp"}
    for steps in (-40, -3, 3, 40):
        refused = await someone.call(*check, {**body, "mfa_code": app.code(steps)})
        assert entry_of(refused) == ("mfa_code", "INVALID_CODE"), steps
    # Whatever second it is, the step that our clock shows is at most one from the server's.
    assert (await someone.call(*check, {**body, "mfa_code": app.code()})).status_code == 204
    for odd in ("", "12345", "1234567", "٠٠٠٠٠٠", "-00001", "0x1234", "1e5   ", " ", "a" * 5000):
        assert (await someone.call(*check, {**body, "mfa_code": odd})).status_code in (400, 429), odd


async def test_a_text_code_bears_five_tries(server: Server) -> None:
    someone = await unlimited(await person(server))
    phone = new_phone()
    await add_phone(someone, phone)
    app, _ = await with_app(someone)
    await someone.ok("POST", "/users/@me/mfa/sms/enable", proof(app))
    told = await ticket(someone)
    await stranger(server).ok("POST", "/auth/login/mfa/sms/send", {"ticket": told["ticket"]})
    code = await text_code(server, phone)
    wrong = "000000" if code != "000000" else "111111"
    where = "/auth/login/mfa/sms"
    for _ in range(5):
        body = {"ticket": told["ticket"], "code": wrong}
        assert entry_of(await stranger(server).call("POST", where, body)) == ("code", "INVALID_CODE")
    fresh = await ticket(someone)
    for each in (told, fresh):
        body = {"ticket": each["ticket"], "code": code}
        assert entry_of(await stranger(server).call("POST", where, body))[0] == "code", "it is spent"
    # Nothing is sent within thirty seconds, and what comes then is another code.
    await stranger(server).ok("POST", "/auth/login/mfa/sms/send", {"ticket": fresh["ticket"]})
    assert await text_code(server, phone) == code
    await server.sandbox.clock(31)
    await stranger(server).ok("POST", "/auth/login/mfa/sms/send", {"ticket": fresh["ticket"]})
    newest = await text_code(server, phone)
    bodies = [{"ticket": each["ticket"], "code": newest} for each in (fresh, await ticket(someone))] * 2
    answers = await asyncio.gather(*(stranger(server).call("POST", where, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


async def test_answers_do_not_tell_who_has_an_account(server: Server) -> None:
    """As far as the contract lets them: registering says that an address is taken."""
    someone = await person(server)
    missing = f"no_{someone.email}"
    for path, more in (("/auth/login", {"password": "not the password"}), ("/auth/forgot", {})):
        answers = []
        for email in (someone.email, missing, someone.email.upper()):
            answers.append(await stranger(server).call("POST", path, {"email": email, **more}))
        assert len({(answer.status_code, answer.text) for answer in answers}) == 1, path
        assert len({tuple(answer.headers.keys()) for answer in answers}) == 1, path
    # Comparing a password costs processor time, also where there is none to compare with.
    costs = []
    for email in (someone.email, missing):
        before = _processor_seconds(server)
        for _ in range(2):
            body = {"email": email, "password": "not the password"}
            assert (await stranger(server).call("POST", "/auth/login", body)).status_code == 400
        costs.append(_processor_seconds(server) - before)
    assert costs[1] > costs[0] / 4, costs


def _processor_seconds(server: Server) -> float:
    fields = Path(f"/proc/{server.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_what_is_sent_for_nobody_is_not_sent(server: Server) -> None:
    someone = await person(server)
    missing = f"no_{someone.email}"
    for email in (missing, someone.email):
        await stranger(server).ok("POST", "/auth/forgot", {"email": email})
    assert await server.sandbox.outbox(missing) == []
    assert await someone.mail("reset")
