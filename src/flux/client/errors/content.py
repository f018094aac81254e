"""Every refusal of the content plane. Written by `python -m flux.client.generate` from the declared faults: do not edit.

`ContentError` takes what has no class here; a code that this client does not know comes as the class of its status.
"""

from flux.client.errors.planes import ContentError


class ContentBadRequest(ContentError, kind=(400,)):
    """Any 400 of the content plane."""


class ContentUnauthorized(ContentError, kind=(401,)):
    """Any 401 of the content plane."""


class ContentForbidden(ContentError, kind=(403,)):
    """Any 403 of the content plane."""


class ContentNotFound(ContentError, kind=(404,)):
    """Any 404 of the content plane."""


class ContentMethodNotAllowed(ContentError, kind=(405,)):
    """Any 405 of the content plane."""


class ContentRequestTimeout(ContentError, kind=(408,), retry="later"):
    """Any 408 of the content plane."""


class ContentConflict(ContentError, kind=(409,)):
    """Any 409 of the content plane."""


class ContentTooLarge(ContentError, kind=(413,)):
    """Any 413 of the content plane."""


class ContentUnprocessable(ContentError, kind=(422,)):
    """Any 422 of the content plane."""


class ContentTooManyRequests(ContentError, kind=(429,), retry="later"):
    """Any 429 of the content plane."""


class ContentServerError(ContentError, kind=range(500, 600), retry="later"):
    """Any 5xx of the content plane."""


class AuthenticationFailed(ContentUnauthorized, code="authentication_failed", status=401, retry="after-fix"):
    """The credentials are missing, wrong, expired or made for something else: another environment, or the
    other of the two APIs. The answer never says which. Check the scheme (Simple, Secure or Bearer), the
    key pair and, for Secure, that the clock is right and that the signed path is the one you request.
    """


class PermissionDenied(ContentForbidden, code="permission_denied", status=403, retry="after-fix"):
    """The key or user is known, and its role does not reach what was asked. Give the role a permission for
    this API or content type, or use a key of another role. A key without a role is not restricted.
    """


class RouteNotFound(ContentNotFound, code="route_not_found", status=404):
    """No API has this prefix, no folder is connected under this path, or there is no such endpoint. `GET
    /{prefix}/_router` lists what an API serves.
    """


class ResourceNotFound(ContentNotFound, code="resource_not_found", status=404):
    """The key is unknown in this folder, or nothing of the resource is published. On a list it means that
    the cursor's resource is gone: start again from the first page.
    """


class ComponentNotFound(ContentNotFound, code="component_not_found", status=404):
    """The `component` of the request is not a component of this environment. Use the component's key, not
    its name.
    """


class ActionNotAllowed(ContentMethodNotAllowed, code="action_not_allowed", status=405):
    """The folder is connected to the API without the method you need: list and search need get_many, a
    single read needs get_one. Change the connection's allowed_methods, or read it another way.
    """


class RequestTimeout(ContentRequestTimeout, code="request_timeout", status=408, retry="later"):
    """The server stopped working on the request at its time limit; nothing was changed. Retry with
    backoff, and ask for less: a smaller limit, fewer populated references, a filter on a searchable
    field.
    """


class MaxResponseSizeExceeded(ContentTooLarge, code="max_response_size_exceeded", status=413):
    """The answer would pass the size limit. Lower `limit`, name the `fields` you need, populate less or
    use `truncate_text`.
    """


class ValidationError(ContentUnprocessable, code="validation_error", status=422):
    """`detail` lists every value that does not fit: `field` is its path exactly as you sent it, `details`
    says what is expected.
    """


class InvalidRequest(ContentUnprocessable, code="invalid_request", status=422):
    """The request as a whole makes no sense: a body that is not a JSON object, a page size below 1, a
    cursor that is not ours or belongs to another query, or parts that exclude each other (find_text
    with find_phrase, next with previous).
    """


class UnknownField(ContentUnprocessable, code="unknown_field", status=422):
    """A filter, sort, search or populate names a field that the published schema does not have, or that is
    not searchable. `GET …/_schema` lists searchable_fields. With `ignore_unknown_fields=true` such
    clauses are dropped.
    """


class FailedJoin(ContentUnprocessable, code="failed_join", status=422):
    """Every joined folder must be connected to the same API with get_many, and every alias must be reached
    by exactly one relation that starts at `$`, without a cycle.
    """


