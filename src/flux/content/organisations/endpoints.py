"""/organizations/, /plans/ and /regions/: for people, not for keys."""

from __future__ import annotations

from typing import Any

from flux.content import faults
from flux.content.access import SIGNED_IN, Person
from flux.content.accounts.rules import user_view
from flux.content.accounts.service import Accounts
from flux.content.changes import given
from flux.content.organisations.rows import Environment, Organization, Project
from flux.content.organisations.rules import PLAN, PROTECTION, REGIONS, plan_status, usage_view
from flux.content.organisations.schemas import (
    EnvironmentChange,
    EnvironmentCreate,
    EnvironmentView,
    OrganizationChange,
    OrganizationView,
    ProjectChange,
    ProjectCreate,
    ProjectView,
    Protection,
    Toggle,
)
from flux.content.organisations.service import Organisations
from flux.content.pages import PageQuery, page, window
from flux.content.plans import Plans
from flux.content.settled import Settled
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes

routes = Routes(tag="organisations")
_ORGANIZATION = [faults.ORGANIZATION_NOT_FOUND]
_PROJECT = [*_ORGANIZATION, faults.PROJECT_NOT_FOUND]
_ENVIRONMENT = [*_PROJECT, faults.ENVIRONMENT_NOT_FOUND]
_AT_PROJECT = "/organizations/{org}/projects/{project}"
_AT_ENVIRONMENT = _AT_PROJECT + "/environments/{environment}"


def _person(call: Call) -> Person:
    assert isinstance(call.principal, Person)
    return call.principal


# -- views ----------------------------------------------------------------------------------------------------


async def _user(call: Call, key: str) -> dict[str, str] | None:
    user = await call.use(Accounts).by_key(key)
    return user_view(user.key, user.email, user.first_name, user.last_name) if user else None


async def _organization_view(call: Call, row: Organization) -> OrganizationView:
    return OrganizationView(
        key=row.key,
        name=row.name,
        owner=await _user(call, row.owner) or {},
        legal_name=row.legal_name,
        tax_num=row.tax_num,
        address=row.address,
        city=row.city,
        province=row.province,
        zip_code=row.zip_code,
        country_iso=row.country_iso,
        created_at=iso(row.created_at),
    )


async def _environment_view(call: Call, row: Environment) -> EnvironmentView:
    """`host` is what a client can put after the scheme as the base URL of delivery."""
    base = call.use(Settled).public_base(call).partition("://")[2]
    return EnvironmentView(
        key=row.key,
        name=row.name,
        project=row.project,
        host=f"{base}/flux/{row.key}",
        is_enabled=bool(row.is_enabled),
        created_at=iso(row.created_at),
        protection_level=row.protection_level,
        protection_level_display=PROTECTION[row.protection_level],
        protected_by_user=await _user(call, row.protected_by) if row.protected_by else None,
        protected_at=iso(row.protected_at) if row.protected_at is not None else None,
        protection_reason=row.protection_reason,
    )


async def _project_view(call: Call, row: Project) -> ProjectView:
    environments = await call.use(Organisations).environments_of(row.key)
    return ProjectView(
        key=row.key,
        name=row.name,
        organization=row.organization,
        region=next(dict(one) for one in REGIONS if one["code"] == row.region),
        environments=[{"key": one.key, "name": one.name} for one in environments],
        gdpr=bool(row.gdpr),
        created_at=iso(row.created_at),
    )


# -- organisations --------------------------------------------------------------------------------------------


@routes.get("/organizations", auth=SIGNED_IN)
async def list_organizations(call: Call) -> list[OrganizationView]:
    """The organisations of the caller."""
    return [
        await _organization_view(call, row) for row in await call.use(Organisations).all_of(_person(call))
    ]


@routes.get("/organizations/{org}", auth=SIGNED_IN, raises=_ORGANIZATION)
async def get_organization(call: Call, org: str) -> OrganizationView:
    """One organisation."""
    return await _organization_view(call, await call.use(Organisations).one(_person(call), org))


@routes.put("/organizations/{org}", auth=SIGNED_IN, raises=_ORGANIZATION)
async def update_organization(call: Call, org: str, body: OrganizationChange) -> OrganizationView:
    """Change an organisation's name and address."""
    return await _organization_view(
        call, await call.use(Organisations).change(_person(call), org, given(body))
    )


@routes.get("/organizations/{org}/plan", auth=SIGNED_IN, raises=_ORGANIZATION)
async def get_plan(call: Call, org: str) -> dict[str, Any]:
    """The organisation's plan: what the operator's limits are."""
    await call.use(Organisations).one(_person(call), org)
    return _plans(call)


@routes.post(
    "/organizations/{org}/plan/{code}", auth=SIGNED_IN, raises=[*_ORGANIZATION, faults.PLAN_NOT_FOUND]
)
async def set_plan(call: Call, org: str, code: str) -> dict[str, Any]:
    """Choose a plan; there is one."""
    await call.use(Organisations).one(_person(call), org)
    if code != PLAN:
        raise faults.PLAN_NOT_FOUND()
    return _plans(call)


@routes.get("/plans", auth=SIGNED_IN)
async def list_plans(call: Call) -> dict[str, Any]:
    """The plans there are."""
    return _plans(call)


@routes.get("/regions", auth=SIGNED_IN)
async def list_regions(call: Call) -> list[dict[str, str]]:
    """Where projects can live: here."""
    return [dict(one) for one in REGIONS]


