"""A walk through the management client: every public method, each answer looked at."""

from __future__ import annotations

import secrets
from typing import Any

from foxnose_sdk.management.models import BatchUpsertItem
from tests.clients.foxnose.calling import Caller, a_name


async def management_walk(call: Caller, organization: str) -> None:
    words = [word for word in ("folder", "collection") if call.offers(f"create_{word}")]
    await _organisations(call, organization)
    await _locales(call)
    component, version = await _components(call)
    for word in words:
        await _modelling(call, word, component, version)
    folder = await _authoring(call)
    for word in words:
        await _apis(call, word, folder)
    for side in ("management", "flux"):
        await _access(call, side)
    asked = await call("request", "GET", f"/v1/{call.client.environment_key}/locales/")
    assert [one["code"] for one in asked if one["is_default"]] == ["en"]


async def _organisations(call: Caller, organization: str) -> None:
    assert organization in [one.key for one in await call("list_organizations")]
    before = await call("get_organization", organization)
    after = await call("update_organization", organization, {"city": "Berlin"})
    assert after.city == "Berlin" and after.name == before.name and after.owner.email == before.owner.email
    plan = await call("get_organization_plan", organization)
    assert (await call("get_available_plans")).active_plan.code == plan.active_plan.code
    await call("set_organization_plan", organization, plan.active_plan.code)
    assert (await call("get_organization_usage", organization)).usage.projects.current >= 1
    [region] = await call("list_regions")
    project = await call("create_project", organization, {"name": "P", "region": region.code})
    assert len(project.environments) == 1
    assert project.key in [one.key for one in (await call("list_projects", organization)).results]
    assert (await call("get_project", organization, project.key)).region.code == region.code
    assert (await call("update_project", organization, project.key, {"name": "Q"})).name == "Q"
    environment = await call("create_environment", organization, project.key, {"name": "E"})
    assert len(await call("list_environments", organization, project.key)) == 2
    assert (await call("get_environment", organization, project.key, environment.key)).is_enabled
    await call("update_environment", organization, project.key, environment.key, {"name": "F"})
    await call("toggle_environment", organization, project.key, environment.key, is_enabled=False)
    assert not (await call("get_environment", organization, project.key, environment.key)).is_enabled
    protected = await call(
        "update_environment_protection",
        organization,
        project.key,
        environment.key,
        protection_level="org_owner",
    )
    assert protected.protected_by_user.email
    cleared = await call("clear_environment_protection", organization, project.key, environment.key)
    assert cleared.protected_by_user is None
    await call("delete_environment", organization, project.key, environment.key)
    await call("delete_project", organization, project.key)


async def _locales(call: Caller) -> None:
    code = "x" + "".join(secrets.choice("abcdef") for _ in range(8))
    assert (await call("create_locale", {"name": "New", "code": code})).code == code
    assert code in [one.code for one in await call("list_locales")]
    assert (await call("update_locale", code, {"name": "Newer"})).name == "Newer"
    assert (await call("get_locale", code)).is_default is False
    await call("delete_locale", code)


async def _components(call: Caller) -> tuple[Any, Any]:
    component = await call("create_component", {"name": "Seo"})
    assert component.key in [one.key for one in (await call("list_components")).results]
    assert (await call("update_component", component.key, {"description": "d"})).description == "d"
    version = await _versions(call, "component", component.key)
    assert (await call("get_component", component.key)).current_version == version.key
    gone = await call("create_component", {"name": "Gone"})
    await call("delete_component", gone.key)
    return component, version