class TooManyJoinFolders(ContentUnprocessable, code="too_many_join_folders", status=422):
    """Join at most three folders in one search; read the rest in a second request or with populate."""


class UnknownLocale(ContentUnprocessable, code="unknown_locale", status=422):
    """The environment has no such locale. Configure it, or ask for one that exists."""


class InvalidLocale(ContentUnprocessable, code="invalid_locale", status=422):
    """A locale code is letters, or letters joined by underscores (`en`, `pt_BR`); hyphens, digits and
    empty entries are refused.
    """


class MissedComponent(ContentUnprocessable, code="missed_component", status=422):
    """In a composite folder every resource has its own component: add `component=<key>` to filter, sort,
    search or write.
    """


class RateLimitExceeded(ContentTooManyRequests, code="rate_limit_exceeded", status=429, retry="later"):
    """Wait for `Retry-After` seconds, then retry with backoff. The X-RateLimit headers of every answer
    show the budget.
    """


class InternalServerError(ContentServerError, code="internal_server_error", status=500, retry="later"):
    """Something failed on our side. Retry with backoff; if it stays, send the operator the X-Request-Id of
    the answer: the log has the cause under it.
    """


class BadRequest(ContentBadRequest, code="bad_request", status=400):
    """The server could not read the request as HTTP, or its target or headers are too long. Send long
    queries as a search body.
    """


class JsonParseError(ContentBadRequest, code="json_parse_error", status=400):
    """The body is not JSON in UTF-8. Check quoting and that the whole body was sent."""


class SimulationRefused(ContentBadRequest, code="simulation_refused", status=400):
    """X-Flux-Simulate works only on a server started with its sandbox, and only with codes of this plane
    (write CODE@STATUS where a code has several statuses).
    """


class AuthenticationRequired(
    ContentUnauthorized, code="authentication_required", status=401, retry="after-fix"
):
    """As authentication_failed, under its current name: send valid delivery credentials for this
    environment.
    """


class AccessDenied(ContentForbidden, code="access_denied", status=403, retry="after-fix"):
    """The key's role does not grant this on the API. For writes it needs the create or update action on
    flux-apis.
    """


class CollectionNotWritable(ContentForbidden, code="collection_not_writable", status=403, retry="after-fix"):
    """Add create or update to the allowed_methods of the folder's connection, or write through the
    management API.
    """


class PlanLimitExceeded(ContentForbidden, code="plan_limit_exceeded", status=403, retry="after-fix"):
    """`detail` names the entity, how many there are and how many may be. Delete some, or ask the operator
    to raise `content.plan_limits.<entity>`.
    """


class EnvironmentDisabled(ContentForbidden, code="environment_disabled", status=403, retry="after-fix"):
    """Switch the environment on again with its toggle endpoint before managing what is in it."""


class EnvironmentProtected(ContentForbidden, code="environment_protected", status=403, retry="after-fix"):
    """The environment's protection forbids changes. The organisation's owner can lift it."""


class OrganizationNotFound(ContentNotFound, code="organization_not_found", status=404):
    """List `/organizations/` for the keys you can see."""


class ProjectNotFound(ContentNotFound, code="project_not_found", status=404):
    """List the organisation's projects for their keys."""


class PlanNotFound(ContentNotFound, code="plan_not_found", status=404):
    """`/plans/` shows the plans that exist."""


class EnvironmentNotFound(ContentNotFound, code="environment_not_found", status=404):
    """The environment key stands in the path after `/v1/`. A key works only in the environment it was made
    in.
    """


class LocaleNotFound(ContentNotFound, code="locale_not_found", status=404):
    """List the environment's locales for their codes."""


class FolderNotFound(ContentNotFound, code="folder_not_found", status=404):
    """Use the folder's key or its path. Under an API it also means that the folder is not connected there."""


class VersionNotFound(ContentNotFound, code="version_not_found", status=404):
    """List the model's versions; `latest` names the newest draft."""


class FieldNotFound(ContentNotFound, code="field_not_found", status=404):
    """`path` is the dotted path of the field in this schema version."""


class RevisionNotFound(ContentNotFound, code="revision_not_found", status=404):
    """List the resource's revisions. Reading the resource's data needs a published one."""


