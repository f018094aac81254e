"""What management says about each kind of entity: missing, taken, locked, in use."""

from __future__ import annotations

from flux.content.faults.table import content

ORGANIZATION_NOT_FOUND = content.declare(
    "organization_not_found",
    404,
    "Organization does not exist",
    advice="List `/organizations/` for the keys you can see.",
)
PROJECT_NOT_FOUND = content.declare(
    "project_not_found",
    404,
    "Project does not exist",
    advice="List the organisation's projects for their keys.",
)
PLAN_NOT_FOUND = content.declare(
    "plan_not_found", 404, "Plan does not exist", advice="`/plans/` shows the plans that exist."
)
ENVIRONMENT_NOT_FOUND = content.declare(
    "environment_not_found",
    404,
    "Environment does not exist",
    advice="The environment key stands in the path after `/v1/`. A key works only in the environment it was made in.",
)
LOCALE_NOT_FOUND = content.declare(
    "locale_not_found", 404, "Locale does not exist", advice="List the environment's locales for their codes."
)
FOLDER_NOT_FOUND = content.declare(
    "folder_not_found",
    404,
    "Folder does not exist",
    advice="Use the folder's key or its path. Under an API it also means that the folder is not connected there.",
)
VERSION_NOT_FOUND = content.declare(
    "version_not_found",
    404,
    "Schema version does not exist",
    advice="List the model's versions; `latest` names the newest draft.",
)
FIELD_NOT_FOUND = content.declare(
    "field_not_found",
    404,
    "Field does not exist",
    advice="`path` is the dotted path of the field in this schema version.",
)
REVISION_NOT_FOUND = content.declare(
    "revision_not_found",
    404,
    "Revision does not exist",
    advice="List the resource's revisions. Reading the resource's data needs a published one.",
)
API_NOT_FOUND = content.declare(
    "api_not_found", 404, "API does not exist", advice="List the environment's APIs for their keys."
)
ROLE_NOT_FOUND = content.declare(
    "role_not_found",
    404,
    "Role does not exist",
    advice="Management and Flux have separate roles; check that you ask the right side.",
)
API_KEY_NOT_FOUND = content.declare(
    "api_key_not_found",
    404,
    "API key does not exist",
    advice="Management and Flux have separate keys; the path takes the key's `key`.",
)
FOLDER_ALIAS_EXISTS = content.declare(
    "folder_alias_exists",
    409,
    "A folder with this alias already exists here",
    advice="Choose another alias, or create the folder under another parent.",
)
FIELD_EXISTS = content.declare(
    "field_exists",
    409,
    "A field with this path already exists",
    advice="Update the existing field, or choose another key.",
)
COMPONENT_IN_USE = content.declare(
    "component_in_use",
    409,
    "Component is in use",
    advice="Remove the fields and resources that use it, then delete it.",
)
EXTERNAL_ID_CONFLICT = content.declare(
    "external_id_conflict",
    409,
    "External id already exists",
    advice="Update the existing resource (PUT with ?external_id=), or use another external id.",
)
COMPONENT_SYNC_CONFLICT = content.declare(
    "component_sync_conflict",
    409,
    "Component versions cannot be synchronised",
    advice="`detail` lists field_path and blocking_reason. Change the component so that existing content still fits, or fix the content first.",
)
DATA_VALIDATION_ERROR = content.declare(
    "data_validation_error",
    422,
    "Data validation failed",
    advice="`detail.errors` lists each problem with its json_path in the data you sent.",
)
TOO_MANY_VERSIONS = content.declare(
    "too_many_versions",
    422,
    "Too many schema versions",
    advice="Delete old drafts or archived versions, or set auto_remove_schema_versions.",
)
VERSION_ALREADY_PUBLISHED = content.declare(
    "version_already_published",
    422,
    "Schema version is already published",
    advice="Create a new draft (`copy_from` keeps the fields) and change that.",
)
PUBLISHED_VERSION_CANNOT_BE_DELETED = content.declare(
    "published_version_cannot_be_deleted",
    422,
    "The published schema version cannot be deleted",
    advice="Publish another version first; this one is then archived and can go.",
)
EMPTY_SCHEMA = content.declare(
    "empty_schema", 422, "The schema has no fields", advice="Add at least one field before publishing."
)
FOLDER_HAS_NO_MODEL = content.declare(
    "folder_has_no_model",
    422,
    "A composite folder has no schema of its own",
    advice="Edit the schema of a component; each resource of the folder names its component.",
)
NO_PUBLISHED_SCHEMA = content.declare(
    "no_published_schema",
    422,
    "There is no published schema",
    advice="Publish a schema version of the folder or component first.",
)
RESOURCE_OWNER_REQUIRED = content.declare(
    "resource_owner_required",
    422,
    "Resource owner is required",
    advice="Send `resource_owner`: the key of an existing resource of the parent folder.",
)
REVISION_NOT_EDITABLE = content.declare(
    "revision_not_editable",
    422,
    "Only a draft revision can be changed",
    advice="Create a new revision with the changed data.",
)
PUBLISHED_REVISION_CANNOT_BE_DELETED = content.declare(
    "published_revision_cannot_be_deleted",
    422,
    "The published revision cannot be deleted",
    advice="Publish another revision or unpublish this one first.",
)
DEFAULT_LOCALE_CANNOT_BE_DELETED = content.declare(
    "default_locale_cannot_be_deleted",
    422,
    "The default locale cannot be deleted",
    advice="Make another locale the default first.",
)
API_PREFIX_EXISTS = content.declare(
    "api_prefix_exists",
    422,
    "An API with this prefix already exists",
    advice="Choose another prefix, or use the existing API.",
)
FOLDER_ALREADY_CONNECTED_TO_API = content.declare(
    "folder_already_connected_to_api",
    422,
    "Folder is already connected to this API",
    advice="Update the existing connection instead.",
)
PROTECTED_ENVIRONMENT_CANNOT_BE_DELETED = content.declare(
    "protected_environment_cannot_be_deleted",
    422,
    "A protected environment cannot be deleted",
    advice="Set its protection_level to `none` first.",
)
WEBHOOK_NOT_FOUND = content.declare(
    "webhook_not_found",
    404,
    "Webhook does not exist",
    advice="List the environment's webhooks for their keys.",
)
WEBHOOK_DELIVERY_NOT_FOUND = content.declare(
    "webhook_delivery_not_found",
    404,
    "Webhook delivery does not exist",
    advice="List the webhook's deliveries. Finished ones are forgotten after `content.webhooks.history_days`.",
)
