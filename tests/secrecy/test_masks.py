"""Each mask is needed: without it alone, a scenario betrays a secret."""

from __future__ import annotations

import pytest

from tests.secrecy.masks import BY_NAME, MASKS, Mask
from tests.secrecy.scenarios import SCENARIOS
from tests.secrecy.stage import Stage

pytestmark = pytest.mark.broad


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: mask.name)
def test_without_any_single_mask_something_is_betrayed(
    mask: Mask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.strict = False
    for name in (*mask.behind, mask.name):
        BY_NAME[name].remove(monkeypatch)
    SCENARIOS[mask.scenario](stage)
    assert stage.betrayals()


@pytest.mark.parametrize("mask", [mask for mask in MASKS if mask.behind], ids=lambda mask: mask.name)
def test_a_mask_before_others_holds_where_they_do_not(
    mask: Mask, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in mask.behind:
        BY_NAME[name].remove(monkeypatch)
    SCENARIOS[mask.scenario](stage)
    assert not stage.betrayals()


def test_each_mask_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(MASKS)
