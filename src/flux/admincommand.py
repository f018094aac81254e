"""`flux admin …`: what an operator does to accounts, through the `/admin` routes of the running server.

The server's address and the admin token come from `operator.json` in the data directory, so the command works
beside a serving process, on either database. It prints the account as JSON, or the refusal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

SECONDS = 30.0
DISABLED = 1 << 38
"""The account flag."""


class Refused(Exception):
    """The server said no; the text is for people."""


def options(commands: Any) -> None:
    """The command's own subcommands."""
    admin = commands.add_parser(
        "admin", help="look up, disable, suspend, delete … accounts of a running server"
    )
    admin.add_argument(
        "--data", type=Path, default=Path("flux-data"), help="data directory (default flux-data)"
    )
    verbs = admin.add_subparsers(metavar="VERB", required=True)
    _states(verbs)
    _proofs(verbs)


def _verb(verbs: Any, name: str, text: str, path: str, **body: Any) -> argparse.ArgumentParser:
    """`path` is below `/admin`, `body` what is always sent; `fields` are the options sent beside it."""
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text)
    parser.add_argument("who", metavar="USER", help="id, username, or e-mail address")
    parser.set_defaults(run=run, path=path, body=body, fields=())
    return parser


def _states(verbs: Any) -> None:
    _verb(verbs, "lookup", "show an account", "")
    bit = [str(DISABLED)]
    _verb(verbs, "disable", "disable an account; its sessions end", "users/update-flags", add_flags=bit)
    _verb(verbs, "enable", "let it log in again", "users/update-flags", remove_flags=bit)
    suspend = _verb(verbs, "suspend", "suspend an account; its sessions end", "users/temp-ban")
    suspend.add_argument(
        "--hours", dest="duration_hours", type=int, default=0, help="0 (the default) is for good"
    )
    suspend.set_defaults(fields=("duration_hours",))
    _verb(verbs, "unsuspend", "end a suspension", "users/unban")
    delete = _verb(verbs, "delete", "schedule its deletion", "users/schedule-deletion", reason_code=0)
    delete.add_argument(
        "--days", dest="days_until_deletion", type=int, default=14, help="from now (default 14)"
    )
    delete.set_defaults(fields=("days_until_deletion",))
    _verb(verbs, "keep", "call a deletion off", "users/cancel-deletion")


def _proofs(verbs: Any) -> None:
    suspicious = _verb(
        verbs, "suspicious", "ask an account for proofs", "users/update-suspicious-activity-flags"
    )
    suspicious.add_argument("flags", type=int, help="1, 2: e-mail; 4, 8: phone; 16 to 128: either; 0: none")
    suspicious.set_defaults(fields=("flags",))
    acls = _verb(verbs, "acls", "set what an account may do under /admin", "users/set-acls")
    acls.add_argument("acls", nargs="*", help="such as user:lookup; * is everything; none takes all away")
    acls.set_defaults(fields=("acls",))
    _verb(verbs, "disable-mfa", "remove every second factor", "users/disable-mfa")
    _verb(verbs, "end-sessions", "end every session", "users/terminate-sessions")


def run(arguments: argparse.Namespace) -> int:
    try:
        shown = asyncio.run(_run(arguments))
    except Refused as refusal:
        print(f"flux admin: {refusal}", file=sys.stderr)
        return 1
    print(json.dumps(shown, indent=2, ensure_ascii=False))
    return 0


async def _run(arguments: argparse.Namespace) -> Any:
    # Loaded here: no other command needs it, and it takes long.
    import aiohttp

    url, token = _operator(arguments.data / "operator.json")
    headers = {"Authorization": f"Admin {token}"}
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        user = await _find(session, url, arguments.who)
        if not arguments.path:
            return user
        body = {"user_id": user["id"], **arguments.body}
        body |= {name: getattr(arguments, name) for name in arguments.fields}
        answer = await _post(session, f"{url}/admin/{arguments.path}", body)
        return answer["user"] if answer else await _find(session, url, user["id"])


def _operator(path: Path) -> tuple[str, str]:
    try:
        held = json.loads(path.read_text("utf-8"))
        return str(held["community"]["api_url"]), str(held["admin_token"])
    except OSError as problem:
        raise Refused(
            f"{path} cannot be read: {problem.strerror}; name the data directory with --data"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{path} is not the file of a server that has started") from None


async def _find(session: aiohttp.ClientSession, url: str, who: str) -> dict[str, Any]:
    users: list[dict[str, Any]] = (await _post(session, f"{url}/admin/users/lookup", {"query": who}))["users"]
    if len(users) != 1:
        names = ", ".join(f"{each['username']}#{each['discriminator']:04d} ({each['id']})" for each in users)
        raise Refused(f"{who} is more than one: {names}" if users else f"nobody is called {who}")
    return users[0]


async def _post(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> Any:
    from aiohttp import ClientError

    try:
        async with session.post(url, json=body) as reply:
            text = await reply.read()
            if reply.ok:
                return json.loads(text) if text else None
            told = json.loads(text)
            raise Refused(f"{told.get('code')}: {told.get('message')}")
    except (ClientError, OSError, TimeoutError) as problem:
        raise Refused(
            f"no server answers at {url.partition('/admin')[0]}: start it first ({problem})"
        ) from None
    except ValueError:
        raise Refused("the server's answer is not JSON") from None
