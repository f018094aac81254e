"""schemathesis over the paygate document; see attacks.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.hostile.attacks import no_input_makes_the_server_fail


@pytest.mark.parametrize("known", [False, True], ids=["stranger", "known"])
async def test_no_input_makes_the_server_fail(tmp_path: Path, known: bool) -> None:
    await no_input_makes_the_server_fail(tmp_path, "paygate", known)
