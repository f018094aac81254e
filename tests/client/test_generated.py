"""The exception classes are those of the declared faults, and the references' rows are all there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from flux.client import generate
from flux.client.errors import CommunityError, ContentError, PaygateError, Refusal
from flux.kernel.faults import Fault, FaultTable, Retry, load_contract

BASES: dict[str, type[Refusal]] = {
    "community": CommunityError,
    "content": ContentError,
    "paygate": PaygateError,
}
ROWS = {"community": 99, "content": 18, "paygate": 39}


def test_the_modules_are_not_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0, f"{capsys.readouterr().out}: run python -m flux.client.generate"


@pytest.mark.parametrize("plane", BASES)
def test_every_published_row_has_its_class(plane: str) -> None:
    published = [row for row in load_contract(plane) if row.published]
    assert len(published) == ROWS[plane]
    for row in load_contract(plane):
        kind = BASES[plane].class_for(row.code, row.status)
        assert (kind.code, kind.status, kind.declared) == (row.code, row.status, True)
    assert Counter(BASES[plane].rows.values()).most_common(1)[0][1] == 1


@pytest.mark.parametrize("plane", BASES)
def test_advice_and_retry_are_the_declared_ones(plane: str) -> None:
    for fault in generate.declared(plane):
        kind = BASES[plane].rows[fault.code, fault.status]
        assert kind.retry == fault.retry.value
        assert " ".join((kind.__doc__ or "").split()) == " ".join(fault.advice.split())


def test_check_notices_a_changed_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path in generate.ERRORS.glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text())
    monkeypatch.setattr(generate, "ERRORS", tmp_path)
    changed = tmp_path / "content.py"
    changed.write_text(changed.read_text().replace("status=404", "status=410", 1))
    assert generate.main(["--check"]) == 1
    assert "status=410" in changed.read_text()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def declare(code: str, status: int = 404, advice: str = "Look again.", retry: Retry = Retry.NEVER) -> Fault:
    return FaultTable("community").declare(code, status, "m", advice=advice, retry=retry)


def test_names() -> None:
    assert generate.class_name(declare("UNKNOWN_CHANNEL")) == "UnknownChannel"
    assert generate.class_name(declare("external_id_conflict", 409)) == "ExternalIdConflict"
    assert generate.class_name(declare("NOT_IMPLEMENTED", 501)) == "NotImplementedHere"


@pytest.mark.parametrize("code", ["TIMEOUT_ERROR", "COMMUNITY_ERROR", "COMMUNITY_NOT_FOUND", "2FA_REQUIRED"])
def test_a_name_that_is_taken_is_refused(code: str) -> None:
    with pytest.raises(generate.Unnameable):
        generate.module("community", [declare(code)])
    with pytest.raises(generate.Unnameable):
        generate.module("community", [declare("GONE", 404), declare("GONE", 410)])


@pytest.mark.parametrize(
    "advice",
    ['ends in a "quote"', 'three """ quotes', "a back\\slash \\n", "long " * 60, "a\n  broken   line"],
)
def test_any_advice_makes_a_docstring(advice: str) -> None:
    source = generate.module("community", [declare("X_Y", advice=advice)])
    scope: dict[str, type[Refusal]] = {}
    before = dict(CommunityError.rows), dict(CommunityError.kinds)
    try:
        exec(source, scope)
    finally:
        for table, old in zip((CommunityError.rows, CommunityError.kinds), before, strict=True):
            table.clear()  # type: ignore[attr-defined]
            table.update(old)  # type: ignore[attr-defined]
    assert " ".join((scope["XY"].__doc__ or "").split()) == " ".join(advice.split())
    assert max(map(len, source.splitlines()[5:])) <= generate.WIDTH
