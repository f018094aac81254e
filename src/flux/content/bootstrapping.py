"""The first start: a user, an organisation, a project with an environment, and a management key. Later ones renew
the token, which lives for a day only."""

from __future__ import annotations

from flux.content.access import Person
from flux.content.accounts.service import Accounts
from flux.content.keys.schemas import KeyCreate
from flux.content.keys.service import Keys
from flux.content.organisations.service import Organisations
from flux.kernel.house import House
from flux.kernel.identity import new_token
from flux.kernel.store import UniqueViolation
from flux.kernel.wire import Plane


async def bootstrap(plane: Plane, house: House) -> dict[str, object]:
    """What `operator.json` shows. Secrets are known here once; a start that was broken off before they were written
    down makes new ones for what exists already."""
    accounts: Accounts = plane.services[Accounts]
    organisations: Organisations = plane.services[Organisations]
    email, password = house.settings.content.bootstrap_email, new_token(18)
    try:
        user = await accounts.found(email, password, "Flux", "Operator")
    except UniqueViolation:
        user = await accounts.set_password(email, password)
    person = Person(user.key, user.email, user.first_name, user.last_name)
    owned = await organisations.all_of(person)
    organisation = owned[-1] if owned else await organisations.found(user.key, "Flux")
    project = await organisations.first_project(organisation.key)
    if project is None:
        project = await organisations.create_project(person, organisation.key, "Flux", "local", False)
    environment = (await organisations.environments_of(project.key))[0]
    keys: Keys = plane.services[Keys]
    key, secret = await keys.create(
        environment.key, "management", KeyCreate(description="Made at the first start")
    )
    tokens = await accounts.issue(user.key)
    return {
        "environment": environment.key,
        "organization": organisation.key,
        "project": project.key,
        "management_token": tokens.access,
        "public_key": key.public_key,
        "secret_key": secret,
        "email": email,
        "password": password,
    }


async def renew(plane: Plane, known: dict[str, object]) -> dict[str, object]:
    """What a later start writes anew beside what the first one made: nothing, where its user is gone."""
    accounts: Accounts = plane.services[Accounts]
    token = await accounts.access_for(str(known.get("email", "")))
    return {} if token is None else {"management_token": token}
