"""Compare output with the files beside this one; ``RECONCILER_UPDATE_GOLDEN=1`` writes them anew."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Golden = Callable[[str, str], None]


@pytest.fixture
def golden() -> Golden:
    """Return a check: the text is what the named file holds."""

    def check(name: str, text: str) -> None:
        path = Path(__file__).parent / name
        if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
            path.write_text(text, encoding="utf-8", newline="")
        assert text == path.read_bytes().decode("utf-8")

    return check