async def _versions(call: Caller, word: str, owner: str) -> Any:
    """Drafts, fields, publishing; the published version."""
    version = await call(f"create_{word}_version", owner, {"name": "v1"})
    field = await call(
        f"create_{word}_field", owner, version.key, {"key": "title", "name": "Title", "type": "string"}
    )
    assert field.json_schema == {"type": "string", "maxLength": 255}
    await call(f"create_{word}_field", owner, version.key, {"key": "gone", "name": "Gone", "type": "text"})
    assert len((await call(f"list_{word}_fields", owner, version.key)).results) == 2
    changed = await call(f"update_{word}_field", owner, version.key, "title", {"searchable": True})
    assert changed.searchable
    assert (await call(f"get_{word}_field", owner, version.key, "title")).name == "Title"
    await call(f"delete_{word}_field", owner, version.key, "gone")
    assert (await call(f"update_{word}_version", owner, version.key, {"name": "one"})).name == "one"
    published = await call(f"publish_{word}_version", owner, version.key)
    assert published.version_number == 1
    copy = await call(f"create_{word}_version", owner, {"name": "v2"}, copy_from=version.key)
    assert (await call(f"list_{word}_versions", owner)).count == 2
    shown = await call(f"get_{word}_version", owner, copy.key, include_schema=True)
    assert list(shown.json_schema["properties"]) == ["title"]
    await call(f"delete_{word}_version", owner, copy.key)
    return published


async def _modelling(call: Caller, word: str, component: Any, version: Any) -> None:
    alias = a_name(word)
    made = await call(f"create_{word}", {"name": "N", "alias": alias})
    child = await call(f"create_{word}", {"name": "C", "alias": "child", "parent": made.key})
    assert child.path == f"{alias}.child" and child.parent == alias
    assert (await call(f"get_{word}", made.key)).alias == alias
    assert (await call(f"get_{word}_by_path", f"{alias}/child")).key == child.key
    assert (await call(f"update_{word}", made.key, {"name": "M"})).name == "M"
    assert made.key in [one.key for one in (await call(f"list_{word}s")).results]
    tree = await call(f"list_{word}_tree", key=made.key, mode="descendants")
    assert [one.key for one in tree.results] == [child.key]
    await _versions(call, word, made.key)
    if call.offers(f"sync_{word}_component"):
        await _sync(call, made.key, component, version)
    await call(f"delete_{word}", child.key)
    await call(f"delete_{word}", made.key)


async def _sync(call: Caller, owner: str, component: Any, version: Any) -> None:
    draft = await call("create_collection_version", owner, {"name": "v2"})
    meta = {"component": component.key, "component_version": version.key}
    field = {"key": "seo", "name": "Seo", "type": "nested", "meta": meta}
    await call("create_collection_field", owner, draft.key, field)
    await call("publish_collection_version", owner, draft.key)
    same = await call("sync_collection_component", owner)
    assert (
        same.synced_paths == []
        and same.schema_version is None
        and same.skipped[0].reason == "already_at_target"
    )
    newer = await call("create_component_version", component.key, {"name": "n"}, copy_from=version.key)
    await call(
        "create_component_field", component.key, newer.key, {"key": "extra", "name": "E", "type": "string"}
    )
    await call("publish_component_version", component.key, newer.key)
    synced = await call("sync_collection_component", owner, field_paths=["seo"])
    assert synced.synced_paths == ["seo"] and synced.schema_version
    narrower = await call("create_component_version", component.key, {"name": "m"})
    await call(
        "create_component_field", component.key, narrower.key, {"key": "other", "name": "O", "type": "string"}
    )
    await call("publish_component_version", component.key, narrower.key)
    refused = await call.refused("sync_collection_component", owner)
    assert (refused.status_code, refused.error_code) == (409, "component_sync_conflict")
    assert refused.detail == [
        {"field_path": "seo.title", "blocking_reason": "field_removed"},
        {"field_path": "seo.extra", "blocking_reason": "field_removed"},
    ]


async def _authoring(call: Caller) -> str:
    folder = (await call("create_folder", {"name": "A", "alias": a_name("a")})).key
    version = await call("create_folder_version", folder, {"name": "v"})
    field = {"key": "title", "name": "Title", "type": "string", "required": True}
    await call("create_folder_field", folder, version.key, field)
    await call("publish_folder_version", folder, version.key)
    resource = await call("create_resource", folder, {"data": {"title": "One"}}, external_id="one")
    await call("upsert_resource", folder, {"data": {"title": "Two"}}, external_id="two")
    batch = await call(
        "batch_upsert_resources",
        folder,
        [
            BatchUpsertItem(external_id=f"b{index}", payload={"data": {"title": str(index)}})
            for index in range(7)
        ],
    )
    assert len(batch.succeeded) == 7 and batch.failed == []
    assert (await call("list_resources", folder)).count == 9
    assert (await call("get_resource", folder, resource.key)).key == resource.key
    await call("update_resource", folder, resource.key, {"name": "Named"})
    refused = await call.refused("create_resource", folder, {"data": {"colour": "red"}})
    assert refused.error_code == "data_validation_error"
    assert refused.detail["errors"][0]["json_path"] == "$.title"
    await _revisions(call, folder, resource.key)
    await call("delete_resource", folder, resource.key)
    return str(folder)


