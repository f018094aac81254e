"""Settings of the paygate plane: `FLUX_PAYGATE__<NAME>`."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field


class TokenDomain(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token's EIP-712 domain: what wallets sign over."""

    name: str = "USD Coin"
    version: str = "2"


class TokenSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: str
    decimals: Annotated[int, Meta(ge=0, le=36)] = 6
    eip712: TokenDomain = field(default_factory=TokenDomain)
    eip3009: bool = True


class ChainSettings(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One entry of `paygate.chains`. What is left out of a well-known chain is filled in from the table."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
    chain_id: Annotated[int, Meta(ge=1)]
    rpc_urls: list[str] = field(default_factory=list)
    native_symbol: str | UnsetType = UNSET
    tokens: dict[str, TokenSettings] | UnsetType = UNSET
    min_confirmations: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    finality_depth: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    explorer_tx_url: str | UnsetType = UNSET


class PaygateSettings(Struct, frozen=True, kw_only=True):
    host: Annotated[
        str,
        Meta(description="Host name at which the plane is served at the root; empty: only under /paygate."),
    ] = ""
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="Port on which the plane is served at the root, beside the server's; 0 is none.",
        ),
    ] = 0

    # chains
    chains: Annotated[
        list[ChainSettings],
        Meta(
            description="Chains that payments may be on, a JSON array of {name, chainId, rpcUrls, nativeSymbol, tokens, "
            "minConfirmations, finalityDepth, explorerTxUrl}; empty: the well-known ones, without a node."
        ),
    ] = field(default_factory=list)
    default_chain: Annotated[
        str, Meta(description="Chain of listings that name none; empty: the first of `chains`, else base.")
    ] = ""
    rpc_seconds: Annotated[float, Meta(gt=0, description="Time a chain node has for one call.")] = 3.0
    rpc_budget_seconds: Annotated[
        float, Meta(gt=0, description="Time all calls to chain nodes for one request may take together.")
    ] = 8.0
    max_payment_age_hours: Annotated[
        float, Meta(gt=0, description="Oldest payment (by its block's time) that still pays for a call.")
    ] = 24.0
    price_grace_minutes: Annotated[
        float, Meta(ge=0, description="How long a payment at the price before a rise is still accepted.")
    ] = 15.0
    signature_seconds: Annotated[int, Meta(ge=1, description="Oldest signature timestamp accepted.")] = 300
    signature_skew_seconds: Annotated[
        int, Meta(ge=0, description="How far a signature timestamp may lie in the future.")
    ] = 60
    timestamp_search: Annotated[
        bool,
        Meta(
            description="Find the signed timestamp of calls without X-Timestamp; off: the header is required."
        ),
    ] = True
    timestamp_searches_per_minute: Annotated[
        int, Meta(ge=1, description="Failed timestamp searches for one address and transaction each minute.")
    ] = 5
    max_releases: Annotated[
        int, Meta(ge=1, description="Outcomes without charge after which a payment counts as used.")
    ] = 3
    strict_orphans: Annotated[
        bool, Meta(description="Refuse payers who have a consumed payment that a reorganisation took back.")
    ] = False
    facilitator_key: Annotated[
        str,
        Meta(
            description="Private key (0x…) or path of a file with it, for settling x402 payments; empty: off."
        ),
    ] = ""
    facilitator_gas: Annotated[int, Meta(ge=21_000, description="Most gas of one settlement.")] = 500_000
    facilitator_settle_seconds: Annotated[
        float, Meta(gt=0, description="How long a settlement may wait for its receipt.")
    ] = 60.0
    facilitator_raise_seconds: Annotated[
        float,
        Meta(
            gt=0, description="How long a settlement may stay unmined before its fee is raised by a quarter."
        ),
    ] = 15.0
    facilitator_max_fee_gwei: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Most that a settlement offers for a unit of gas.")
    ] = 500
    facilitator_open: Annotated[
        bool,
        Meta(description="Let loopback callers use the facilitator routes without the operator's token."),
    ] = True

    # targets
    allow_http_targets: Annotated[bool, Meta(description="Let listings have targets with http URLs.")] = False
    allowed_targets: Annotated[
        list[str],
        Meta(
            description="host:port or CIDR entries exempt from the filter of private addresses, for development; "
            "a host name exempts every address it resolves to. Where Flux itself listens stays closed."
        ),
    ] = field(default_factory=list)
    dns_servers: Annotated[
        list[str],
        Meta(
            description="DNS servers (address:port) asked for the names of targets; empty: the system's resolver."
        ),
    ] = field(default_factory=list)
    denied_ports: Annotated[
        list[int], Meta(description="Ports of targets that are never called, beside those below 1024.")
    ] = field(default_factory=list)
    connect_seconds: Annotated[float, Meta(gt=0, description="Time to connect to a target.")] = 5.0
    probe_seconds: Annotated[
        float, Meta(gt=0, description="Time for the reachability probe of a listing's target.")
    ] = 5.0
    breaker_failures: Annotated[
        int,
        Meta(
            ge=0,
            description="Failures of a target in a row after which it is not called for a while, and callers are answered "
            "503 before they pay; 0: never.",
        ),
    ] = 10
    breaker_window_seconds: Annotated[
        float, Meta(gt=0, description="Only failures within this time of the first count together.")
    ] = 30.0
    breaker_open_seconds: Annotated[
        float,
        Meta(
            gt=0,
            description="How long a failing target is not called; then one call tells whether it is back.",
        ),
    ] = 10.0
    idle_seconds: Annotated[float, Meta(gt=0, description="Longest pause of a target inside its answer.")] = (
        30.0
    )
    stream_idle_seconds: Annotated[
        float, Meta(gt=0, description="Longest pause of a target inside an event stream.")
    ] = 120.0
    total_seconds: Annotated[float, Meta(gt=0, description="Longest buffered answer of a target.")] = 120.0
    stream_total_seconds: Annotated[float, Meta(gt=0, description="Longest streamed answer of a target.")] = (
        900.0
    )
    request_body_bytes: Annotated[int, Meta(ge=0, description="Largest body of a paid call.")] = 10_485_760
    response_bytes: Annotated[int, Meta(ge=1, description="Largest answer of a target that is buffered.")] = (
        26_214_400
    )
    stream_bytes: Annotated[int, Meta(ge=1, description="Largest answer of a target that is streamed.")] = (
        1_073_741_824
    )
    stream_after_bytes: Annotated[
        int, Meta(ge=1, description="Bytes of an answer without length after which it is streamed.")
    ] = 1_048_576
    lease_slack_seconds: Annotated[
        float,
        Meta(
            gt=0,
            description="How much longer than its target's timeouts a call may hold its payment before it counts as dead.",
        ),
    ] = 30.0
    lease_sweep_seconds: Annotated[
        float, Meta(gt=0, description="How often calls are looked for that hold their payment too long.")
    ] = 5.0
    reorg_check_seconds: Annotated[
        float, Meta(gt=0, description="How often payments that are not final are looked at again on chain.")
    ] = 10.0
    hide_powered_by: Annotated[
        bool, Meta(description="Remove Server and X-Powered-By from the answers of targets.")
    ] = True

    # how often, how many
    management_per_minute: Annotated[
        int, Meta(ge=0, description="Management requests of one IP each minute; 0: no limit.")
    ] = 120
    writes_per_minute: Annotated[
        int, Meta(ge=0, description="Management writes of one wallet each minute; 0: no limit.")
    ] = 60
    gateway_per_minute: Annotated[
        int, Meta(ge=0, description="Gateway requests of one IP each minute; 0: no limit.")
    ] = 600
    ban_after: Annotated[
        int, Meta(ge=1, description="Requests refused with 429 inside a window that lead to a ban.")
    ] = 20
    ban_minutes: Annotated[float, Meta(gt=0, description="How long such a ban lasts.")] = 15.0
    max_in_flight: Annotated[
        int, Meta(ge=1, description="Requests served at once by a process; beyond: 503 with Retry-After.")
    ] = 1000
    maintenance: Annotated[bool, Meta(description="Answer every request but probes with 503.")] = False
    maintenance_retry_seconds: Annotated[
        int, Meta(ge=1, description="Retry-After of answers during maintenance or overload.")
    ] = 30
    listings_per_provider: Annotated[int, Meta(ge=1, description="Listings one wallet may have.")] = 200
    max_price: Annotated[int, Meta(ge=1, description="Highest price, in whole units of the currency.")] = (
        1_000_000_000
    )
    openapi_bytes: Annotated[int, Meta(ge=2, description="Largest OpenAPI document of a listing.")] = 524_288
    management_body_bytes: Annotated[
        int, Meta(ge=1024, description="Largest body of a management request.")
    ] = 1_048_576

    # wallets
    origins: Annotated[
        list[str],
        Meta(description="Origins that browsers may log in and write from; empty: the public URL alone."),
    ] = field(default_factory=list)
    session_idle_hours: Annotated[float, Meta(gt=0, description="A session ends after this long unused.")] = (
        24.0
    )
    session_max_days: Annotated[
        float, Meta(gt=0, description="A session ends after this long in any case.")
    ] = 7.0
    nonce_minutes: Annotated[
        float, Meta(gt=0, description="Life of a login nonce, and skew of Issued At.")
    ] = 10.0
