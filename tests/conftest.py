"""What every test may use: databases (tests/harness/databases.py) and shared servers."""

from __future__ import annotations

import ast
import os
import signal
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest

from tests.check import HEAVY_FOLDERS
from tests.harness.server import Server, serve

pytest_plugins = ["tests.harness.databases"]

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
"""Each of some 250 servers would compile 700 modules again: a second of processor time a start."""


CLIENTS_ALONE = {
    "test_fluxer_methods", "test_fluxer_handlers", "test_steward", "test_foxnose_sdk_methods", "test_foxnose_acceptance",
    "test_langchain", "test_x402", "test_wallet_viem", "test_guild_matrix", "test_event_visibility", "test_told_names",
}  # fmt: skip
"""What these files prove does not depend on the database, and other files run the same routes on both: they run on SQLite,
and with `FLUX_LONG=1` on PostgreSQL too."""


def _is_a_repetition(item: pytest.Item) -> bool:
    return (
        item.path.stem in CLIENTS_ALONE
        and isinstance(item, pytest.Function)
        and hasattr(item, "callspec")
        and "postgres" in item.callspec.params.values()
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make check` does not even import the files of which nothing is a unit test: their clients are large."""
    if config.option.markexpr != "unit":
        return None
    if collection_path.is_dir():
        return collection_path.name in HEAVY_FOLDERS or None
    heavy = collection_path.suffix == ".py" and HEAVY & imported_by(collection_path.read_text("utf-8"))
    return True if heavy else None


def pytest_pycollect_makemodule(module_path: Path) -> None:
    """Hypothesis fails what takes a fifth of a second, which anything may on a busy machine: `MOST_SECONDS` is the limit.
    It is imported for those who use it."""
    if "hypothesis" not in module_path.read_text("utf-8"):
        return
    from hypothesis import HealthCheck, settings

    settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")


def imported_by(text: str) -> set[str]:
    """The names a module's import statements bind."""
    if not any(name in text for name in HEAVY):
        return set()
    statements = (node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom))
    return {alias.asname or alias.name for statement in statements for alias in statement.names}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`unit`: what `make check` runs, everything that starts no server process and no PostgreSQL. What takes longest comes
    first, so that no worker sits alone over it at the end."""
    if not os.environ.get("FLUX_LONG"):
        items[:] = [item for item in items if not _is_a_repetition(item)]
    items.sort(key=lambda item: not LONGEST.intersection((item.path.stem, item.path.parent.name)))
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        heavy = (
            HEAVY_FIXTURES & set(item.fixturenames)
            or {"postgres", "nats", "s3"} & {value for value in parameters.values() if isinstance(value, str)}
            or HEAVY & set(vars(item.module))
            or HEAVY_FOLDERS & set(item.path.parts)
            or HEAVY_CALLS.intersection(item.function.__code__.co_names)
        )
        if not heavy:
            item.add_marker("unit")


LONGEST = {
    "hostile",
    "durability",
    "test_soak",
    "test_equal_answers",
    "test_guild_matrix",
    "test_wallet_viem",
    "test_ledger_fire",
}
"""Folders and files."""
MOST_SECONDS = 7200 if os.environ.get("FLUX_LONG") else int(os.environ.get("FLUX_TEST_SECONDS", "300"))
HEAVY_FIXTURES = {"server", "postgres_server", "nats_server", "s3_server"}
HEAVY = {"serve", "EmbeddedNats", "EmbeddedPostgres", "anvil", "Anvil", "ThreadedMotoServer"}
"""Names whose import into a test module tells that it starts processes."""
HEAVY_CALLS = {"fresh_postgres_url"}
"""Names of which the use in a test's own body tells it of that test alone."""


class TooLong(Exception):
    """A test, or what prepares or ends it, hung. One that hangs must not hang the suite."""


def _limited() -> Generator[None, object, object]:
    def stop(*_: object) -> None:
        raise TooLong(f"not done after {MOST_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(MOST_SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    return (yield from _limited())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    return (yield from _limited())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    return (yield from _limited())


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
async def server(server_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """One sandbox server a test module and database kind. Leave no fault armed and make your own accounts."""
    async with serve(
        tmp_path_factory.mktemp(f"server-{server_database}"), database=server_database
    ) as running:
        yield running
