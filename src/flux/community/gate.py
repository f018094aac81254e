"""Who is let in, in the order the wire contract gives.

maintenance → banned address → token → global limit → the route's bucket → login required → bearer on the wrong route →
suspicious activity → bot on a user-only route → the guild's realtime home → (then the wire reads the body).
"""

from __future__ import annotations

from collections.abc import Iterable

from flux.community import buckets, faults
from flux.community.admin.addresses import AddressBans
from flux.community.auth import tokens
from flux.community.auth.admission import Admission
from flux.community.auth.sessions import SessionService
from flux.community.auth.tokens import Credential
from flux.community.buckets import Bucket
from flux.community.oauth2.applications import ApplicationService
from flux.community.oauth2.tokens import TokenService
from flux.community.principals import OPEN, Auth, Principal
from flux.community.users.records import HIGH_GLOBAL_RATE_LIMIT, RATE_LIMIT_BYPASS, UserRow
from flux.community.users.service import UserService
from flux.kernel.faults import Fault
from flux.kernel.house import House
from flux.kernel.quota import Quota, Rate, Verdict
from flux.kernel.wire import Call, Kind, Route, WireTrouble

MAJOR = ("guild_id", "channel_id", "webhook_id")
"""Path parameters that have buckets of their own; a route with one of the first two lives in the realtime hub."""


class Gatekeeper:
    def __init__(
        self,
        house: House,
        users: UserService,
        sessions: SessionService,
        admission: Admission,
        applications: ApplicationService,
        grants: TokenService,
        bans: AddressBans,
        quota: Quota,
    ) -> None:
        settings = house.settings.community.rate_limits
        self._house = house
        self._users = users
        self._sessions = sessions
        self._admission = admission
        self._applications = applications
        self._grants = grants
        self._bans = bans
        self._quota = quota
        self._counts = settings.enabled
        self._factor = settings.factor
        self._global = Rate.parse(settings.global_rate)
        self._high_global = Rate.parse(settings.high_global_rate)
        self._rates: dict[Bucket, Rate] = {}

    async def admit(self, call: Call) -> None:
        """The plane's gate. Sets `call.principal` and the rate-limit headers, or raises."""
        if "community" in self._house.maintenance:
            raise WireTrouble(Kind.MAINTENANCE)
        if self._bans.banned(call.client_ip):
            raise faults.IP_BANNED()
        route = call.route
        if route is not None and route.options.get("free"):
            return
        principal = await self.identify(tokens.read(call.header("authorization")))
        call.principal = principal
        if self._counts:
            self._count(call, route, principal)
        if route is None:
            return
        auth: Auth = route.auth or OPEN
        if not auth.required:
            return
        if principal is None:
            raise faults.UNAUTHORIZED()
        _demand_kind(auth, principal)
        if principal.user is not None:
            if principal.user.suspicious_flags and not auth.lenient:
                shown = {"suspicious_activity_flags": principal.user.suspicious_flags}
                raise faults.ACCOUNT_SUSPICIOUS_ACTIVITY(data=shown)
            if principal.session is not None:
                await self._seen(principal.user, principal.session, call.client_ip)
        _demand_acl(auth, principal)
        if in_realtime(route):
            await self._house.ports.strike("realtime")

    async def identify(self, credential: Credential | None) -> Principal | None:
        """Who holds this credential; None for nobody."""
        if credential is None:
            return None
        if credential.kind == "admin":
            return Principal("admin") if self._house.operator.is_admin_token(credential.secret) else None
        if credential.kind == "bot":
            bot = await self._applications.bot_of(credential)
            return None if bot is None else Principal("bot", bot, application_id=credential.application_id)
        hashed = credential.hash
        if credential.kind == "bearer" and (grant := await self._grants.grant(hashed)) is not None:
            owner = await self._users.find(grant.user_id)
            if owner is None or self._admission.away(owner):
                return None
            return Principal(
                "bearer",
                owner,
                application_id=grant.application_id,
                scopes=grant.scope_set,
                expires_at=grant.expires_at,
            )
        user = await self._sessions.holder(hashed)
        return None if user is None else Principal("user", user, session=hashed)

    async def _seen(self, user: UserRow, session: bytes, address: str) -> None:
        """When and from where: a write only when the address changed, or now and then."""
        await self._sessions.touch(session)
        if user.last_address != address:
            await self._house.db.transact(lambda tx: self._users.remember_address(tx, user.id, address))

    # -- counting ---------------------------------------------------------------------------------------------

    def _count(self, call: Call, route: Route | None, principal: Principal | None) -> None:
        user = principal.user if principal else None
        if user is not None and user.flags & RATE_LIMIT_BYPASS:
            return
        client = f"user:{user.id}" if user is not None else f"ip:{call.client_ip}"
        rate = self._high_global if user is not None and user.flags & HIGH_GLOBAL_RATE_LIMIT else self._global
        if rate is not None and not (route is not None and route.options.get("own_pace")):
            verdict = self._quota.count(f"{client}:global", rate)
            if not verdict.allowed:
                self._refuse(call, verdict, "global", overall=True)
        bucket: Bucket = (route.bucket if route else None) or buckets.DEFAULT
        name = bucket.name or (route.name if route else "unknown")
        scope = next((call.path_params[each] for each in MAJOR if each in call.path_params), "")
        verdict = self._quota.count(f"{client}:{name}:{scope}", self._rate(bucket))
        if not verdict.allowed:
            self._refuse(call, verdict, name, overall=False)
        self._headers(call, verdict, name)

    def _rate(self, bucket: Bucket) -> Rate:
        rate = self._rates.get(bucket)
        if rate is None:
            rate = self._rates[bucket] = Rate(max(1, round(bucket.limit * self._factor)), bucket.seconds)
        return rate

    def _refuse(self, call: Call, verdict: Verdict, name: str, *, overall: bool) -> None:
        self._headers(call, verdict, name)
        raise faults.rate_limited(verdict.retry_after, overall=overall)

    def _headers(self, call: Call, verdict: Verdict, name: str) -> None:
        headers = call.reply_headers
        headers["X-RateLimit-Limit"] = str(verdict.limit)
        headers["X-RateLimit-Remaining"] = str(verdict.remaining)
        headers["X-RateLimit-Reset"] = str(verdict.reset_at)
        headers["X-RateLimit-Reset-After"] = f"{verdict.reset_after:.3f}"
        headers["X-RateLimit-Bucket"] = name.replace(" ", ":")


