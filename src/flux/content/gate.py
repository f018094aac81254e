"""What every request passes before its body is read: maintenance, who is asking, how often, whether they may."""

from __future__ import annotations

from collections.abc import Iterable

from flux.content import faults
from flux.content.access import DELIVERY, PUBLIC, SIGNED_IN, Grants, KeyHolder, Needs, Person
from flux.content.accounts.service import Accounts
from flux.content.apis.service import Apis
from flux.content.delivery.endpoints import enter
from flux.content.folders.service import Folders
from flux.content.keys.service import Keys
from flux.content.organisations.rules import CLOSED_TO_WRITES
from flux.content.organisations.service import Organisations
from flux.content.settled import Settled
from flux.kernel.faults import Fault
from flux.kernel.house import House
from flux.kernel.quota import Quota
from flux.kernel.wire import Call, Kind, Route, WireTrouble

_OBJECTS = {"collection-items": "folder", "flux-apis": "api"}
"""Content types that a role may reach by single objects, and the path parameter that names one."""
_BEARER = "bearer "
_KEY_BEARER = "bearer fxk_"


class Gate:
    def __init__(self, house: House) -> None:
        self._maintenance = house.maintenance
        self._quota = Quota(house.clock)

    async def __call__(self, call: Call) -> None:
        if call.plane.name in self._maintenance:
            raise WireTrouble(Kind.MAINTENANCE)
        auth = call.route.auth if call.route is not None else None
        if auth is DELIVERY:
            await enter(call)
        elif auth is None or auth is PUBLIC:
            return
        else:
            call.principal = await self._principal(call)
            self._count(call)
            if auth is SIGNED_IN:
                if not isinstance(call.principal, Person):
                    raise faults.PERMISSION_DENIED()
            else:
                await self._environment(call, auth)

    async def _principal(self, call: Call) -> Person | KeyHolder:
        header = call.header("authorization") or ""
        lowered = header[:12].lower()
        if lowered.startswith(_BEARER) and not lowered.startswith(_KEY_BEARER):
            user = await call.use(Accounts).user_of(header[len(_BEARER) :].strip())
            return Person(user.key, user.email, user.first_name, user.last_name)
        return await call.use(Keys).authenticate(call, header, None, "management")

    def _count(self, call: Call) -> None:
        rate = call.use(Settled).management_rate
        if rate is None:
            return
        verdict = self._quota.take(call.principal.key, rate)
        call.reply_headers["X-RateLimit-Limit"] = str(verdict.limit)
        call.reply_headers["X-RateLimit-Remaining"] = str(verdict.remaining)
        call.reply_headers["X-RateLimit-Reset"] = str(verdict.reset_at)
        if not verdict.allowed:
            raise faults.RATE_LIMITED(retry_after=max(1, -int(-verdict.retry_after // 1)))

    async def _environment(self, call: Call, needs: Needs) -> None:
        """The environment in the path is the caller's, is switched on, and the role reaches what is asked."""
        principal, named = call.principal, call.path_params["env"]
        if isinstance(principal, KeyHolder) and principal.environment != named:
            await call.use(Organisations).environment(named, None)
            raise faults.AUTHENTICATION_FAILED()
        person = principal if isinstance(principal, Person) else None
        environment = await call.use(Organisations).environment(named, person)
        if not environment.is_enabled:
            raise faults.ENVIRONMENT_DISABLED()
        grants = principal.grants if isinstance(principal, KeyHolder) else None
        if grants is not None and not await _allowed(call, grants, needs):
            raise faults.PERMISSION_DENIED()
        if needs.action != "read" and environment.protection_level in CLOSED_TO_WRITES:
            raise faults.ENVIRONMENT_PROTECTED()


async def _allowed(call: Call, grants: Grants, needs: Needs) -> bool:
    """`resources` is an older, wider name for `collection-items`."""
    if needs.content_type == "collection-items" and grants.allows("resources", needs.action):
        return True
    if not grants.allows(needs.content_type, needs.action):
        return False
    place = _OBJECTS.get(needs.content_type, "")
    if place not in call.path_params or not grants.is_limited_to_objects(needs.content_type):
        return True
    environment, name = call.path_params["env"], call.path_params[place]
    if place == "folder":
        key = (await call.use(Folders).find(None, environment, name)).key
    else:
        key = (await call.use(Apis).one(environment, name)).key
    return grants.allows(needs.content_type, needs.action, key)


_ALWAYS = (
    faults.INTERNAL_SERVER_ERROR,
    faults.REQUEST_TIMEOUT,
    faults.SERVICE_UNAVAILABLE,
    faults.SIMULATION_REFUSED,
    faults.BAD_REQUEST,
    faults.ROUTE_NOT_FOUND,
)
_IN_ENVIRONMENT = (
    faults.ENVIRONMENT_NOT_FOUND,
    faults.ENVIRONMENT_DISABLED,
    faults.FOLDER_NOT_FOUND,
    faults.API_NOT_FOUND,
    faults.PERMISSION_DENIED,
)


def implied(route: Route) -> Iterable[Fault]:
    """What the gate and the wire can answer on a route, beside what it declares."""
    found: list[Fault] = [*_ALWAYS]
    if route.auth is DELIVERY:
        return [*found, faults.INVALID_REQUEST]
    found += [faults.METHOD_NOT_ALLOWED, faults.JSON_PARSE_ERROR, faults.VALIDATION_ERROR]
    if route.auth is PUBLIC:
        return found
    found += [faults.AUTHENTICATION_FAILED, faults.RATE_LIMITED, faults.PERMISSION_DENIED]
    if isinstance(route.auth, Needs):
        found += _IN_ENVIRONMENT
        if route.auth.action != "read":
            # A write may publish, and publishing may ask the embeddings' port.
            found += [faults.ENVIRONMENT_PROTECTED, faults.UPSTREAM_ERROR]
    return found