class ApiNotFound(ContentNotFound, code="api_not_found", status=404):
    """List the environment's APIs for their keys."""


class RoleNotFound(ContentNotFound, code="role_not_found", status=404):
    """Management and Flux have separate roles; check that you ask the right side."""


class ApiKeyNotFound(ContentNotFound, code="api_key_not_found", status=404):
    """Management and Flux have separate keys; the path takes the key's `key`."""


class MethodNotAllowed(ContentMethodNotAllowed, code="method_not_allowed", status=405):
    """The path exists; the `Allow` header of the answer lists the methods that work on it."""


class FolderAliasExists(ContentConflict, code="folder_alias_exists", status=409):
    """Choose another alias, or create the folder under another parent."""


class FieldExists(ContentConflict, code="field_exists", status=409):
    """Update the existing field, or choose another key."""


class ComponentInUse(ContentConflict, code="component_in_use", status=409):
    """Remove the fields and resources that use it, then delete it."""


class ExternalIdConflict(ContentConflict, code="external_id_conflict", status=409):
    """Update the existing resource (PUT with ?external_id=), or use another external id."""


class ComponentSyncConflict(ContentConflict, code="component_sync_conflict", status=409):
    """`detail` lists field_path and blocking_reason. Change the component so that existing content still
    fits, or fix the content first.
    """


class DataValidationError(ContentUnprocessable, code="data_validation_error", status=422):
    """`detail.errors` lists each problem with its json_path in the data you sent."""


class TooManyVersions(ContentUnprocessable, code="too_many_versions", status=422):
    """Delete old drafts or archived versions, or set auto_remove_schema_versions."""


class VersionAlreadyPublished(ContentUnprocessable, code="version_already_published", status=422):
    """Create a new draft (`copy_from` keeps the fields) and change that."""


class PublishedVersionCannotBeDeleted(
    ContentUnprocessable, code="published_version_cannot_be_deleted", status=422
):
    """Publish another version first; this one is then archived and can go."""


class EmptySchema(ContentUnprocessable, code="empty_schema", status=422):
    """Add at least one field before publishing."""


class FolderHasNoModel(ContentUnprocessable, code="folder_has_no_model", status=422):
    """Edit the schema of a component; each resource of the folder names its component."""


class NoPublishedSchema(ContentUnprocessable, code="no_published_schema", status=422):
    """Publish a schema version of the folder or component first."""


class ResourceOwnerRequired(ContentUnprocessable, code="resource_owner_required", status=422):
    """Send `resource_owner`: the key of an existing resource of the parent folder."""


class RevisionNotEditable(ContentUnprocessable, code="revision_not_editable", status=422):
    """Create a new revision with the changed data."""


class PublishedRevisionCannotBeDeleted(
    ContentUnprocessable, code="published_revision_cannot_be_deleted", status=422
):
    """Publish another revision or unpublish this one first."""


class DefaultLocaleCannotBeDeleted(ContentUnprocessable, code="default_locale_cannot_be_deleted", status=422):
    """Make another locale the default first."""


class ApiPrefixExists(ContentUnprocessable, code="api_prefix_exists", status=422):
    """Choose another prefix, or use the existing API."""


class FolderAlreadyConnectedToApi(ContentUnprocessable, code="folder_already_connected_to_api", status=422):
    """Update the existing connection instead."""


class ProtectedEnvironmentCannotBeDeleted(
    ContentUnprocessable, code="protected_environment_cannot_be_deleted", status=422
):
    """Set its protection_level to `none` first."""


class RateLimited(ContentTooManyRequests, code="rate_limited", status=429, retry="later"):
    """Wait for `Retry-After` seconds, then retry with backoff."""


class UpstreamError(ContentServerError, code="upstream_error", status=502, retry="later"):
    """The service that computes embeddings failed; nothing was written. Retry with backoff."""


class ServiceUnavailable(ContentServerError, code="service_unavailable", status=503, retry="later"):
    """An operator has put the content plane in maintenance, or the server is stopping. Retry with backoff."""


class WebhookNotFound(ContentNotFound, code="webhook_not_found", status=404):
    """List the environment's webhooks for their keys."""


class WebhookDeliveryNotFound(ContentNotFound, code="webhook_delivery_not_found", status=404):
    """List the webhook's deliveries. Finished ones are forgotten after `content.webhooks.history_days`."""
