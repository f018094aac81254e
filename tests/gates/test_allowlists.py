"""The lists of codes not yet reached may only shrink."""

from __future__ import annotations

import subprocess

import pytest
from tests.gates.observed import ALLOW, PLANES, ROOT, allowed

CEILING = {"community": 16, "content": 0, "paygate": 0, "operator": 0}
"""How many codes each list held when this test was written. Lower a number when its list shrinks; never raise one."""


@pytest.mark.parametrize("plane", PLANES)
def test_the_list_is_no_longer_than_it_was(plane: str) -> None:
    assert len(allowed(plane)) <= CEILING[plane], (
        "write the missing scenario in tests/reach instead of a line here"
    )


@pytest.mark.parametrize("plane", PLANES)
def test_no_code_is_on_the_list_that_was_not_on_it_before(plane: str) -> None:
    """Against every version of the list since this test exists: a code that was reached once stays reached."""
    path = (ALLOW / f"{plane}.txt").relative_to(ROOT).as_posix()
    began = _git("log", "--format=%H", "--diff-filter=A", "--", "tests/gates/test_allowlists.py").split()
    if not began:
        return
    for commit in _git("log", "--format=%H", f"{began[-1]}..HEAD", "--", path).split():
        before = {
            f"{plane}:{line.strip()}"
            for line in _git("show", f"{commit}:{path}").splitlines()
            if line.strip()
        }
        assert sorted(allowed(plane) - before) == [], f"not on the list of {commit[:10]}"


def _git(*arguments: str) -> str:
    """Empty where there is no history to look at (an unpacked archive)."""
    found = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout if found.returncode == 0 else ""