def _demand_kind(auth: Auth, principal: Principal) -> None:
    if principal.kind == "bearer":
        if auth.scope is None:
            raise faults.ACCESS_DENIED()
        if auth.scope and auth.scope not in principal.scopes:
            fault = faults.MISSING_OAUTH_ADMIN_SCOPE if auth.acl else faults.MISSING_OAUTH_SCOPE
            raise fault(required_scope=auth.scope)
    elif principal.kind == "admin":
        if not auth.acl:
            raise faults.ACCESS_DENIED()
    elif auth.acl and principal.kind == "bot":
        raise faults.UNAUTHORIZED()
    elif not (auth.bots if principal.kind == "bot" else auth.humans):
        raise faults.ACCESS_DENIED() if auth.humans or auth.bots else faults.UNAUTHORIZED()


def _demand_acl(auth: Auth, principal: Principal) -> None:
    if not auth.acl:
        return
    acls = principal.acls
    if "*" not in acls and not {"admin:authenticate", auth.acl} <= acls:
        raise faults.MISSING_PERMISSIONS()


def in_realtime(route: Route) -> bool:
    return "{guild_id}" in route.path or "{channel_id}" in route.path


def implied(route: Route) -> Iterable[Fault]:
    """What the gate and the wire can answer on a route beside what it declares."""
    yield faults.INTERNAL_SERVER_ERROR
    yield faults.SERVICE_UNAVAILABLE
    yield faults.GATEWAY_TIMEOUT
    yield faults.SIMULATION_REFUSED
    yield faults.IP_BANNED
    if not route.options.get("free"):
        yield faults.RATE_LIMITED
    yield faults.VALIDATION_ERROR
    yield faults.URI_TOO_LONG
    yield faults.HEADERS_TOO_LARGE
    if route.method in ("POST", "PUT", "PATCH", "DELETE"):
        yield faults.REQUEST_BODY_TOO_LARGE
        yield faults.REQUEST_TIMEOUT
    if in_realtime(route):
        yield faults.BAD_GATEWAY
    auth: Auth = route.auth or OPEN
    if not auth.required:
        return
    yield faults.UNAUTHORIZED
    yield faults.ACCESS_DENIED
    if not auth.lenient:
        yield faults.ACCOUNT_SUSPICIOUS_ACTIVITY
    if auth.acl:
        yield faults.MISSING_OAUTH_ADMIN_SCOPE
        yield faults.MISSING_PERMISSIONS
    elif auth.scope:
        yield faults.MISSING_OAUTH_SCOPE