async def _revisions(call: Caller, folder: str, resource: str) -> None:
    revision = await call("create_revision", folder, resource, {"data": {"title": "Draft"}})
    assert (await call("list_revisions", folder, resource)).count == 2
    await call("update_revision", folder, resource, revision.key, {"data": {"title": "Better"}})
    assert (await call("validate_revision", folder, resource, revision.key))["errors"] == []
    assert (await call("publish_revision", folder, resource, revision.key)).status == "published"
    assert (await call("get_revision", folder, resource, revision.key)).is_valid is True
    assert await call("get_revision_data", folder, resource, revision.key) == {"title": "Better"}
    assert await call("get_resource_data", folder, resource) == {"title": "Better"}
    newest = await call("create_revision", folder, resource, {"data": {"title": "Newest"}})
    await call("delete_revision", folder, resource, newest.key)


async def _apis(call: Caller, word: str, folder: str) -> None:
    api = await call("create_api", {"name": "Api", "prefix": a_name("p")})
    assert api.key in [one.key for one in (await call("list_apis")).results]
    assert (await call("get_api", api.key)).prefix == api.prefix
    assert (await call("update_api", api.key, {"description": "d"})).description == "d"
    connected = await call(f"add_api_{word}", api.key, folder)
    assert connected.allowed_methods == ["get_many", "get_one"]
    changed = await call(f"update_api_{word}", api.key, folder, allowed_methods=["get_one"])
    assert changed.allowed_methods == ["get_one"]
    assert (await call(f"get_api_{word}", api.key, folder)).folder == folder
    assert (await call(f"list_api_{word}s", api.key)).count == 1
    await call(f"remove_api_{word}", api.key, folder)
    await call("delete_api", api.key)


async def _access(call: Caller, side: str) -> None:
    role = await call(f"create_{side}_role", {"name": "R"})
    assert role.key in [one.key for one in (await call(f"list_{side}_roles")).results]
    assert (await call(f"get_{side}_role", role.key)).name == "R"
    assert (await call(f"update_{side}_role", role.key, {"description": "d"})).description == "d"
    kind = "flux-apis"
    permission = {"content_type": kind, "actions": ["read"], "all_objects": False}
    assert (await call(f"upsert_{side}_role_permission", role.key, permission)).actions == ["read"]
    assert len(await call(f"replace_{side}_role_permissions", role.key, [permission])) == 1
    assert len(await call(f"list_{side}_role_permissions", role.key)) == 1
    reached = {"content_type": kind, "object_key": "abc"}
    await call(f"add_{side}_permission_object", role.key, reached)
    assert [
        one.object_key for one in await call(f"list_{side}_permission_objects", role.key, content_type=kind)
    ] == ["abc"]
    await call(f"delete_{side}_permission_object", role.key, reached)
    await call(f"delete_{side}_role_permission", role.key, kind)
    key = await call(f"create_{side}_api_key", {"role": role.key})
    assert key.key in [one.key for one in (await call(f"list_{side}_api_keys")).results]
    assert (await call(f"get_{side}_api_key", key.key)).secret_key.startswith("****")
    assert (await call(f"update_{side}_api_key", key.key, {"description": "d"})).description == "d"
    if side == "flux" and call.offers("issue_flux_api_key_bearer_token"):
        token = await call("issue_flux_api_key_bearer_token", key.key)
        assert (
            token.bearer_token.startswith(token.bearer_token_prefix) and len(token.bearer_token_prefix) == 12
        )
        await call("revoke_flux_api_key_bearer_token", key.key)
    await call(f"delete_{side}_api_key", key.key)
    await call(f"delete_{side}_role", role.key)
