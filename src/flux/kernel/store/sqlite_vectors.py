"""Distances between vectors as SQL functions, where the extension sqlite-vec is installed."""

from __future__ import annotations

import logging

import apsw

log = logging.getLogger("flux.store")


def load_vectors(connection: apsw.Connection) -> None:
    """`vec_distance_cosine` and its kin over 32-bit little-endian floats. Without the package, or with a SQLite that loads no
    extensions, nothing happens: whoever wants them asks `pragma_function_list` first."""
    try:
        import sqlite_vec

        connection.enable_load_extension(True)
        try:
            connection.load_extension(sqlite_vec.loadable_path())
        finally:
            connection.enable_load_extension(False)
    except (ImportError, AttributeError, apsw.Error) as problem:
        log.info("no vector functions in SQLite: %s", problem)
