"""What a request had in it does not keep its record from being read."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.gates.observed import Record, records


def test_a_record_is_one_line_whatever_the_request_had_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLUX_RECORD", str(tmp_path))
    body = "".join(map(chr, (*range(1, 160), 0x2028, 0x2029)))
    told = Record("content", "unknown_field", 422, None, False, None, {"method": "POST", "body": body}, "now")
    line = msgspec.json.encode({name: getattr(told, name) for name in told.__dataclass_fields__})
    (tmp_path / "faults-1-1.jsonl").write_bytes(line + b"\n" + line + b"\n")
    assert records() == [told, told]
