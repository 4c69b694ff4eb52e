"""No secret is in any byte that the program writes anywhere, whatever happens, and nobody else may read its files."""

from __future__ import annotations

import os

import pytest

from tests.secrecy.scenarios import SCENARIOS
from tests.secrecy.stage import Stage

pytestmark = pytest.mark.broad


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_that_is_written_betrays_a_secret(name: str, stage: Stage) -> None:
    before = os.umask(0o022)
    try:
        SCENARIOS[name](stage)
    finally:
        os.umask(before)
    assert not stage.betrayals()
    assert not stage.loose()
