"""A SQLite VFS whose disk can be slow, fail or be counted, for tests of the commit."""

from __future__ import annotations

import time

import apsw


class Disk(apsw.VFS):
    """Over the system's own. `slow` is seconds for each sync; `broken` is what writing to the log raises."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.slow = 0.0
        self.syncs = 0
        self.syncing = False
        self.broken: type[apsw.Error] | None = None
        super().__init__(name, "")

    def xOpen(self, name, flags):  # type: ignore[no-untyped-def]
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name, flags) -> None:  # type: ignore[no-untyped-def]
        self.disk = disk
        text = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.log = bool(text) and text.endswith("-wal")
        super().__init__("", name, flags)

    def xWrite(self, data, offset):  # type: ignore[no-untyped-def]
        if self.log and self.disk.broken is not None:
            raise self.disk.broken("injected")
        super().xWrite(data, offset)

    def xSync(self, flags):  # type: ignore[no-untyped-def]
        if self.log:
            self.disk.syncs += 1
            self.disk.syncing = True
            time.sleep(self.disk.slow)
            self.disk.syncing = False
        super().xSync(flags)
