"""/account/: log in, refresh, who am I."""

from __future__ import annotations

from flux.content.access import PUBLIC, SIGNED_IN, Person
from flux.content.accounts.rules import full_name
from flux.content.accounts.schemas import Credentials, RefreshRequest, TokenPair, UserView
from flux.content.accounts.service import Accounts
from flux.content.faults import AUTHENTICATION_FAILED, RATE_LIMITED
from flux.kernel.wire import Call, Routes

routes = Routes(tag="account")


@routes.post("/account/auth", auth=PUBLIC, raises=[AUTHENTICATION_FAILED, RATE_LIMITED])
async def log_in(call: Call, body: Credentials) -> TokenPair:
    """Exchange e-mail and password for an access and a refresh token."""
    return await call.use(Accounts).login(body.email, body.password, call.client_ip)


@routes.post("/account/auth/refresh", auth=PUBLIC, raises=[AUTHENTICATION_FAILED])
async def refresh(call: Call, body: RefreshRequest) -> TokenPair:
    """Exchange a refresh token for a new pair; the old one is spent."""
    return await call.use(Accounts).refresh(body.refresh)


@routes.get("/account", auth=SIGNED_IN)
async def current_user(call: Call) -> UserView:
    """The user behind the access token."""
    person = call.principal
    assert isinstance(person, Person)
    return UserView(
        person.key,
        person.email,
        person.first_name,
        person.last_name,
        full_name(person.first_name, person.last_name),
    )
