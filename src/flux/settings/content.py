"""Settings of the content plane: `FLUX_CONTENT__<NAME>`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field


class EmbeddingSettings(Struct, frozen=True, kw_only=True):
    provider: Annotated[
        str,
        Meta(
            pattern="^(hash|openai)$",
            description="'hash' is built in and lexical; 'openai' asks a service with the OpenAI embeddings API.",
        ),
    ] = "hash"
    dimensions: Annotated[
        int, Meta(ge=16, le=4096, description="Length of the vectors; must be the model's.")
    ] = 256
    url: Annotated[str, Meta(description="Base URL of the service, up to /v1.")] = ""
    api_key: Annotated[str, Meta(description="Bearer token of the service; empty: none.")] = ""
    model: Annotated[str, Meta(description="Model name that the service knows.")] = ""
    timeout: Annotated[float, Meta(gt=0, description="Seconds until a silent service counts as failed.")] = (
        20.0
    )


class WebhookSettings(Struct, frozen=True, kw_only=True):
    timeout: Annotated[float, Meta(gt=0, description="Seconds until a silent receiver counts as failed.")] = (
        10.0
    )
    max_attempts: Annotated[
        int, Meta(ge=1, le=100, description="Attempts to deliver a message before it is given up.")
    ] = 10
    backoff_seconds: Annotated[
        float,
        Meta(gt=0, description="Pause after the first failed attempt; it doubles with each further one."),
    ] = 10.0
    backoff_max_seconds: Annotated[float, Meta(gt=0, description="Longest pause between attempts.")] = (
        21_600.0
    )
    history_days: Annotated[
        int, Meta(ge=1, description="How long finished messages stay in the delivery history.")
    ] = 30
    allowed_targets: Annotated[
        list[str],
        Meta(
            description="host:port or CIDR that webhooks may reach although it is not public, and over plain HTTP "
            "where it is host:port."
        ),
    ] = field(default_factory=list)


class ContentSettings(Struct, frozen=True, kw_only=True):
    host: Annotated[
        str,
        Meta(description="Host name at which the plane is served at the root; empty: only under /content."),
    ] = ""
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="Port on which the plane is served at the root, beside the server's; 0 is none.",
        ),
    ] = 0
    request_timeout: Annotated[
        float,
        Meta(
            gt=0,
            description="Seconds from the accepted request to the answer; beyond them 408 and the work is cancelled.",
        ),
    ] = 60.0
    max_response_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Largest delivery answer in bytes of JSON (list, get, search); beyond it 413.",
        ),
    ] = 1_048_576
    max_delivery_request_bytes: Annotated[
        int, Meta(ge=1024, description="Largest body of a delivery request, in bytes; beyond it 422.")
    ] = 1_048_576
    max_request_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Largest body of a management request, in bytes; by default a revision of the largest size "
            "and 64 KiB around it.",
        ),
    ] = 1_114_112
    max_revision_bytes: Annotated[
        int, Meta(ge=1024, description="Largest data of one revision, in bytes of JSON.")
    ] = 1_048_576
    rate_limit: Annotated[
        str,
        Meta(
            description="Delivery requests per key (or address without one) and environment, as '3/60s'; 0 is off."
        ),
    ] = "0"
    management_rate_limit: Annotated[
        str, Meta(description="Management requests per key or user, as '100/60s'; 0 is off.")
    ] = "0"
    login_rate_limit: Annotated[
        str, Meta(description="Log-ins of the management API per client address, as '60/60s'; 0 is off.")
    ] = "60/60s"
    failed_login_rate_limit: Annotated[
        str, Meta(description="Wrong passwords per client address and e-mail, as '10/300s'; 0 is off.")
    ] = "10/300s"
    plan_limits: Annotated[
        dict[str, int],
        Meta(
            description="Most entities of a kind (projects, environments, locales, folders, components, schemas, fields, resources, "
            "flux_apis, roles, api_keys, webhooks); none by default."
        ),
    ] = field(default_factory=dict)
    max_versions: Annotated[
        int, Meta(ge=2, description="Most schema versions of one folder or component.")
    ] = 100
    max_component_depth: Annotated[
        int, Meta(ge=1, le=10, description="How deep components may embed components.")
    ] = 5
    default_cache_control: Annotated[
        str,
        Meta(
            description="Cache-Control of delivery answers to anonymous callers; keyed callers get 'private, ' before it."
        ),
    ] = "max-age=0, must-revalidate"
    error_profile: Annotated[
        str,
        Meta(
            pattern="^(reference|current)$",
            description="'reference' answers 401/403 with the published codes; 'current' with authentication_required and access_denied.",
        ),
    ] = "reference"
    secure_window_seconds: Annotated[
        int,
        Meta(
            ge=1,
            description="How far the Date of a Secure signature may be from the server's clock, either way.",
        ),
    ] = 900
    access_token_seconds: Annotated[int, Meta(ge=1, description="Lifetime of a management access token.")] = (
        86_400
    )
    refresh_token_seconds: Annotated[
        int, Meta(ge=1, description="Lifetime of a management refresh token.")
    ] = 604_800
    refresh_retry_seconds: Annotated[
        int,
        Meta(
            ge=0,
            description="A refresh token that is used again within this time is only refused; later all tokens of its login end.",
        ),
    ] = 30
    default_environment: Annotated[
        str,
        Meta(
            description="Environment key of delivery requests that name none; empty: the only one, when there is only one."
        ),
    ] = ""
    public_base: Annotated[
        str,
        Meta(
            description="Origin and path prefix for the next and previous URLs of delivery; empty: as the request came in."
        ),
    ] = ""
    page_size: Annotated[
        int,
        Meta(ge=1, le=1000, description="Greatest and default page size of delivery and management lists."),
    ] = 100
    max_batch_items: Annotated[
        int,
        Meta(ge=1, le=1000, description="Most resources written or exported in one request of an import."),
    ] = 200
    max_join_folders: Annotated[int, Meta(ge=1, description="Most folders joined in one search.")] = 3
    max_joined_rows: Annotated[int, Meta(ge=1, description="Most joined rows per alias and result.")] = 100
    max_populate_depth: Annotated[
        int, Meta(ge=0, description="How deep populate follows references; deeper is ignored.")
    ] = 3
    max_filter_depth: Annotated[int, Meta(ge=1, description="Deepest nesting of where groups.")] = 10
    max_filter_conditions: Annotated[int, Meta(ge=1, description="Most conditions in one where.")] = 200
    max_sort_entries: Annotated[int, Meta(ge=1, description="Most sort entries.")] = 5
    max_facets: Annotated[int, Meta(ge=0, description="Most facets counted in one search.")] = 10
    max_facet_values: Annotated[
        int, Meta(ge=1, description="Most values listed of one facet, those with the greatest counts.")
    ] = 100
    delivery_cache_entries: Annotated[
        int, Meta(ge=0, description="Encoded delivery answers kept in memory; 0 is off.")
    ] = 2000
    delivery_cache_bytes: Annotated[
        int, Meta(ge=0, description="Most bytes of encoded delivery answers kept in memory.")
    ] = 64_000_000
    plan_cache_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="Most bytes of compiled query plans kept in memory, one for each shape of query; 0 is off.",
        ),
    ] = 8_000_000
    reading_cache_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="Most bytes of delivery requests kept in memory as they were understood, without their answers; 0 is off.",
        ),
    ] = 8_000_000
    fragment_cache_bytes: Annotated[
        int,
        Meta(
            ge=0, description="Most bytes of documents kept in memory because others refer to them; 0 is off."
        ),
    ] = 16_000_000
    embeddings: EmbeddingSettings = field(default_factory=EmbeddingSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    bootstrap_email: Annotated[str, Meta(description="E-mail of the first user.")] = "operator@flux.invalid"
