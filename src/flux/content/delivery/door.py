"""Who comes in: rate limit, environment, API, credentials, role; in that order, before the path is looked at."""

from __future__ import annotations

from urllib.parse import unquote

from msgspec import Struct

from flux.content import faults
from flux.content.access import ANONYMOUS, Anonymous, KeyHolder
from flux.content.delivery.served import ApiServed, Snapshot
from flux.content.delivery.snapshots import Snapshots
from flux.content.generations.service import Generations
from flux.content.keys.service import Keys
from flux.content.settled import Settled
from flux.kernel.faults import Fault, FaultError
from flux.kernel.house import House
from flux.kernel.identity import token_hash
from flux.kernel.quota import Quota
from flux.kernel.wire import Call

ENVIRONMENT_LENGTH = 8
MOST_HOLDERS = 10_000
MOST_ENTRIES = 10_000


class Entry(Struct, frozen=True):
    """A request that was let in. `segments` are the decoded path segments after the prefix."""

    snapshot: Snapshot
    api: ApiServed
    segments: tuple[str, ...]
    principal: KeyHolder | Anonymous

    def may(self, action: str) -> bool:
        """Whether the caller's role gives `read`, `create` or `update` on this API."""
        grants = self.principal.grants
        return grants is None or grants.allows("flux-apis", action, self.api.api.key)


