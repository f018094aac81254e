"""The store's own tests make their tables themselves: databases are empty."""

from tests.harness.databases import (  # noqa: F401
    database,
    database_url,
    dialect,
    migration_sets,
    postgres_server,
)
