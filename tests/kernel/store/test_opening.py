"""From settings to a database."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from flux.kernel.store import EMBEDDED, EmbeddedPostgres, PostgresDatabase, SqliteDatabase, open_database
from flux.settings.store import StoreSettings


async def test_without_a_url_it_is_sqlite_in_the_data_directory(tmp_path: Path) -> None:
    database = await open_database(StoreSettings(), tmp_path / "a new directory")
    assert isinstance(database, SqliteDatabase)
    assert database.path == tmp_path / "a new directory" / "flux.db"
    assert await database.value("SELECT 1", {}) == 1
    await database.close()


async def test_urls_choose_the_driver(tmp_path: Path, postgres_server: EmbeddedPostgres) -> None:
    lite = await open_database(StoreSettings(database=f"sqlite://{tmp_path}/my%20own.db"), Path("unused"))
    assert isinstance(lite, SqliteDatabase)
    assert (tmp_path / "my own.db").exists()
    await lite.close()
    for dsn in (postgres_server.dsn(), postgres_server.dsn().replace("postgres:", "postgresql:")):
        post = await open_database(StoreSettings(database=dsn), Path("unused"))
        assert isinstance(post, PostgresDatabase)
        assert await post.value("SELECT 1", {}) == 1
        await post.close()


@pytest.mark.parametrize("url", ["mysql://x", "nonsense", EMBEDDED, "sqlite:", "sqlite://relative.db"])
async def test_other_urls_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        await open_database(StoreSettings(database=url), tmp_path)


def test_every_setting_is_described_and_has_a_default() -> None:
    StoreSettings()
    for field in msgspec.json.schema(StoreSettings)["$defs"]["StoreSettings"]["properties"].values():
        assert field["description"].endswith(".")
        assert "default" in field