@routes.get("/organizations/{org}/usage", auth=SIGNED_IN, raises=_ORGANIZATION)
async def get_usage(call: Call, org: str) -> dict[str, Any]:
    """What the organisation has used, and what it may."""
    counts, sizes = await call.use(Organisations).usage(_person(call), org)
    return usage_view(counts, call.use(Plans).limits, sizes["data"], sizes["vectors"])


def _plans(call: Call) -> dict[str, Any]:
    return plan_status(call.use(Plans).limits, call.use(Settled).content.max_component_depth)


# -- projects -------------------------------------------------------------------------------------------------


@routes.get("/organizations/{org}/projects", auth=SIGNED_IN, raises=_ORGANIZATION)
async def list_projects(call: Call, org: str, query: PageQuery) -> dict[str, Any]:
    """The projects of an organisation."""
    at = window(query, call.use(Settled).content.page_size)
    found = await call.use(Organisations).projects(_person(call), org, at)
    views = [await _project_view(call, row) for row in found.rows]
    return {**page(call, at, found, lambda row: row), "results": views}


@routes.post(
    "/organizations/{org}/projects",
    auth=SIGNED_IN,
    status=201,
    raises=[*_ORGANIZATION, faults.PLAN_LIMIT_EXCEEDED],
)
async def create_project(call: Call, org: str, body: ProjectCreate) -> ProjectView:
    """Create a project with its first environment."""
    organisations = call.use(Organisations)
    row = await organisations.create_project(_person(call), org, body.name, body.region, body.gdpr)
    return await _project_view(call, row)


@routes.get(_AT_PROJECT, auth=SIGNED_IN, raises=_PROJECT)
async def get_project(call: Call, org: str, project: str) -> ProjectView:
    """One project."""
    return await _project_view(call, await call.use(Organisations).project(_person(call), org, project))


@routes.put(_AT_PROJECT, auth=SIGNED_IN, raises=_PROJECT)
async def update_project(call: Call, org: str, project: str, body: ProjectChange) -> ProjectView:
    """Rename a project or change its gdpr mark."""
    row = await call.use(Organisations).change_project(_person(call), org, project, given(body))
    return await _project_view(call, row)


@routes.delete(
    _AT_PROJECT, auth=SIGNED_IN, raises=[*_PROJECT, faults.PROTECTED_ENVIRONMENT_CANNOT_BE_DELETED]
)
async def delete_project(call: Call, org: str, project: str) -> None:
    """Delete a project with all its environments."""
    await call.use(Organisations).delete_project(_person(call), org, project)


# -- environments ---------------------------------------------------------------------------------------------


async def _environment(call: Call, org: str, project: str, environment: str) -> Environment:
    return await call.use(Organisations).environment_in(_person(call), org, project, environment)


@routes.get(_AT_PROJECT + "/environments", auth=SIGNED_IN, raises=_PROJECT)
async def list_environments(call: Call, org: str, project: str) -> list[EnvironmentView]:
    """The environments of a project."""
    rows = await call.use(Organisations).environments(_person(call), org, project)
    return [await _environment_view(call, row) for row in rows]


@routes.post(
    _AT_PROJECT + "/environments", auth=SIGNED_IN, status=201, raises=[*_PROJECT, faults.PLAN_LIMIT_EXCEEDED]
)
async def create_environment(call: Call, org: str, project: str, body: EnvironmentCreate) -> EnvironmentView:
    """Create an empty environment with the locale `en`."""
    row = await call.use(Organisations).create_environment(_person(call), org, project, body.name)
    return await _environment_view(call, row)


@routes.get(_AT_ENVIRONMENT, auth=SIGNED_IN, raises=_ENVIRONMENT)
async def get_environment(call: Call, org: str, project: str, environment: str) -> EnvironmentView:
    """One environment."""
    return await _environment_view(call, await _environment(call, org, project, environment))


@routes.put(_AT_ENVIRONMENT, auth=SIGNED_IN, raises=_ENVIRONMENT)
async def update_environment(
    call: Call, org: str, project: str, environment: str, body: EnvironmentChange
) -> EnvironmentView:
    """Rename an environment."""
    row = await _environment(call, org, project, environment)
    return await _environment_view(call, await call.use(Organisations).change_environment(row, given(body)))


@routes.delete(
    _AT_ENVIRONMENT, auth=SIGNED_IN, raises=[*_ENVIRONMENT, faults.PROTECTED_ENVIRONMENT_CANNOT_BE_DELETED]
)
async def delete_environment(call: Call, org: str, project: str, environment: str) -> None:
    """Delete an environment with everything in it."""
    await call.use(Organisations).delete_environment(await _environment(call, org, project, environment))


@routes.post(_AT_ENVIRONMENT + "/toggle", auth=SIGNED_IN, raises=_ENVIRONMENT)
async def toggle_environment(
    call: Call, org: str, project: str, environment: str, body: Toggle
) -> EnvironmentView:
    """Switch an environment on or off."""
    row = await _environment(call, org, project, environment)
    changed = await call.use(Organisations).change_environment(row, {"is_enabled": int(body.is_enabled)})
    return await _environment_view(call, changed)


@routes.patch(_AT_ENVIRONMENT + "/protection", auth=SIGNED_IN, raises=_ENVIRONMENT)
async def protect_environment(
    call: Call, org: str, project: str, environment: str, body: Protection
) -> EnvironmentView:
    """Protect an environment against deletion and, at `read_only` and `locked`, against changes."""
    row = await _environment(call, org, project, environment)
    return await _environment_view(call, await call.use(Organisations).protect(_person(call), row, body))