class Door:
    def __init__(
        self, house: House, settled: Settled, snapshots: Snapshots, keys: Keys, generations: Generations
    ) -> None:
        self._settled = settled
        self._snapshots = snapshots
        self._keys = keys
        self._ports = house.ports
        self._quota = Quota(house.clock)
        self._generations = generations
        self._entries: dict[tuple[str, str, bytes], Entry] = {}
        self._holders: dict[tuple[str, int, bytes], KeyHolder] = {}

    def at_hand(self, call: Call) -> Entry | None:
        """As `enter`, where memory alone can tell; else None."""
        address = self._address_of(call)
        known = self._entries.get(address) if address is not None else None
        if known is None:
            return None
        snapshot = known.snapshot
        if not self._generations.stand(((snapshot.environment, snapshot.generation),)):
            return None
        call.state["api"] = known.api
        return known

    async def enter(self, call: Call) -> Entry:
        """Who came to a place comes in again until the environment's generation grows."""
        address = self._address_of(call)
        if address is None:
            return await self._entered(call)
        known = self._entries.get(address)
        if known is not None:
            snapshot = known.snapshot
            if snapshot.generation == await self._generations.of(snapshot.environment):
                call.state["api"] = known.api
                return known
            # The snapshots they hold are old.
            self._entries.clear()
        entry = await self._entered(call)
        if len(self._entries) >= MOST_ENTRIES:
            self._entries.clear()
        self._entries[address] = entry
        return entry

    def _address_of(self, call: Call) -> tuple[str, str, bytes] | None:
        """What decides who comes in where; None when more does: a count, a signature, a host."""
        if self._settled.delivery_rate is not None or not call.path.startswith("/flux/"):
            return None
        header = call.header("authorization")
        if self._ports.armed("store") or (header is not None and header[:7].lower() == "secure "):
            return None
        return call.method, call.path, b"" if header is None else token_hash(header)

    async def _entered(self, call: Call) -> Entry:
        environment, segments = await self._address(call)
        await self._count(call, environment)
        snapshot, api = await self._found(call, environment, segments)
        if snapshot is None or api is None:
            raise faults.ROUTE_NOT_FOUND()
        principal = await self._principal(call, snapshot, api)
        entry = Entry(snapshot, api, segments[1:], principal)
        if not entry.may(action := _action(call)):
            raise self.refused() if action == "read" else faults.ACCESS_DENIED()
        return entry

    def refused(self) -> FaultError:
        """Of a read, in the wording that the settings choose."""
        return self._worded(faults.PERMISSION_DENIED, faults.ACCESS_DENIED)

    def unknown(self) -> FaultError:
        return self._worded(faults.AUTHENTICATION_FAILED, faults.AUTHENTICATION_REQUIRED)

    def _worded(self, reference: Fault, current: Fault) -> FaultError:
        return reference() if self._settled.content.error_profile == "reference" else current()

    # -- where ------------------------------------------------------------------------------------------------

    async def locate(self, call: Call) -> None:
        """Note which API a request is about, without letting it in."""
        environment, segments = await self._address(call)
        await self._found(call, environment, segments)

    async def _found(
        self, call: Call, environment: str | None, segments: tuple[str, ...]
    ) -> tuple[Snapshot | None, ApiServed | None]:
        """Both None where nothing is served. The API is noted in the call's state, refusals to come included."""
        snapshot = await self._snapshots.of(environment) if environment else None
        api = snapshot.apis.get(segments[0]) if snapshot and snapshot.is_enabled and segments else None
        if api is not None:
            call.state["api"] = api
        return snapshot, api

    async def _address(self, call: Call) -> tuple[str | None, tuple[str, ...]]:
        """The environment's key and the path from the prefix on."""
        segments = _segments(call.path)
        if len(segments) >= 2 and segments[0] == "flux" and call.path.startswith("/flux/"):
            return segments[1], segments[2:]
        label = (call.header("host") or "").partition(":")[0].partition(".")[0].lower()
        if len(label) == ENVIRONMENT_LENGTH and await self._snapshots.of(label) is not None:
            return label, segments
        named = call.header("x-environment-key") or self._settled.content.default_environment
        return named or await self._snapshots.only(), segments

    # -- how often --------------------------------------------------------------------------------------------

    async def _count(self, call: Call, environment: str | None) -> None:
        """By key where the request names one that exists, else by address: made-up keys do not buy fresh budgets."""
        rate = self._settled.delivery_rate
        if rate is None:
            return
        header = call.header("authorization")
        key = await self._keys.named(header) if header else None
        caller = f"key:{key}" if key else f"address:{call.client_ip}"
        verdict = self._quota.take(f"{environment}:{caller}", rate)
        call.reply_headers["X-RateLimit-Limit"] = str(verdict.limit)
        call.reply_headers["X-RateLimit-Remaining"] = str(verdict.remaining)
        call.reply_headers["X-RateLimit-Reset"] = str(verdict.reset_at)
        if not verdict.allowed:
            raise faults.RATE_LIMIT_EXCEEDED(retry_after=max(1, -int(-verdict.retry_after // 1)))

    # -- who --------------------------------------------------------------------------------------------------

    async def _principal(self, call: Call, snapshot: Snapshot, api: ApiServed) -> KeyHolder | Anonymous:
        """Credentials that are sent must be right, on open APIs too; writes never go without."""
        header = call.header("authorization")
        if header is not None:
            try:
                return await self._known(call, header, snapshot)
            except FaultError as refused:
                if refused.fault is faults.AUTHENTICATION_FAILED:
                    raise self.unknown() from None
                raise
        if api.api.is_auth_required or _action(call) != "read":
            raise self.unknown()
        return ANONYMOUS

    async def _known(self, call: Call, header: str, snapshot: Snapshot) -> KeyHolder:
        """Whom a header names stays the same until the environment's generation grows; only a signature is for one
        request. What is remembered is the header's hash. While a fault waits at the store, nothing is."""
        if header[:7].lower() == "secure " or self._ports.armed("store"):
            return await self._keys.authenticate(call, header, snapshot.environment, "flux")
        address = snapshot.environment, snapshot.generation, token_hash(header)
        known = self._holders.get(address)
        if known is None:
            known = await self._keys.authenticate(call, header, snapshot.environment, "flux")
            if len(self._holders) >= MOST_HOLDERS:
                self._holders.clear()
            self._holders[address] = known
        return known


def reads(method: str, path: str) -> bool:
    """Whether a request only reads. Methods that are not served end in a refusal and need no more than reading."""
    return method not in ("POST", "PUT") or (method == "POST" and path.endswith(("/_search", "/_mcp")))


def _action(call: Call) -> str:
    """What the role must give."""
    if reads(call.method, call.path):
        return "read"
    return "create" if call.method == "POST" else "update"


def _segments(path: str) -> tuple[str, ...]:
    """Percent-decoded one by one: an encoded slash stays inside its segment."""
    return (
        tuple(unquote(one, errors="replace") for one in path.strip("/").split("/")) if path.strip("/") else ()
    )
