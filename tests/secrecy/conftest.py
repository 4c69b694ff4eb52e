"""A stage for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.secrecy.stage import Stage, make_stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Stage:
    """A machine of one's own; moto starts when something asks for it."""
    return make_stage(tmp_path / "machine", monkeypatch, lambda: str(request.getfixturevalue("moto")))
